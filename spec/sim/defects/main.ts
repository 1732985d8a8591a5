/**
 * Whether the simulator finds the defects that are put into the code, and after how much simulated time.
 *
 *   node --import tsx spec/sim/defects/main.ts [--only TEXT] [--seeds N] [--seed N]
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Defect } from './defect.ts';
import { DEFECTS } from './defects.ts';
import { BUILT, plant } from './plant.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '8' },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
/** Without a defect. */
const whole = plant([]);
let missed = 0;
for (const defect of DEFECTS.filter(({ name }) => name.includes(values.only))) {
  const found = hunt(defect);
  if (found === undefined) missed++;
  print(`${found === undefined ? 'MISSED' : 'found '} ${defect.name} (${defect.log})`);
  if (found !== undefined) print(`       ${found}`);
}
rmSync(whole, { recursive: true });
process.exit(missed === 0 ? 0 : 1);

interface Failure {
  readonly seed: number;
  /** All that was computed until then, seconds. */
  readonly tookS: number;
  readonly why: string;
}

/** The first run that fails with the defect, and does not without it. */
function hunt(defect: Defect): string | undefined {
  const folder = plant(defect.edits);
  const first = defect.seed ?? Number(values.seed);
  const end = first + Number(values.seeds);
  let tookS = 0;
  try {
    for (let seed = first; seed < end; ) {
      const failure = firstFailure(folder, defect, seed, end - seed);
      if (failure === undefined) return undefined;
      tookS += failure.tookS;
      const runs = failure.seed - first + 1;
      const found = `seed ${failure.seed}, the run ${runs}, after ${tookS.toFixed(0)} s: ${failure.why}`;
      if (firstFailure(whole, defect, failure.seed, 1) === undefined) return found.slice(0, 300);
      print(`       fails without the defect too: ${found.slice(0, 300)}`);
      seed = failure.seed + 1;
    }
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function firstFailure(
  folder: string,
  { log, workloads, seconds = 60 }: Defect,
  seed: number,
  seeds: number,
): Failure | undefined {
  const options = ['--log', log, '--workloads', workloads.join(','), '--until-failure'];
  const many = ['--seed', `${seed}`, '--seeds', `${seeds}`, '--seconds', `${seconds}`];
  const which = [...many, '--no-shrink'];
  const args = ['--max-semi-space-size=64', BUILT, ...options, ...which];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  const lines = stdout.split('\n').map((line) => line.trim());
  const runs = lines.filter((line) => /^(ok|FAIL) /.test(line));
  const failed = runs.findIndex((line) => line.startsWith('FAIL'));
  if (failed < 0 && runs.length < seeds) throw new Error(stderr);
  if (failed < 0) return undefined;
  const took = runs.map((line) => Number(/ in ([\d.]+) s/.exec(line)?.[1] ?? 0));
  const why = lines.filter((line) => line.startsWith('VIOLATED')).join('; ');
  return { seed: seed + failed, tookS: took.reduce((sum, each) => sum + each, 0), why };
}
