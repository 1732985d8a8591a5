import { createReadStream } from 'node:fs';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { encodeJson } from '../../lib/json.ts';
import { archiveKinds } from '../archive-kinds.ts';
import { type Command, columns, refuseArguments } from '../command.ts';
import { FORMAT, wantsJson } from '../format.ts';
import { table } from '../table.ts';

export const command: Command = {
  synopsis: '[options] FILE',
  details: 'It says how many records of which kind there are, and reads the file to its end.',
  examples: ['backup.snap', '-format=json backup.snap'],
  http: 'none',
  flags: new Map([FORMAT]),

  async run({ flags, args, host }) {
    refuseArguments(args, 1);
    const [file] = args;
    if (file === undefined) throw new ProconsulError('invalid', 'Missing FILE argument');
    const isJson = wantsJson(flags);
    const { meta, counts } = await inspect(file);
    const { ID, Size, Index, Term, Version } = meta;
    const Meta = { ID, Size, Index, Term, Version };
    const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
    if (isJson) {
      const Stats = sorted.map(([Name, Count]) => ({ Name, Count }));
      host.print(`${encodeJson({ Meta, Stats }, true)}\n`);
      return 0;
    }
    host.print(columns(Object.entries(Meta).map(shown), 11));
    const rows = sorted.map(shown);
    host.print(`\n${table(host.terminal, [['Kind', 'Count'], ...rows], 3)}`);
    return 0;
  },
};

function shown([name, value]: readonly [string, unknown]): readonly string[] {
  return [name, String(value)];
}

async function inspect(file: string) {
  try {
    return await archiveKinds(readFileInParts(file));
  } catch (cause) {
    const why = `Error reading snapshot: ${describeChain(cause)}`;
    throw new ProconsulError('invalid', why, { cause });
  }
}

export function readFileInParts(file: string): AsyncIterable<Buffer> {
  return createReadStream(file) as AsyncIterable<Buffer>;
}
