import { pause, systemClock } from '../../lib/clock.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { type ErrorCode, ProconsulError } from '../../lib/errors.ts';
import { createApiClient } from '../api-client.ts';
import { type ApiTarget, apiTarget } from '../api-options.ts';
import { type Command, columns, type Invocation } from '../command.ts';
import { ConsulCopy, type Copied } from '../consul-copy.ts';
import { type FlagValues, flagsOf } from '../flag-values.ts';

const INTERVAL = '30s';

export const command: Command = {
  synopsis: '[options] ADDRESS',
  details:
    'Everything that the Consul at the address knows is copied, with its ids and secrets: the catalog, keys, sessions and their locks, access control, prepared queries, config entries, intentions and the certificate authority. Both tokens need acl:write. What the new cluster has is replaced, and so it must be new. With -follow it is copied again and again until this is told to end, and no longer once somebody writes to the new cluster. See docs/migrating.md.',
  examples: ['consul-1:8500', '-follow https://consul-1:8501'],
  http: 'agent',
  flags: new Map([
    ['follow', { kind: 'bool', help: 'Copy again and again, until this is told to end.' }],
    [
      'interval',
      { kind: 'string', help: `With -follow: how long it waits; ${INTERVAL} by default.` },
    ],
    ['force', { kind: 'bool', help: 'Replace what a cluster has that is not new.' }],
    ['from-token', { kind: 'string', help: "Consul's token; else the one for the new cluster." }],
    ['from-token-file', { kind: 'string', help: "File that holds Consul's token." }],
    ['from-ca-file', { kind: 'string', help: 'File with the certificates to trust of Consul.' }],
  ]),

  async run(invocation) {
    const { flags, args, host, misuse } = invocation;
    const [address] = args;
    if (address === undefined || args.length > 1) throw misuse('Say where one Consul is');
    const intervalMs = intervalOf(flags);
    const from = createApiClient({
      target: sourceOf(invocation, address),
      query: [],
      signal: host.signal,
    });
    const copy = await ConsulCopy.between({ from, to: invocation.client() }, host.progress);
    const losses = await copy.losses();
    if (losses !== '' && !flags.isSet('force')) {
      const why = `Error! The cluster is not new (${losses}), and an import replaces what it has`;
      throw new ProconsulError('rejected', `${why}: say -force where that is meant`);
    }
    const copied = await copy.copy();
    host.progress('');
    host.print(table(copied));
    host.print(`\nCopied to index ${copied.meta.Index}\n`);
    if (flags.isSet('follow')) await follow(copy, invocation, intervalMs);
    return 0;
  },
};

/** A token may be put right while this waits. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['unavailable', 'forbidden']);

async function follow(copy: ConsulCopy, { host }: Invocation, intervalMs: number): Promise<void> {
  let last = 0;
  const { signal } = host;
  while (!signal.aborted) {
    await pause(systemClock, intervalMs, signal);
    const copied = await copy.copy().catch((error: unknown) => {
      if (signal.aborted) return undefined;
      // A leader that changes, a machine that starts anew: neither ends a move of days.
      if (!(error instanceof ProconsulError) || !PASSING.has(error.code)) throw error;
      host.printError(`${error.message}: tries again\n`);
      return undefined;
    });
    host.progress('');
    if (copied === undefined || last === copied.meta.Index) continue;
    last = copied.meta.Index;
    host.print(`Copied to index ${last}\n`);
  }
}

function intervalOf(flags: FlagValues): number {
  const text = flags.text('interval') || INTERVAL;
  const ms = (parseDuration(text) ?? 0) / NS_PER_MS;
  if (ms >= 1000) return ms;
  throw new ProconsulError('invalid', `-interval is a duration of a second or more: ${text}`);
}

/** Where Consul is: by the names that its flags have for an agent, and with its token or the other one. */
function sourceOf({ flags, host }: Invocation, address: string): ApiTarget {
  const hasOwn = flags.has('from-token') || flags.has('from-token-file');
  const own = hasOwn ? 'from-' : '';
  const tokens = ['CONSUL_HTTP_TOKEN', 'CONSUL_HTTP_TOKEN_FILE'];
  const given = flagsOf([
    ['http-addr', address],
    ['token', flags.text(`${own}token`)],
    ['token-file', flags.text(`${own}token-file`)],
    ['ca-file', flags.text('from-ca-file')],
  ]);
  const env = hasOwn ? [] : tokens.map((name) => [name, host.env[name]]);
  return apiTarget(given, Object.fromEntries(env));
}

/** What Consul's log and its data centres keep of themselves, which is nobody's. */
const BOOKS: ReadonlySet<string> = new Set(['chunking', 'federationState', 'index']);

/** What is of this cluster alone, such as its servers, is in the last column too. */
function table({ counts, here }: Copied): string {
  const rows = [...counts]
    .filter(([kind]) => !BOOKS.has(kind))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, count]) => [kind, String(count), String(here.get(kind) ?? 0)]);
  return columns([['Kind', 'Consul', 'Here'], ...rows], 3);
}
