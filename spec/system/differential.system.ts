/**
 * The same hostile requests to a real Consul 1.8.7 and to Proconsul: both must refuse the same, with
 * the same status and in the same words, but for the differences that docs/compat.md names.
 *
 *   CONSUL=/path/to/consul node --import tsx spec/system/differential.system.ts [requests] [seed]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { type Probe, Prober, probe, type Reply } from '../support/experiments/differential.ts';
import { AgentProcesses } from '../support/servers/agent-processes.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const requests = Number(process.argv[2] ?? 3000);
const seed = Number(process.argv[3] ?? 1);
const consul = env['CONSUL'] ?? 'consul';
const NODE = 's1';
const START_MS = 30_000;
/** Of one kind of difference, so many are shown. */
const MAX_SHOWN = 40;

interface Pair {
  readonly probe: Probe;
  readonly consul: Reply;
  readonly ours: Reply;
}

/** Meant, or of no use to anyone: each as docs/compat.md has it. */
const MEANT: readonly (readonly [why: string, is: (pair: Pair) => boolean])[] = [
  ['Consul breaks the connection off', ({ consul: c }) => c.status === 0],
  [
    "complaints that name Go's types",
    ({ consul: c, ours }) =>
      c.status === ours.status && /json: cannot unmarshal|strconv.ParseFloat/.test(c.text),
  ],
  [
    'the Proxy of a registration in the catalog is not looked at',
    ({ consul: c }) => c.text.includes('.Service.Proxy'),
  ],
  [
    'access control is refused, whatever the method',
    ({ ours }) => ours.text === 'ACL support disabled',
  ],
  ['names without NUL', ({ ours }) => ours.text.includes('NUL')],
  [
    'a namespace is refused first, and everywhere',
    ({ ours }) => ours.text.includes('Namespaces are a Consul Enterprise feature'),
  ],
  [
    'a duration that is empty is as if it were not there',
    ({ consul: c }) => c.text.endsWith('time: invalid duration ""'),
  ],
  [
    'null in a list is no value',
    ({ probe: p, ours }) =>
      /null/.test(p.body ?? '') && /must be (?:object|number|string)$/.test(ours.text),
  ],
  [
    'lock-delays are durations or numbers',
    ({ probe: p, ours }) =>
      p.path === '/v1/session/create' && ours.text.includes('time: invalid duration'),
  ],
  [
    'of a prepared query with two faults, another one is named first',
    ({ probe: p, consul: c, ours }) =>
      p.path === '/v1/query' && c.status === 500 && ours.status === 500,
  ],
  [
    'fields that only one of the two reads',
    ({ probe: p, consul: c, ours }) =>
      p.path === '/v1/txn' &&
      ((ours.status === 400 && c.status === 200) ||
        (ours.status === 200 && c.text.includes('json: unknown field'))),
  ],
  ['coordinates stand at once', ({ probe: p }) => p.path.startsWith('/v1/coordinate/node')],
  ['a key for gossip is not looked at', ({ probe: p }) => p.path === '/v1/operator/keyring'],
  [
    'numbers that no client in JavaScript, or no clock, could hold',
    ({ ours }) => /is out of range$|must be a duration|time: invalid duration \d/.test(ours.text),
  ],
];

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'differential-'));
  const processes = await AgentProcesses.create();
  let real: ChildProcess | undefined;
  try {
    const ours = await processes.server();
    await ours.start();
    const [http = 0, server = 0, lan = 0, wan = 0] = await freePorts(4);
    real = await startConsul(folder, { http, server, serf_lan: lan, serf_wan: wan });
    for (const port of [http, ours.ports.http]) await prepare(port);
    return await compare(say, http, ours.ports.http);
  } finally {
    real?.kill('SIGKILL');
    await processes.end();
    await rm(folder, { recursive: true, force: true });
  }
});

async function startConsul(folder: string, ports: Readonly<Record<string, number>>) {
  const file = join(folder, 'consul.json');
  const config = {
    ...{ server: true, bootstrap: true, node_name: NODE, bind_addr: '127.0.0.1' },
    ...{ data_dir: join(folder, 'data'), performance: { raft_multiplier: 1 }, log_level: 'err' },
    ports: { ...ports, dns: -1, grpc: -1 },
    disable_update_check: true,
  };
  await writeFile(file, JSON.stringify(config));
  return spawn(consul, ['agent', `-config-file=${file}`], { stdio: 'ignore' });
}

/** The same few things on both. */
async function prepare(port: number): Promise<void> {
  const ready = async () => {
    const answer = await send(port, 'GET', `/v1/catalog/node/${NODE}`, {}).catch(() => undefined);
    return answer?.text.includes('wan_ipv4') === true;
  };
  await until(ready, () => `nobody answers on port ${port}`, START_MS);
  for (const Node of ['f1', 'n1']) {
    const body = { Node, Address: '10.0.0.1', Service: { Service: 'web' } };
    await send(port, 'PUT', '/v1/catalog/register', { body });
  }
  const query = { Name: 'q', Service: { Service: 'web' } };
  await send(port, 'POST', '/v1/query', { body: query });
}

/** How many requests they answered differently without a reason. */
async function compare(say: (line: string) => void, theirs: number, ours: number) {
  const prober = new Prober(seed);
  const meant = new Map<string, number>();
  const differing = new Map<string, { count: number; example: Pair }>();
  for (let i = 0; i < requests; i++) {
    const drawn = prober.next();
    const [consulsReply, ourReply] = await Promise.all([probe(theirs, drawn), probe(ours, drawn)]);
    const pair: Pair = { probe: drawn, consul: consulsReply, ours: ourReply };
    if (same(consulsReply, ourReply)) continue;
    const [why] = MEANT.find(([, is]) => is(pair)) ?? [];
    if (why !== undefined) meant.set(why, (meant.get(why) ?? 0) + 1);
    else {
      const kind = kindOf(pair);
      const known = differing.get(kind);
      differing.set(kind, { count: (known?.count ?? 0) + 1, example: known?.example ?? pair });
    }
  }
  say(`${requests} requests (seed ${seed})`);
  for (const [why, count] of meant) say(`meant  ${count} × ${why}`);
  for (const { count, example } of [...differing.values()].slice(0, MAX_SHOWN)) {
    say(`DIFFER ${count} × ${shown(example)}`);
  }
  return differing.size;
}

function same(a: Reply, b: Reply): boolean {
  return a.status === b.status && a.text === b.text;
}

/** Without what was drawn, as far as it shows. */
function kindOf({ probe: { method, path }, consul: c, ours }: Pair): string {
  const route = path.split('/').slice(0, 5).join('/');
  const words = (text: string) => text.replace(/"[^"]*"|'[^']*'|\d+/g, '…').slice(0, 80);
  return `${method} ${route} ${c.status} ${words(c.text)} ${ours.status} ${words(ours.text)}`;
}

function shown({ probe: { method, path, query, body = '' }, consul: c, ours }: Pair): string {
  const cut = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
  const request = cut(`${method} ${path}${query === '' ? '' : `?${query}`} ${body}`);
  return `${request}\n  Consul    ${c.status} ${cut(c.text)}\n  Proconsul ${ours.status} ${cut(ours.text)}`;
}
