/**
 * Whether the simulator finds the defects that are put into the code, and after how much simulated time. The
 * seed that stands beside a defect is tried first, then others; each hunt ends with its find.
 *
 *   bin/sim --defects [--only TEXT] [--log file|redis|quorum] [--seeds N, of others] [--seed N, the first of these]
 *     [--jobs N] [--by-chance, without the seeds that stand beside them]
 *     [--starts N, how many of so many seeds find it, each in a run of its own: nearly all of them should]
 */
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { Defect } from './defect.ts';
import { DEFECTS } from './defects.ts';
import { type Found, hunt, share, USUAL_SECONDS } from './hunt.ts';
import { plant } from './plant.ts';

/** Of the starts: what a change of the faults drawn leaves to be found by most of them. */
const MOST = 0.8;

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    log: { type: 'string' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '24' },
    starts: { type: 'string' },
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
/** Of a table, by number. */
const rows = new Map<number, string>();
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
for (const [, row] of [...rows].sort(([a], [b]) => a - b)) print(row);
process.exit(missed.length === 0 ? 0 : 1);

async function work(): Promise<void> {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const [number, defect] = next;
    const say = (text: string) => print(`[${number + 1}/${wanted.length}] ${text}`);
    say(`${defect.name} (${defect.log})`);
    const looked = values.starts === undefined ? first(defect, say) : most(number, defect, say);
    // One that is at fault by itself keeps nobody from the others.
    const simulatedS = await looked.catch((error: unknown) => say(`  ${String(error)}`));
    if (typeof simulatedS === 'number') foundS.push(simulatedS);
    else {
      say('  MISSED');
      missed.push(defect.name);
    }
  }
}

type Say = (text: string) => void;

async function first(defect: Defect, say: Say): Promise<number | undefined> {
  return (await hunt(defect, { seeds: seedsOf(defect), whole, say }))?.simulatedS;
}

/** Whether most of the starts find it. */
async function most(number: number, defect: Defect, say: Say): Promise<number | undefined> {
  const { name, log } = defect;
  const seeds = inARow(Number(values.starts));
  const finds: readonly Found[] = await share(defect, { seeds, whole, say });
  const by = finds.map(({ seed }) => seed).join(' ');
  const of = `${finds.length} of ${seeds.length}`;
  say(`  found by ${of}: ${by}; ${finds[0]?.why.slice(0, 150) ?? ''}`);
  rows.set(number, `| ${name} | ${log} | ${of} | ${shownBy(finds)} |`);
  return finds.length >= seeds.length * MOST ? (defect.seconds ?? USUAL_SECONDS) : undefined;
}

/** By which verdict most of them show it, without what differs from run to run. */
function shownBy(finds: readonly Found[]): string {
  const counts = new Map<string, number>();
  for (const { why } of finds) {
    const [first = ''] = why.replace(/^VIOLATED (at [\d.]+ s )?/, '').split(/[:;]/);
    const verdict = first.replace(/\b([a-z])\d+\b/g, '$1…').trim();
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

function inARow(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => Number(values.seed) + i);
}

function seedsOf({ seed }: Defect): readonly number[] {
  const others = inARow(Number(values.seeds));
  if (seed === undefined || values['by-chance']) return others;
  return [seed, ...others.filter((each) => each !== seed)];
}
