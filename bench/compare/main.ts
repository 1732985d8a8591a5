/** Proconsul beside a real Consul: see bin/bench for how to call it. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { parseArgs, promisify } from 'node:util';
import { besideEtcd } from './beside-etcd.ts';
import { besideEureka } from './beside-eureka.ts';
import { type Measured, measureRow, type Pace } from './measure.ts';
import { hasRedis, type Kind, type Registry, startRegistry } from './registry.ts';
import { describe, type Results, type Sized, writeReport } from './report.ts';
import { fillLarge, fillSmall, LARGE_ROWS, type Row, SIZE_ROWS, SMALL_ROWS } from './rows.ts';
import { line } from './table.ts';

const run = promisify(execFile);
const FULL: Pace = { rounds: 5, runMs: 1000 };
const QUICK: Pace = { rounds: 3, runMs: 1000 };
const SIZES = '1000,10000,100000,172000';
const LARGE = 100_000;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    sizes: { type: 'string' },
    rounds: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const say = (text: string) => void process.stdout.write(`${text}\n`);
const { rounds, runMs } = options.quick ? QUICK : FULL;
const pace: Pace = { rounds: Number(options.rounds ?? rounds), runMs };
const consul = process.env['CONSUL'] ?? 'consul';
const sizes = (options.sizes ?? (options.quick ? '1000' : SIZES)).split(',').map(Number);

const PEERS = [
  { name: 'etcd', needs: 'Debian: etcd-server, nghttp2-client', measure: measureEtcd },
  // Takes longer than all else of a first look.
  ...(options.quick
    ? []
    : [{ name: 'Eureka', needs: 'Debian: maven, default-jdk', measure: () => besideEureka(pace) }]),
];

const consulVersion = await versionOf(consul);
const small = await measureSmall();
const peers = await measurePeers();
const sized: Sized[] = [];
const results = { small, peers, sizes: sized, consulVersion };
for (const instances of sizes.filter((size) => size > 0)) {
  const size = await measureSize(instances);
  if (size.rows.length > 0) sized.push(size);
  // After each size: what was measured so far is not lost if a later one fails.
  if (options.write) await writeReport(results);
}
say(`\n${describe(results)}`);

async function versionOf(command: string): Promise<string> {
  const { stdout } = await run(command, ['version']).catch(() => {
    throw new Error('no Consul to compare with: CONSUL=path/to/consul bin/bench');
  });
  return /v(\S+)/.exec(stdout)?.[1] ?? '';
}

async function measureSmall(): Promise<Measured[]> {
  const rows = SMALL_ROWS.filter(isChosen);
  const kinds = new Set<Kind>(rows.flatMap(({ logs }) => logs));
  if (!(await hasRedis())) kinds.delete('redis');
  return await measured(rows, [...kinds], fillSmall);
}

async function measurePeers(): Promise<Results['peers']> {
  const found: { name: string; text: string }[] = [];
  for (const { name, needs, measure } of PEERS) {
    if (!isChosen({ name: `beside ${name}` })) continue;
    const text = await measure();
    say(text ?? `beside ${name}: left out, for it is not installed (${needs})`);
    if (text !== undefined) found.push({ name, text });
  }
  return found;
}

async function measureEtcd(): Promise<string | undefined> {
  const ours = await startRegistry('file', consul);
  try {
    return await besideEtcd(ours, pace);
  } finally {
    await ours.stop();
  }
}

async function measureSize(instances: number): Promise<Sized> {
  // What is aimed for is said of one size.
  const aimless = SIZE_ROWS.map((row) => ({ ...row, target: 0 }));
  const all = instances === LARGE ? [...SIZE_ROWS, ...LARGE_ROWS] : aimless;
  const rows = all.filter((row) => isChosen({ name: `${instances} ${row.name}` }));
  say(`\n${instances.toLocaleString('en')} instances`);
  const fill = (port: number) => fillLarge(port, instances);
  return { instances, rows: await measured(rows, ['file'], fill) };
}

function isChosen({ name }: Pick<Row, 'name'>): boolean {
  return name.includes(options.only);
}

async function measured(
  rows: readonly Row[],
  kinds: readonly Kind[],
  fill: (port: number) => Promise<void>,
): Promise<Measured[]> {
  const registries: Registry[] = [];
  const results: Measured[] = [];
  if (rows.length === 0) return results;
  try {
    for (const kind of ['consul', ...kinds] as const) {
      registries.push(await startRegistry(kind, consul));
    }
    for (const { port } of registries) await fill(port);
    for (const row of rows) {
      const result = await measureRow(row, registries, pace);
      say(line(result));
      results.push(result);
    }
  } finally {
    await Promise.all(registries.map((registry) => registry.stop()));
  }
  return results;
}
