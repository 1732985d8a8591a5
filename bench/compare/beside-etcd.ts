/** The rows beside etcd, in the same run as those beside Consul. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Etcd, startEtcd } from './etcd.ts';
import { must } from './http.ts';
import type { Pace } from './measure.ts';
import type { Registry } from './registry.ts';
import { figure } from './table.ts';
import { type Load, requestsPerSecond } from './wrk.ts';

const WATCHERS = 1000;
const WATCHED = '/v1/kv/bench/watched';

interface PeerRow {
  readonly name: string;
  readonly unit: '/s' | 'ms';
  /** At least so many times etcd's. */
  readonly target: number;
  readonly etcd: (etcd: Etcd, seconds: number) => Promise<number>;
  readonly ours: (registry: Registry, seconds: number) => Promise<number>;
}

const ask = (load: Load) => (registry: Registry, seconds: number) =>
  requestsPerSecond(registry.port, load, seconds * 1000);

const ROWS: readonly PeerRow[] = [
  {
    name: 'kv put, 32 clients',
    unit: '/s',
    target: 1.5,
    etcd: (etcd, seconds) => etcd.putsPerSecond(seconds),
    ours: ask({
      path: '/',
      lua: 'return wrk.format("PUT", "/v1/kv/bench/" .. n % 1000, nil, "value-" .. n)',
    }),
  },
  {
    name: 'kv get, 32 clients',
    unit: '/s',
    target: 1,
    etcd: (etcd, seconds) => etcd.getsPerSecond(seconds),
    ours: ask({ path: '/v1/kv/bench/read' }),
  },
  {
    name: `a change of a key, until the last of ${WATCHERS.toLocaleString('en')} has it`,
    unit: 'ms',
    target: 1,
    etcd: (etcd) => etcd.fanOutMs(WATCHERS),
    ours: ({ port }) => fanOutMs(port),
  },
];

interface Side {
  readonly value: number;
  /** Microseconds of a processor for each request, or for each who is told. */
  readonly us: number;
}

/** Undefined where etcd is not installed. */
export async function besideEtcd(ours: Registry, pace: Pace): Promise<string | undefined> {
  const etcd = await startEtcd();
  if (etcd === undefined) return undefined;
  try {
    await must(ours.port, 'PUT', '/v1/kv/bench/read', 'x'.repeat(13));
    const lines: string[] = [];
    for (const row of ROWS) lines.push(await measured(row, { etcd, ours }, pace));
    const head =
      '| | aim | etcd | file log | processor for each: etcd | file log |\n|---|---:|---:|---:|---:|---:|';
    return `etcd ${etcd.version}, by gRPC.\n\n${[head, ...lines].join('\n')}`;
  } finally {
    await etcd.stop();
  }
}

async function measured(
  row: PeerRow,
  { etcd, ours }: { readonly etcd: Etcd; readonly ours: Registry },
  { rounds, runMs }: Pace,
): Promise<string> {
  const seconds = Math.max(1, Math.round(runMs / 1000));
  const sides: { readonly theirs: Side; readonly own: Side }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const theirs = await side(row, etcd, () => row.etcd(etcd, seconds), seconds);
    const own = await side(row, ours, () => row.ours(ours, seconds), seconds);
    // The first is to warm both.
    if (round > 0) sides.push({ theirs, own });
  }
  const of = (pick: (each: (typeof sides)[number]) => number) => median(sides.map(pick));
  const [theirs, own] = [of((each) => each.theirs.value), of((each) => each.own.value)];
  const [theirUs, ownUs] = [of((each) => each.theirs.us), of((each) => each.own.us)];
  const better = row.unit === '/s' ? own / theirs : theirs / own;
  const cells = [
    row.name,
    `≥ ${row.target}×`,
    `${figure(theirs)} ${row.unit}`,
    `${figure(own)} ${row.unit} (**${better.toPrecision(3)}×**)`,
    `${figure(theirUs)} µs`,
    `${figure(ownUs)} µs (**${(theirUs / ownUs).toPrecision(3)}×**)`,
  ];
  return `| ${cells.join(' | ')} |`;
}

async function side(
  { unit }: PeerRow,
  of: Pick<Registry, 'ticks'>,
  measure: () => Promise<number>,
  seconds: number,
): Promise<Side> {
  const before = await of.ticks();
  const value = await measure();
  const count = unit === '/s' ? value * seconds : WATCHERS;
  return { value, us: ((await of.ticks()) - before) * (10_000 / count) };
}

async function fanOutMs(port: number): Promise<number> {
  await must(port, 'PUT', WATCHED, 'before');
  const child = fork(path.join(import.meta.dirname, 'watchers.ts'));
  try {
    child.send({ port, path: WATCHED, count: WATCHERS });
    await once(child, 'message');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const done = once(child, 'message') as Promise<[{ lastAt?: string }]>;
    const from = process.hrtime.bigint();
    await must(port, 'PUT', WATCHED, `at ${from}`);
    const [{ lastAt = '0' }] = await done;
    return Number(BigInt(lastAt) - from) / 1e6;
  } finally {
    child.kill('SIGKILL');
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
