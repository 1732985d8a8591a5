/**
 * Whether the simulator finds the defects that are put into the code, and after how much simulated time. A
 * defect's own seed is tried first, then others; each hunt ends with its find.
 *
 *   bin/sim --defects [--only TEXT] [--seeds N, of others] [--seed N, the first of these] [--jobs N] [--minutes N]
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Defect } from './defect.ts';
import { DEFECTS } from './defects.ts';
import { BUILT, plant } from './plant.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '8' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    minutes: { type: 'string', default: '60' },
  },
});
/** A run whose code spins with a defect in it never ends by itself. */
const RUN_MAX_MS = 300_000;
const USUAL_SECONDS = 60;

interface Run {
  readonly seed: number;
  /** Computed, seconds. */
  readonly tookS: number;
  /** What the run says against the code; undefined where it passes. */
  readonly why: string | undefined;
}

const print = (line: string) => void process.stdout.write(`${line}\n`);
const begun = Date.now();
const endsAt = begun + Number(values.minutes) * 60_000;
const wanted = DEFECTS.filter(({ name }) => name.includes(values.only));
const left = [...wanted.entries()];
const missed: string[] = [];
/** Without a defect. */
const whole = await plant([]);
await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
rmSync(whole, { recursive: true });
const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
print(`${wanted.length - missed.length} of ${wanted.length} found, in ${minutes} minutes`);
for (const name of missed) print(`MISSED ${name}`);
process.exit(missed.length === 0 ? 0 : 1);

async function work(): Promise<void> {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const [number, defect] = next;
    const say = (text: string) => print(`[${number + 1}/${wanted.length}] ${text}`);
    say(`${defect.name} (${defect.log})`);
    if (!(await hunt(defect, say))) missed.push(defect.name);
  }
}

/** Whether a run fails with the defect, and passes without it. */
async function hunt(defect: Defect, say: (text: string) => void): Promise<boolean> {
  const folder = await plant(defect.edits);
  let [simulatedS, tookS] = [0, 0];
  try {
    for (const seed of seedsOf(defect)) {
      if (Date.now() > endsAt) {
        say('not looked for any longer: the time is over');
        return false;
      }
      const { why, ...run } = await runOf(folder, defect, seed);
      simulatedS += defect.seconds ?? USUAL_SECONDS;
      tookS += run.tookS;
      const so = `${simulatedS} s of simulation, ${tookS.toFixed(0)} s of a core`;
      if (why === undefined) say(`  nothing by seed ${seed} (${so})`);
      else if ((await runOf(whole, defect, seed)).why === undefined) {
        say(`  found by seed ${seed} (${so}): ${why.slice(0, 200)}`);
        return true;
      } else say(`  seed ${seed} fails without the defect too: ${why.slice(0, 200)}`);
    }
    say('  MISSED');
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function seedsOf({ seed }: Defect): readonly number[] {
  const others = Array.from({ length: Number(values.seeds) }, (_, i) => Number(values.seed) + i);
  return seed === undefined ? others : [seed, ...others.filter((each) => each !== seed)];
}

async function runOf(folder: string, defect: Defect, seed: number): Promise<Run> {
  const { log, workloads, seconds = USUAL_SECONDS } = defect;
  const which = ['--log', log, '--workloads', workloads.join(','), '--seconds', `${seconds}`];
  const options = ['--max-semi-space-size=64', '--max-old-space-size=1500', BUILT];
  const args = [...options, ...which, '--seed', `${seed}`, '--no-shrink'];
  const { stdout, stderr, signal } = await outcomeOf(args, folder);
  const lines = stdout.split('\n').map((line) => line.trim());
  const told = lines.find((line) => /^(ok|FAIL) /.test(line));
  if (signal !== null) return { seed, tookS: RUN_MAX_MS / 1000, why: 'it came to no end' };
  if (told === undefined) throw new Error(stderr);
  const why = lines.filter((line) => line.startsWith('VIOLATED')).join('; ');
  const tookS = Number(/ in ([\d.]+) s/.exec(told)?.[1] ?? 0);
  return { seed, tookS, why: told.startsWith('ok') ? undefined : why };
}

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly signal: NodeJS.Signals | null;
}

function outcomeOf(args: readonly string[], cwd: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, timeout: RUN_MAX_MS });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (_, signal) => resolve({ ...said, signal }));
  });
}
