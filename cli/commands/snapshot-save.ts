import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readArchive } from '../../lib/archive/archive.ts';
import { readRecords } from '../../lib/archive/records.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { type Command, explained, refuseArguments } from '../command.ts';
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
    const part = `${file}.part`;
    try {
      const archive = await explained(
        'Error saving snapshot',
        client().stream({ method: 'GET', path: '/v1/snapshot' }),
      );
      await pipeline(archive, createWriteStream(part, { mode: 0o600 }));
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
