/**
 * Whether the simulator finds the defects that are put into the code, and after how much simulated time.
 *
 *   node --import tsx spec/sim/defects/main.ts [--only TEXT] [--seeds N] [--seed N]
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEFECTS, type Defect } from './defects.ts';
import { plant } from './plant.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '8' },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
let missed = 0;
for (const defect of DEFECTS.filter(({ name }) => name.includes(values.only))) {
  const found = hunt(defect);
  if (found === undefined) missed++;
  print(`${found === undefined ? 'MISSED' : 'found '} ${defect.name} (${defect.log})`);
  if (found !== undefined) print(`       ${found}`);
}
process.exit(missed === 0 ? 0 : 1);

/** What the first run says that fails. */
function hunt({ edits, log, workloads }: Defect): string | undefined {
  const folder = plant(edits);
  try {
    const options = [
      '--log',
      log,
      '--workloads',
      workloads.join(','),
      '--until-failure',
      '--no-shrink',
    ];
    const seeds = ['--seed', values.seed, '--seeds', values.seeds];
    const args = ['--import', 'tsx', 'spec/sim/main.ts', ...options, ...seeds];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
    const lines = stdout.split('\n').map((line) => line.trim());
    const failed = lines.find((line) => line.startsWith('FAIL'));
    const ended = lines.filter((line) => line.startsWith('ok')).length;
    if (failed === undefined && ended < Number(values.seeds)) throw new Error(stderr);
    if (failed === undefined) return undefined;
    const why = lines.filter((line) => line.startsWith('VIOLATED')).join('; ');
    return `${failed}; ${why}`.slice(0, 300);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
