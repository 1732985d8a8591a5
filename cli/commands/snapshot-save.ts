import { statSync } from 'node:fs';
import { ProconsulError } from '../../lib/errors.ts';
import { type Command, refuseArguments } from '../command.ts';
import { saveArchive } from '../save-archive.ts';

export const command: Command = {
  synopsis: '[options] FILE',
  details: 'The file is there once it is whole, and was read back.',
  examples: ['backup.snap', '-stale backup.snap'],
  http: 'query',
  flags: new Map(),

  async run({ args, host, client }) {
    refuseArguments(args, 1);
    const [file] = args;
    if (file === undefined) throw new ProconsulError('invalid', 'Missing FILE argument');
    refuseOther(file);
    const { Index } = await saveArchive(client(), file, host.progress);
    host.print(`Saved and verified snapshot to index ${Index}\n`);
    return 0;
  },
};

/** What is there already is replaced, if it is a file: a device or a folder is somebody's. */
function refuseOther(file: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw new ProconsulError('invalid', `Error saving snapshot: ${file} is no file`);
}
