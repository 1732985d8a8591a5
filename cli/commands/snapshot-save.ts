import { createWriteStream, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readArchive } from '../../lib/archive/archive.ts';
import { readRecords } from '../../lib/archive/records.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
import { shown } from '../progress.ts';
import { readFileInParts } from './snapshot-inspect.ts';

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
    const part = `${file}.part`;
    try {
      const archive = await explained(
        'Error saving snapshot',
        client().stream({ method: 'GET', path: '/v1/snapshot' }),
      );
      const bytes = shown(archive, 'saving', host.progress);
      await pipeline(bytes, createWriteStream(part, { mode: 0o600 }));
      const { meta } = await readArchive(readFileInParts(part), async (state) => {
        for await (const _ of readRecords(state));
      });
      await rename(part, file);
      host.print(`Saved and verified snapshot to index ${meta.Index}\n`);
    } catch (cause) {
      await rm(part, { force: true });
      if (cause instanceof ProconsulError) throw cause;
      throw new ProconsulError('invalid', `Error saving snapshot: ${describeChain(cause)}`, {
        cause,
      });
    }
    return 0;
  },
};

/** What is there already is replaced, if it is a file: a device or a folder is somebody's. */
function refuseOther(file: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there === undefined || there.isFile()) return;
  throw new ProconsulError('invalid', `Error saving snapshot: ${file} is no file`);
}
