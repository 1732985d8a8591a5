/**
 * HTTP/2 of the sidecar beside Node's, in memory and from seeds: the same bytes of a caller and of a host to either, and
 * calls with and without the sidecar between. It does the same again for the same seed.
 *
 *   node --import tsx spec/system/http2.system.ts [SEEDS, 1000] [FIRST, 1] [callers | hosts | calls | all] [each]
 *
 * With `each` it says of each seed that it is over.
 */
import { callersVerdicts } from '../support/experiments/http2/callers-run.ts';
import { hostsVerdicts } from '../support/experiments/http2/hosts-run.ts';
import { playsVerdicts } from '../support/experiments/http2/plays-run.ts';

const [count = 1000, first = 1] = process.argv.slice(2, 4).map(Number);
const [, , , , only = 'all', each] = process.argv;
const print = (line: string) => void process.stdout.write(`${line}\n`);
const runs = { callers: callersVerdicts, hosts: hostsVerdicts, calls: playsVerdicts };
const chosen = Object.entries(runs).filter(([name]) => only === 'all' || name === only);
let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  for (const [name, run] of chosen) {
    const verdicts = await run(seed);
    if (verdicts.length > 0) failed++;
    for (const verdict of verdicts) print(`FAIL seed ${seed} ${name}: ${verdict}`);
  }
  if (each === 'each') print(`seed ${seed}`);
}
print(`${count * chosen.length} runs, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
