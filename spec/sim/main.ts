/**
 * Runs seeds, or explores until the time is over or a run fails; see bin/sim and docs/testing.md.
 *
 *   bin/sim --seed N [--seeds N] [--log file|redis|quorum] [--workloads a,b|all] [--seconds N] [--trace]
 *     [--faults TEXT, as a failure prints them]
 *   bin/sim --minutes N [--log ...] [--workloads ...] [--seconds N]
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Log } from './cluster.ts';
import { Explorer } from './explorer.ts';
import { parseSchedule, schedule } from './faults/schedule.ts';
import {
  ALL,
  aimOf,
  type RunOptions,
  type RunResult,
  run,
  someWorkloads,
  type WorkloadName,
} from './run.ts';
import { shrink } from './shrink.ts';

const LOGS: readonly Log[] = ['quorum', 'redis', 'file'];
/** Some runs are long: what comes of time alone is found in them. */
const LONG_EVERY = 10;
const LONG_SECONDS = [400, 1100] as const;
/** Each is a run of its own. */
const SHRINK_ATTEMPTS = 24;

const USUAL = '60';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
    log: { type: 'string' },
    seconds: { type: 'string', default: USUAL },
    workloads: { type: 'string' },
    faults: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
    'no-shrink': { type: 'boolean', default: false },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
const realNow = Date.now.bind(Date);
const endsAt = realNow() + Number(values.minutes) * 60_000;
const logs = values.log === undefined ? LOGS : [values.log as Log];
const seconds = Number(values.seconds);

/** Of this process alone, however busy the machine is. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

type Asked = RunOptions & { readonly workloads: readonly WorkloadName[] };

async function measured(options: Asked): Promise<RunResult> {
  const before = cpuMs();
  const result = await run(options);
  if (values.trace) for (const line of result.trace) print(line);
  const tookS = (cpuMs() - before) / 1000;
  const simulatedS = result.simulatedMs / 1000;
  const speed = `${simulatedS.toFixed(0)} s in ${tookS.toFixed(1)} s, ${(simulatedS / tookS).toFixed(1)} x`;
  const verdict = result.verdicts.length === 0 ? 'ok  ' : 'FAIL';
  const what = `${options.log} ${options.workloads.join(',')}`;
  const trace = createHash('sha1').update(result.trace.join('\n')).digest('hex').slice(0, 10);
  const { events } = result;
  print(`${verdict} seed ${options.seed} ${what}: ${speed}, ${events} events, trace ${trace}`);
  return result;
}

/** What it takes, and how to see it again. */
async function report(options: Asked, { faults, verdicts }: RunResult): Promise<void> {
  const fails = async (some: RunResult['faults']) =>
    (await run({ ...options, faults: some, keepsOrigins: false })).verdicts.length > 0;
  const few = values['no-shrink'] ? faults : await shrink(faults, fails, SHRINK_ATTEMPTS);
  for (const { atMs, what } of few) print(`  at ${(atMs / 1000).toFixed(1)} s ${what}`);
  for (const verdict of verdicts) print(`  VIOLATED ${verdict}`);
  const { seed, log, workloads, seconds } = options;
  const again = `--seed ${seed} --log ${log} --seconds ${seconds} --workloads ${workloads.join(',')}`;
  print(`  again: bin/sim ${again} --faults '${schedule(few)}' --trace`);
}

function workloadsOf(seed: number): readonly WorkloadName[] {
  if (values.workloads === 'all') return ALL;
  return (values.workloads?.split(',') as WorkloadName[] | undefined) ?? someWorkloads(seed);
}

function optionsOf(seed: number, log: Log, seconds: number): Asked {
  const given = values.faults;
  return {
    seed,
    log,
    seconds,
    keepsOrigins: values.trace,
    workloads: workloadsOf(seed),
    ...(given !== undefined && { faults: parseSchedule(log, given) }),
  };
}

async function runSeeds(first: number): Promise<boolean> {
  let good = true;
  for (let seed = first; seed < first + Number(values.seeds); seed++) {
    const options = optionsOf(seed, logs[0] as Log, Number(values.seconds));
    const result = await measured(options);
    if (result.verdicts.length === 0) continue;
    good = false;
    await report(options, result);
    if (values['until-failure']) break;
  }
  return good;
}

/** Undefined for a run as all others. */
function lengthOf(seed: number): number | undefined {
  const isLong = values.seconds === USUAL && seed % LONG_EVERY === 0;
  return isLong ? LONG_SECONDS[(seed / LONG_EVERY) % LONG_SECONDS.length] : undefined;
}

async function explore(): Promise<boolean> {
  const explorers = logs.map((log) => new Explorer(log, seconds));
  for (let seed = Math.floor(realNow() / 1000); realNow() < endsAt; seed++) {
    const explorer = explorers[seed % explorers.length] as Explorer;
    const long = lengthOf(seed);
    const options = optionsOf(seed, explorer.log, long ?? seconds);
    const faults = explorer.next(seed, aimOf(options.workloads));
    const result = await measured(long === undefined ? { ...options, faults } : options);
    const fresh = long === undefined ? explorer.learn(result) : 0;
    if (fresh > 0) print(`     ${fresh} states that were new, of ${explorer.covered}`);
    if (result.verdicts.length === 0) continue;
    await report(options, result);
    return false;
  }
  return true;
}

const good = values.seed === undefined ? await explore() : await runSeeds(Number(values.seed));
// What a pipe has not taken yet would be lost.
process.stdout.write('', () => process.exit(good ? 0 : 1));
