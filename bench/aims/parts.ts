/** The parts of the measurement, each with what is aimed for in it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Cost, first } from '../compare/cold.ts';
import { ask, namesOf, startAgent } from '../compare/dns-agent.ts';
import { fill } from '../compare/fill.ts';
import { measureRow } from '../compare/measure.ts';
import { hasRedis, type Kind, type Registry, startRegistry } from '../compare/registry.ts';
import { fillLarge, type Row, SIZE_ROWS, SMALL_ROWS } from '../compare/rows.ts';
import { type MeasuredDay, measureDay } from '../day/measure.ts';
import { type Aim, type Met, met, type Pairs } from './aim.ts';

const RUN_MS = 1000;
const DAY_MS = 12_000;
const LARGE = 100_000;
const BYTES_PER_MB = 1e6;

export interface Pace {
  readonly consul: string;
  readonly rounds: number;
}

export interface Part {
  readonly name: string;
  readonly measure: (pace: Pace) => Promise<readonly Met[]>;
}

export const PARTS: readonly Part[] = [
  { name: 'warm', measure: warm },
  { name: 'redis', measure: redis },
  { name: 'cold', measure: cold },
  { name: 'day', measure: (pace) => day(pace, false) },
  { name: 'agents', measure: (pace) => day(pace, true) },
  { name: 'dns', measure: dns },
  { name: 'large', measure: large },
];

const none = (): Pairs => ({ consul: [], ours: [] });

async function warm(pace: Pace): Promise<readonly Met[]> {
  const aims: readonly (readonly [row: string, target: number])[] = [
    ['kv put, 32 clients', 2],
    ['agent/check/pass', 12],
    ['agent/service/register', 20],
    ['health of a service, 100 instances', 20],
  ];
  const hundred = { prefix: 'hundred', services: 1, instancesEach: 100 };
  const prepare = (port: number) => fill(port, hundred);
  return await both(pace, { kind: 'file', prepare, rows: rowsOf(SMALL_ROWS, aims) });
}

/** Redis syncs before it answers, too. Nothing, where it is not installed. */
async function redis(pace: Pace): Promise<readonly Met[]> {
  if (!(await hasRedis())) return [];
  const rows = rowsOf(SMALL_ROWS, [['kv put, 32 clients', 1.2]]);
  const found = await both(pace, { kind: 'redis', prepare: async () => undefined, rows });
  return found.map((each) => ({ ...each, name: `${each.name}, ordered by a Redis` }));
}

async function large(pace: Pace): Promise<readonly Met[]> {
  const rows = rowsOf(SIZE_ROWS, [
    ['memory', 4],
    ['catalog/register', 3],
  ]);
  const prepare = (port: number) => fillLarge(port, LARGE);
  const found = await both(pace, { kind: 'file', prepare, rows });
  return found.map((each) => ({ ...each, name: `${each.name}, 100,000 instances` }));
}

function rowsOf(
  all: readonly Row[],
  aims: readonly (readonly [name: string, target: number])[],
): readonly Row[] {
  return aims.map(([name, target]) => {
    const row = all.find((each) => each.name === name);
    if (row === undefined) throw new Error(`no row is called "${name}"`);
    return { ...row, target };
  });
}

interface Beside {
  readonly kind: Exclude<Kind, 'consul'>;
  readonly prepare: (port: number) => Promise<void>;
  readonly rows: readonly Row[];
}

/** Both stand side by side, and are asked in turns. */
async function both(
  { consul, rounds }: Pace,
  { kind, prepare, rows }: Beside,
): Promise<readonly Met[]> {
  const registries: Registry[] = [];
  try {
    for (const each of ['consul', kind] as const)
      registries.push(await startRegistry(each, consul));
    for (const { port } of registries) await prepare(port);
    const found: Met[] = [];
    for (const row of rows) {
      const measured = { ...row, logs: [kind] };
      const { medians } = await measureRow(measured, registries, { rounds, runMs: RUN_MS });
      const of = (each: Kind) => [medians.get(each) ?? Number.NaN];
      found.push({ ...met(row, { consul: of('consul'), ours: of(kind) }), rounds });
    }
    return found;
  } finally {
    await Promise.all(registries.map((registry) => registry.stop()));
  }
}

