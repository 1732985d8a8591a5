import { isTree } from '../../lib/config/row.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson } from '../../lib/json.ts';
import { type ApiClient, encodePath } from '../api-client.ts';
import { type Command, explained, readInput, refuseArguments } from '../command.ts';
import { Pace } from '../progress.ts';

interface ExportedKey {
  readonly key: string;
  readonly flags: string;
  readonly value: Buffer;
  /** Where the key must still be, in a batch that is written as one; 0: nowhere. */
  readonly index?: string;
}

export const command: Command = {
  synopsis: '[options] [DATA]',
  details:
    'DATA is the JSON, @FILE a file that holds it, - standard input. With -atomic an entry may say at ' +
    'which "modify_index" its key must still be, as `kv export -with-index` writes it; 0 is for a key ' +
    'that must not be there.',
  examples: ['@all.json', '- < all.json', '-atomic @changed.json'],
  http: 'query',
  flags: new Map([
    ['atomic', { kind: 'bool', help: 'Check and write all of them, 64 at most, or none.' }],
  ]),

  async run({ flags: given, args, host, client }) {
    refuseArguments(args, 1);
    const [data] = args;
    if (data === undefined) throw new ProconsulError('invalid', 'Error! Missing DATA argument');
    // All is read before anything is written.
    const entries = parse((await readInput(data, host)).toString());
    const api = client();
    if (given.isSet('atomic')) {
      await writeAsOne(api, entries);
      for (const { key } of entries) host.print(`Imported: ${key}\n`);
      return 0;
    }
    const pace = new Pace(
      { what: 'importing', unit: 'keys', total: entries.length },
      host.terminal === undefined ? host.progress : () => undefined,
    );
    try {
      for (const [at, { key, flags, value }] of entries.entries()) {
        await explained(
          `Error! Failed writing data for key ${key}`,
          api.send({
            method: 'PUT',
            path: `/v1/kv/${encodePath(key)}`,
            query: [['flags', flags]],
            body: value,
            isOfMany: true,
          }),
        );
        host.print(`Imported: ${key}\n`);
        pace.at(at + 1);
      }
    } finally {
      pace.end();
    }
    return 0;
  },
};

async function writeAsOne(api: ApiClient, entries: readonly ExportedKey[]): Promise<void> {
  const ops = entries.map(({ key, flags, value, index }) => ({
    KV: {
      Verb: index === undefined ? 'set' : 'cas',
      Key: key,
      Flags: BigInt(flags),
      Value: value.toString('base64'),
      ...(index !== undefined && { Index: BigInt(index) }),
    },
  }));
  const answer = await explained(
    'Error! Failed writing data',
    api.send({ method: 'PUT', path: '/v1/txn', body: encodeJson(ops), accept: [409] }),
  );
  if (answer.status === 200) return;
  const { Errors } = answer.json as { readonly Errors: readonly { readonly What: string }[] };
  const why = Errors.map(({ What }) => What).join('; ');
  throw new ProconsulError('rejected', `Error! Nothing was written: ${why}`);
}

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
  const { key, flags = 0, value = '', modify_index: index = 0 } = isTree(raw) ? raw : {};
  const isNumber = (each: unknown) => typeof each === 'bigint' || Number.isInteger(each);
  if (
    typeof key !== 'string' ||
    !isNumber(flags) ||
    !isNumber(index) ||
    typeof value !== 'string'
  ) {
    const wanted = '{"key": text, "flags": number, "value": text in base64}';
    throw new ProconsulError('invalid', `Cannot unmarshal data: entry ${at} is not ${wanted}`);
  }
  const bytes = Buffer.from(value, 'base64');
  if (bytes.toString('base64') !== value) {
    throw new ProconsulError('invalid', `Error base 64 decoding value for key ${key}`);
  }
  return {
    // Half of a pair, which JSON can say, is in no UTF-8.
    key: Buffer.from(key.replace(/^\//, '')).toString(),
    flags: String(flags),
    value: bytes,
    ...(isTree(raw) && 'modify_index' in raw && { index: String(index) }),
  };
}
