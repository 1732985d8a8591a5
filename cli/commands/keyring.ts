import type { ApiClient } from '../api-client.ts';
import { type Command, explained } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';

const PATH = '/v1/operator/keyring';
const ACTIONS = ['install', 'use', 'remove', 'list', 'list-primary'] as const;
const MAX_RELAY_FACTOR = 5;

type Action = (typeof ACTIONS)[number];

interface Pool {
  readonly WAN: boolean;
  readonly Datacenter: string;
  readonly Segment: string;
  readonly Keys: Readonly<Record<string, number>>;
  readonly PrimaryKeys: Readonly<Record<string, number>>;
  readonly NumNodes: number;
}

/** What each change says, and how it is asked for. */
const CHANGES: Readonly<
  Record<string, readonly [method: 'POST' | 'PUT' | 'DELETE', text: string]>
> = {
  install: ['POST', 'Installing new gossip encryption key...'],
  use: ['PUT', 'Changing primary gossip encryption key...'],
  remove: ['DELETE', 'Removing gossip encryption key...'],
};

export const command: Command = {
  synopsis: '[options]',
  details:
    'Nothing is gossiped here: the log is sealed under these keys, in Redis and in files. A new key is ' +
    'installed, then used; then the old one can be removed, which rewrites what it has sealed.',
  examples: ['-list', '-install=KEY', '-use=KEY', '-remove=KEY'],
  http: 'agent',
  flags: new Map([
    ['install', { kind: 'string', help: 'Install a key on every server.' }],
    ['use', { kind: 'string', help: 'Make an installed key the one that seals.' }],
    ['remove', { kind: 'string', help: 'Take a key out that is not in use.' }],
    ['list', { kind: 'bool', help: 'List the keys.' }],
    ['list-primary', { kind: 'bool', help: 'List the key that seals.' }],
    ['relay-factor', { kind: 'int', help: 'Taken for the sake of scripts; nothing is relayed.' }],
    ['local-only', { kind: 'bool', help: 'With -list: one pool alone.' }],
  ]),

  async run({ flags, host, client, misuse }) {
    const actions = ACTIONS.filter((name) => flags.isSet(name) || flags.text(name) !== '').filter(
      (name) => flags.text(name) !== 'false',
    );
    const [action, ...others] = actions;
    if (action === undefined) throw misuse('', '\n');
    if (others.length > 0) return failed(host, 'Only a single action is allowed');
    const relay = Number(flags.text('relay-factor') || 0);
    if (relay < 0 || relay > MAX_RELAY_FACTOR) {
      const why = `Relay factor must be in range: [0, ${MAX_RELAY_FACTOR}]`;
      return failed(host, `Error parsing relay factor: ${why}`);
    }
    const isList = action === 'list' || action === 'list-primary';
    if (flags.isSet('local-only') && !isList) {
      const why = 'local-only can only be set for list requests';
      return failed(host, `Error validating local-only: ${why}`);
    }
    if (isList) await list(client(), flags, action, host.print);
    else await change(client(), action, flags.text(action), host.print);
    return 0;
  },
};

function failed(host: { readonly printError: (text: string) => void }, text: string): number {
  host.printError(`${text}\n`);
  return 1;
}

async function change(
  api: ApiClient,
  action: Action,
  key: string,
  print: (text: string) => void,
): Promise<void> {
  const [method = 'POST', text = ''] = CHANGES[action] ?? [];
  print(`==> ${text}\n`);
  await explained('error', api.send({ method, path: PATH, body: JSON.stringify({ Key: key }) }));
}

async function list(
  api: ApiClient,
  flags: FlagValues,
  action: Action,
  print: (text: string) => void,
): Promise<void> {
  const primary = action === 'list-primary';
  print(`==> Gathering installed ${primary ? 'primary ' : ''}encryption keys...\n`);
  const query = flags.isSet('local-only') ? [['local-only', 'true'] as const] : [];
  const answer = await explained('error', api.send({ method: 'GET', path: PATH, query }));
  for (const pool of answer.json as readonly Pool[]) {
    const name = pool.WAN
      ? 'WAN'
      : `${pool.Datacenter}${pool.Segment && ` [${pool.Segment}]`} (LAN)`;
    const keys = Object.entries(primary ? pool.PrimaryKeys : pool.Keys).sort(byText);
    const lines = keys.map(([key, count]) => `  ${key} [${count}/${pool.NumNodes}]\n`);
    print(`\n${name}:\n${lines.join('')}`);
  }
}

function byText([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : 1;
}
