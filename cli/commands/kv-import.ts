import { isTree } from '../../lib/config/row.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { decodeJson } from '../../lib/json.ts';
import { encodePath } from '../api-client.ts';
import { type Command, explained, readInput, refuseArguments } from '../command.ts';

interface ExportedKey {
  readonly key: string;
  readonly flags: string;
  readonly value: Buffer;
}

export const command: Command = {
  synopsis: '[options] [DATA]',
  details: 'DATA is the JSON, @FILE a file that holds it, - standard input.',
  examples: ['@all.json', '- < all.json'],
  http: 'query',
  flags: new Map(),

  async run({ args, host, client }) {
    refuseArguments(args, 1);
    const [data] = args;
    if (data === undefined) throw new ProconsulError('invalid', 'Error! Missing DATA argument');
    // All is read before anything is written.
    const entries = parse((await readInput(data, host)).toString());
    const api = client();
    for (const { key, flags, value } of entries) {
      await explained(
        `Error! Failed writing data for key ${key}`,
        api.send({
          method: 'PUT',
          path: `/v1/kv/${encodePath(key)}`,
          query: [['flags', flags]],
          body: value,
        }),
      );
      host.print(`Imported: ${key}\n`);
    }
    return 0;
  },
};

function parse(text: string): readonly ExportedKey[] {
  let list: unknown;
  try {
    list = decodeJson(text);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `Cannot unmarshal data: ${why}`, { cause });
  }
  if (!Array.isArray(list)) {
    throw new ProconsulError('invalid', 'Cannot unmarshal data: it is not a list of entries');
  }
  return list.map(entryOf);
}

function entryOf(raw: unknown, at: number): ExportedKey {
  const { key, flags = 0, value = '' } = isTree(raw) ? raw : {};
  const isNumber = typeof flags === 'bigint' || Number.isInteger(flags);
  if (typeof key !== 'string' || !isNumber || typeof value !== 'string') {
    const wanted = '{"key": text, "flags": number, "value": text in base64}';
    throw new ProconsulError('invalid', `Cannot unmarshal data: entry ${at} is not ${wanted}`);
  }
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64') !== value) {
    throw new ProconsulError('invalid', `Error base 64 decoding value for key ${key}`);
  }
  return { key: key.replace(/^\//, ''), flags: String(flags), value: bytes };
}