/** A process of its own each time, and what it takes with what it was told. */
async function cold({ consul, rounds }: Pace): Promise<readonly Met[]> {
  const rate = none();
  const memory = none();
  for (let round = 0; round < rounds; round++) {
    for (const kind of ['consul', 'file'] as const) {
      const of = kind === 'consul' ? 'consul' : 'ours';
      const found = await begun(await startRegistry(kind, consul));
      rate[of].push(found.rate);
      memory[of].push(found.memory / BYTES_PER_MB);
    }
  }
  const name = 'the first 1,000 catalog/register of a process';
  const small = 'memory of a small catalog, 1,000 instances';
  return [
    met({ name, unit: '/s', better: 'more', target: 1.5 }, rate),
    met({ name: small, unit: 'MB', better: 'less', target: 2 }, memory),
  ];
}

async function begun(registry: Registry): Promise<Cost & { readonly memory: number }> {
  try {
    await registry.quiet();
    const cost = await first(registry);
    await registry.quiet();
    return { ...cost, memory: await registry.memory() };
  } finally {
    await registry.stop();
  }
}

type OfDay = readonly [aim: Aim, of: (day: MeasuredDay) => number];

const aimOf = (name: string, unit: string, target: number): Aim => ({
  ...{ name, unit, target },
  better: 'less',
});

const DAY: readonly OfDay[] = [
  [aimOf('the day: processor of the server', 's', 6), ({ serverS }) => serverS],
  [aimOf('the day: to a watcher, p99', 'ms', 10), ({ wakes }) => wakes.p99],
];

const DAY_OF_AGENTS: readonly OfDay[] = [
  [aimOf('by two agents: a read, p99', 'ms', 5), ({ reads }) => reads.p99],
  [aimOf('by two agents: to a watcher, p99', 'ms', 5), ({ wakes }) => wakes.p99],
  [aimOf('by two agents: their processor', 's', 5), ({ agentsS }) => agentsS],
];

async function day({ consul, rounds }: Pace, agents: boolean): Promise<readonly Met[]> {
  const days: Record<'consul' | 'ours', MeasuredDay[]> = { consul: [], ours: [] };
  for (let round = 0; round < rounds; round++) {
    for (const [of, program] of [['consul', consul] as const, ['ours', undefined] as const]) {
      days[of].push(await measureDay(program, { forMs: DAY_MS, agents, during: '' }));
    }
  }
  const aims = agents ? DAY_OF_AGENTS : DAY;
  return aims.map(([aim, of]) =>
    met(aim, { consul: days.consul.map(of), ours: days.ours.map(of) }),
  );
}

async function dns({ consul, rounds }: Pace): Promise<readonly Met[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-dns-'));
  const file = path.join(folder, 'questions');
  const pairs = none();
  const stops: (() => Promise<void>)[] = [];
  try {
    const questions = namesOf('few').map((name) => `${name} A\n`);
    await writeFile(file, questions.join(''));
    const agents = [];
    for (const [of, command] of [
      ['consul', consul],
      ['ours', path.resolve(import.meta.dirname, '../../bin/proconsul')],
    ] as const) {
      const agent = await startAgent(of, command, folder);
      stops.push(agent.stop);
      agents.push({ of, agent });
    }
    for (let round = 0; round < rounds; round++) {
      for (const { of, agent } of agents) pairs[of].push((await ask(agent, file, [])).perSecond);
    }
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    await rm(folder, { recursive: true, force: true });
  }
  return [met({ name: 'DNS: A, 5 instances', unit: '/s', better: 'more', target: 4 }, pairs)];
}
