import { ProconsulError } from '../../lib/errors.ts';
import type { Uint64 } from '../../lib/model.ts';
import { type ApiClient, encodePath } from '../api-client.ts';
import { type Command, explained, type Invocation, refuseArguments } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import { Pace, type Progress } from '../progress.ts';

export interface KvPair {
  readonly Key: string;
  readonly Flags: Uint64;
  /** In base64. */
  readonly Value: string | null;
  readonly CreateIndex: Uint64;
  readonly ModifyIndex: Uint64;
  readonly LockIndex: Uint64;
  readonly Session?: string;
}

export const command: Command = {
  synopsis: '[options] [KEY_OR_PREFIX]',
  details: 'With -recurse all keys below the prefix and their values, with -keys their names.',
  examples: [
    'config/web/limit',
    '-recurse config/',
    '-keys -separator=/',
    '-detailed config/web/limit',
  ],
  http: 'query',
  flags: new Map([
    ['base64', { kind: 'bool', help: 'Show values in base64.' }],
    ['detailed', { kind: 'bool', help: 'Show indexes, flags and the session as well.' }],
    ['keys', { kind: 'bool', help: 'List the names of the keys below the prefix.' }],
    ['recurse', { kind: 'bool', help: 'Show all keys below the prefix.' }],
    [
      'separator',
      { kind: 'string', help: 'With -keys: names end at the next separator; "/" by default.' },
    ],
  ]),

  async run(invocation) {
    const { flags, args } = invocation;
    refuseArguments(args, 1);
    const key = (args[0] ?? '').replace(/^\//, '');
    if (key === '' && !flags.isSet('keys') && !flags.isSet('recurse')) {
      throw new ProconsulError('invalid', 'Error! Missing KEY argument');
    }
    if (flags.isSet('keys')) return await showNames(invocation, key);
    if (flags.isSet('recurse')) return await showTree(invocation, key);
    return await showOne(invocation, key);
  },
};

/** What there is at the key, or below it with `recurse`. */
export async function readPairs(
  client: ApiClient,
  key: string,
  recurse: boolean,
  progress: Progress = () => undefined,
): Promise<readonly KvPair[]> {
  const pace = new Pace({ what: 'reading' }, progress);
  const answer = await explained(
    'Error querying Consul agent',
    client.send({
      method: 'GET',
      path: `/v1/kv/${encodePath(key)}`,
      query: recurse ? [['recurse', '']] : [],
      accept: [404],
      terse: true,
      onReceived: (bytes, total) => pace.at(bytes, total),
    }),
  ).finally(() => pace.end());
  return answer.status === 404 ? [] : (answer.json as readonly KvPair[]);
}

async function showNames({ flags, host, client }: Invocation, prefix: string): Promise<number> {
  const separator = flags.has('separator') ? flags.text('separator') : '/';
  const answer = await explained(
    'Error querying Consul agent',
    client().send({
      method: 'GET',
      path: `/v1/kv/${encodePath(prefix)}`,
      query: [
        ['keys', ''],
        ['separator', separator],
      ],
      accept: [404],
      terse: true,
    }),
  );
  const names = answer.status === 404 ? [] : (answer.json as readonly string[]);
  for (const name of names) host.print(`${name}\n`);
  return 0;
}

async function showTree({ flags, host, client }: Invocation, prefix: string): Promise<number> {
  const pairs = await readPairs(client(), prefix, true);
  for (const [at, pair] of pairs.entries()) {
    if (!flags.isSet('detailed')) {
      host.print(Buffer.concat([Buffer.from(`${pair.Key}:`), shown(pair, flags), NEWLINE]));
      continue;
    }
    if (at > 0) host.print('\n');
    host.print(detailed(pair, flags));
  }
  return 0;
}

async function showOne({ flags, host, client }: Invocation, key: string): Promise<number> {
  const [pair] = await readPairs(client(), key, false);
  if (pair === undefined) {
    throw new ProconsulError('not-found', `Error! No key exists at: ${key}`);
  }
  const text = flags.isSet('detailed')
    ? detailed(pair, flags)
    : Buffer.concat([shown(pair, flags), NEWLINE]);
  host.print(text);
  return 0;
}

const NEWLINE = Buffer.from('\n');

/** Values need not be text: their bytes go out as they are. */
function shown({ Value }: KvPair, flags: FlagValues): Buffer {
  return flags.isSet('base64') ? Buffer.from(Value ?? '') : Buffer.from(Value ?? '', 'base64');
}

const LABEL_WIDTH = 17;

function detailed(pair: KvPair, flags: FlagValues): Buffer {
  const label = (name: string) => name.padEnd(LABEL_WIDTH);
  const row = (name: string, value: Uint64 | string) => `${label(name)}${value}\n`;
  const before = [
    row('CreateIndex', pair.CreateIndex),
    row('Flags', pair.Flags),
    row('Key', pair.Key),
    row('LockIndex', pair.LockIndex),
    row('ModifyIndex', pair.ModifyIndex),
    row('Session', pair.Session || '-'),
    label('Value'),
  ].join('');
  return Buffer.concat([Buffer.from(before), shown(pair, flags), NEWLINE]);
}
