/**
 * Runs seeds, or explores until the time is over or a run fails; see bin/sim and docs/testing.md.
 *
 *   bin/sim --seed N [--seeds N] [--log file|redis|quorum] [--workloads a,b|all] [--seconds N] [--trace]
 *     [--faults TEXT, as a failure prints them]
 *   bin/sim --minutes N [--from SEED] [--log ...] [--workloads ...] [--seconds N]
 */
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LOGS, type Log } from './cluster.ts';
import { Explorer } from './explorer.ts';
import { parseSchedule, schedule } from './faults/schedule.ts';
import {
  ALL,
  aimOf,
  faultsOf,
  type RunOptions,
  type RunResult,
  run,
  someWorkloads,
  type WorkloadName,
} from './run.ts';
import { shrink } from './shrink.ts';

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
    from: { type: 'string' },
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
const begunAt = realNow();
const forMs = Number(values.minutes) * 60_000;
/** Whoever explores for some minutes wants to know soon after them. */
const shrinksUntil = values.seed === undefined ? begunAt + 2 * forMs : Number.POSITIVE_INFINITY;
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
    realNow() < shrinksUntil &&
    (await run({ ...options, faults: some, keepsOrigins: false })).verdicts.length > 0;
  const few = values['no-shrink'] ? faults : await shrink(faults, fails, SHRINK_ATTEMPTS);
  for (const { atMs, what } of few) print(`  at ${(atMs / 1000).toFixed(1)} s ${what}`);
  for (const verdict of verdicts) print(`  VIOLATED ${verdict}`);
  const { SIM_COMMIT: commit = '' } = process.env;
  const at = commit === '' ? '' : `, at commit ${commit}`;
  print(`  again${at}: ${commandOf({ ...options, faults: few })} --trace`);
}

function commandOf({ seed, log, seconds, workloads, faults = [] }: Asked): string {
  const what = `--seed ${seed} --log ${log} --seconds ${seconds} --workloads ${workloads.join(',')}`;
  return `bin/sim ${what} --faults '${schedule(faults)}'`;
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

function chosen(explorer: Explorer, seed: number, seconds: number): Asked {
  const options = optionsOf(seed, explorer.log, seconds);
  const isAny = values.workloads === undefined;
  const asked = isAny ? { ...options, workloads: explorer.workloads(seed) } : options;
  const isUsual = seconds === Number(values.seconds);
  const faults = isUsual ? explorer.next(seed, aimOf(asked.workloads)) : faultsOf(asked);
  return { ...asked, faults };
}

async function explore(): Promise<boolean> {
  const explorers = logs.map((log) => new Explorer(log, seconds));
  const first = Number(values.from ?? Math.floor(begunAt / 1000));
  const from = `seed ${first} on, with logs in ${logs.join(', ')}`;
  print(`for ${values.minutes} minutes from ${from}`);
  const endsAt = begunAt + forMs;
  let simulatedMs = 0;
  let runs = 0;
  for (let seed = first; realNow() < endsAt; seed++) {
    const explorer = explorers[seed % explorers.length] as Explorer;
    const wanted = lengthOf(seed) ?? seconds;
    // Where a long one would not be over in time, as fast as it goes here, it is one as all others.
    const takesMs = (wanted * 1000 * (realNow() - begunAt)) / simulatedMs;
    const isLong = wanted > seconds && realNow() + takesMs < endsAt;
    const asked = chosen(explorer, seed, isLong ? wanted : seconds);
    // Before it runs: of one that never ends nobody would learn which it was.
    print(`     ${commandOf(asked)}`);
    const result = await measured(asked);
    const fresh = isLong ? 0 : explorer.learn(result);
    if (fresh > 0) print(`     ${fresh} states that were new, of ${explorer.covered}`);
    runs++;
    simulatedMs += result.simulatedMs;
    if (result.verdicts.length === 0) continue;
    await report(asked, result);
    return false;
  }
  const untried = explorers.flatMap(({ log, untried }) =>
    untried.map((name) => `${name} (${log})`),
  );
  print(
    `${runs} runs from ${from}, ${(simulatedMs / 1000).toFixed(0)} s of simulation: none fails`,
  );
  if (values.workloads === undefined && untried.length > 0)
    print(`not tried: ${untried.join(', ')}`);
  return runs > 0;
}

const good = values.seed === undefined ? await explore() : await runSeeds(Number(values.seed));
// What a pipe has not taken yet would be lost.
process.stdout.write('', () => process.exit(good ? 0 : 1));
