/**
 * Looks for a defect that is put into the code, in one run after the other. What bounds a hunt is what is
 * simulated, and what of a processor one run may take: nothing depends on how busy the machine is.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Defect } from './defect.ts';
import { BUILT, plant } from './plant.ts';

/** Of a processor: a run whose code spins with a defect in it never ends by itself. */
const RUN_MAX_S = 240;
export const USUAL_SECONDS = 60;
/** Of one process: to begin one takes as long as a short run. */
const SEEDS_AT_ONCE = 8;

/** Of the code without a defect, by what is run and its seed: several defects are looked for by the same runs. */
const WHOLE_RUNS = new Map<string, Run>();

export interface Hunt {
  /** Those to try, in their order. */
  readonly seeds: readonly number[];
  /** The code without a defect, as `plant` leaves it. */
  readonly whole: string;
  readonly say: (text: string) => void;
}

export interface Found {
  readonly seed: number;
  /** Of all runs up to the one that found it. */
  readonly simulatedS: number;
  readonly tookS: number;
  /** What the run says against the code. */
  readonly why: string;
}

interface Run {
  readonly seed: number;
  readonly tookS: number;
  /** Undefined where it passes. */
  readonly why: string | undefined;
}

/** The first run that fails with the defect and passes without it; undefined where none does. */
export async function hunt(
  defect: Defect,
  { seeds, whole, say }: Hunt,
): Promise<Found | undefined> {
  const folder = await plant(defect.edits);
  let [simulatedS, tookS] = [0, 0];
  try {
    for (let left = seeds; left.length > 0; ) {
      const runs = await runsOf(folder, defect, inARow(left).slice(0, SEEDS_AT_ONCE));
      left = left.slice(runs.length);
      simulatedS += runs.length * (defect.seconds ?? USUAL_SECONDS);
      for (const run of runs) tookS += run.tookS;
      const { seed, why } = runs.at(-1) as Run;
      const so = `${simulatedS} s of simulation, ${tookS.toFixed(0)} s of a core`;
      if (why === undefined) say(`  nothing up to seed ${seed} (${so})`);
      else if ((await runsOf(whole, defect, [seed])).at(-1)?.why === undefined) {
        say(`  found by seed ${seed} (${so}): ${why.slice(0, 200)}`);
        return { seed, simulatedS, tookS, why };
      } else say(`  seed ${seed} fails without the defect too: ${why.slice(0, 200)}`);
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of these seeds, each for itself: those whose runs fail with the defect and pass without it. */
export async function share(
  defect: Defect,
  { seeds, whole, say }: Hunt,
): Promise<readonly Found[]> {
  const folder = await plant(defect.edits);
  try {
    const runs = await allOf(folder, defect, seeds);
    const failing = runs.filter(({ why }) => why !== undefined);
    const keyOf = (seed: number) => `${defect.log} ${defect.workloads} ${defect.seconds} ${seed}`;
    const unknown = failing.map(({ seed }) => seed).filter((seed) => !WHOLE_RUNS.has(keyOf(seed)));
    for (const run of await allOf(whole, defect, unknown)) WHOLE_RUNS.set(keyOf(run.seed), run);
    const simulatedS = defect.seconds ?? USUAL_SECONDS;
    return failing.flatMap(({ seed, tookS, why = '' }) => {
      const without = WHOLE_RUNS.get(keyOf(seed))?.why;
      if (without === undefined) return [{ seed, simulatedS, tookS, why }];
      say(`  seed ${seed} fails without the defect too: ${without.slice(0, 200)}`);
      return [];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function allOf(folder: string, defect: Defect, seeds: readonly number[]): Promise<Run[]> {
  const runs: Run[] = [];
  for (let left = seeds; left.length > 0; left = seeds.slice(runs.length)) {
    runs.push(...(await runsOf(folder, defect, inARow(left).slice(0, SEEDS_AT_ONCE), false)));
  }
  return runs;
}

function inARow([first = 0, ...rest]: readonly number[]): readonly number[] {
  const end = rest.findIndex((seed, i) => seed !== first + i + 1);
  return [first, ...rest.slice(0, end < 0 ? rest.length : end)];
}

/** Up to the first that fails, or that comes to no end, if not all; the seeds are in a row. */
async function runsOf(
  folder: string,
  defect: Defect,
  seeds: readonly number[],
  untilFailure = true,
): Promise<Run[]> {
  const { log, workloads, seconds = USUAL_SECONDS } = defect;
  const { stdout, stderr, isKilled } = await outcomeOf(folder, RUN_MAX_S * seeds.length, [
    ...['--log', log, '--workloads', workloads.join(','), '--seconds', `${seconds}`],
    ...['--seed', `${seeds[0]}`, '--seeds', `${seeds.length}`, '--no-shrink'],
    ...(untilFailure ? ['--until-failure'] : []),
  ]);
  const runs = stdout
    .split(/^(?=ok {2}|FAIL )/m)
    .filter((text) => /^(ok|FAIL) /.test(text))
    .map((text, i) => ({
      seed: seeds[i] ?? 0,
      tookS: Number(/ in ([\d.]+) s/.exec(text)?.[1] ?? 0),
      why: text.startsWith('ok') ? undefined : violationsIn(text),
    }));
  const next = seeds[runs.length] ?? 0;
  if (isKilled) return [...runs, { seed: next, tookS: RUN_MAX_S, why: 'it came to no end' }];
  if (runs.length === 0) throw new Error(stderr);
  return runs;
}

function violationsIn(text: string): string {
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('VIOLATED')).join('; ');
}

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly isKilled: boolean;
}

function outcomeOf(cwd: string, maxS: number, args: readonly string[]): Promise<Outcome> {
  const options = ['--max-semi-space-size=64', '--max-old-space-size=1500', BUILT];
  const command = [process.execPath, ...options, ...args];
  return new Promise((resolve, reject) => {
    const bounded = ['-c', 'ulimit -t "$0" && exec "$@"', `${maxS}`, ...command];
    const child = spawn('sh', bounded, { cwd });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (_, signal) => resolve({ ...said, isKilled: signal !== null }));
  });
}
