/**
 * Whether the simulator finds the defects that are put into the code, and after how much simulated time. The
 * seed that stands beside a defect is tried first, then others; each hunt ends with its find.
 *
 *   bin/sim --defects [--only TEXT] [--log file|redis|quorum] [--seeds N, of others] [--seed N, the first of these]
 *     [--jobs N] [--by-chance, without the seeds that stand beside them]
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Defect } from './defect.ts';
import { DEFECTS } from './defects.ts';
import { hunt } from './hunt.ts';
import { plant } from './plant.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    log: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '24' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    'by-chance': { type: 'boolean', default: false },
  },
});

const print = (line: string) => void process.stdout.write(`${line}\n`);
const begun = Date.now();
const wanted = DEFECTS.filter(
  ({ name, log }) => name.includes(values.only) && (values.log === undefined || values.log === log),
);
const left = [...wanted.entries()];
const missed: string[] = [];
/** Of those that are found: how long each took, simulated. */
const foundS: number[] = [];
const whole = await plant([]);
try {
  await Promise.all(Array.from({ length: Math.max(1, Number(values.jobs)) }, work));
} finally {
  rmSync(whole, { recursive: true });
}
const minutes = ((Date.now() - begun) / 60_000).toFixed(1);
const longestS = Math.max(0, ...foundS);
const found = `${foundS.length} of ${wanted.length} found`;
print(`${found}, each within ${longestS} s of simulation, in ${minutes} minutes`);
for (const name of missed) print(`MISSED ${name}`);
process.exit(missed.length === 0 ? 0 : 1);

async function work(): Promise<void> {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const [number, defect] = next;
    const say = (text: string) => print(`[${number + 1}/${wanted.length}] ${text}`);
    say(`${defect.name} (${defect.log})`);
    // One that is at fault by itself keeps nobody from the others.
    const it = await hunt(defect, { seeds: seedsOf(defect), whole, say }).catch(
      (error: unknown) => {
        say(`  ${String(error)}`);
      },
    );
    if (it !== undefined) foundS.push(it.simulatedS);
    else {
      say('  MISSED');
      missed.push(defect.name);
    }
  }
}

function seedsOf({ seed }: Defect): readonly number[] {
  const others = Array.from({ length: Number(values.seeds) }, (_, i) => Number(values.seed) + i);
  if (seed === undefined || values['by-chance']) return others;
  return [seed, ...others.filter((each) => each !== seed)];
}
