/**
 * Explores: seed after seed, until one fails or the time is over.
 *
 *   node --import tsx spec/sim/main.ts [--seed N] [--seeds N] [--minutes N] [--seconds N] [--commit redis|quorum] [--trace]
 */
import { parseArgs } from 'node:util';
import type { Commit } from './cluster.ts';
import { run } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
    commit: { type: 'string', default: 'quorum' },
    seconds: { type: 'string', default: '60' },
    trace: { type: 'boolean', default: false },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
const realNow = performance.now.bind(performance);
const began = realNow();
const first = Number(values.seed ?? 1);
let failed = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  if (realNow() - began > Number(values.minutes) * 60_000) break;
  const started = realNow();
  const { verdicts, faults, trace, operations, events } = await run({
    seed,
    commit: values.commit as Commit,
    seconds: Number(values.seconds),
  });
  if (values.trace) for (const line of trace) print(line);
  const took = (realNow() - started) / 1000;
  const speed = `${took.toFixed(1)} s, ${operations} operations, ${events} events`;
  print(`${verdicts.length === 0 ? 'ok  ' : 'FAIL'} seed ${seed}: ${speed}`);
  if (verdicts.length === 0) continue;
  failed++;
  for (const { atMs, what } of faults) print(`  at ${(atMs / 1000).toFixed(1)} s ${what}`);
  for (const verdict of verdicts) print(`  ${verdict}`);
}
process.exit(failed === 0 ? 0 : 1);
