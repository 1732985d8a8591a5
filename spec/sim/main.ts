/**
 * Explores: seed after seed, until one fails or the time is over.
 *
 *   node --import tsx spec/sim/main.ts [--seed N] [--seeds N] [--minutes N] [--seconds N]
 *     [--log file|redis|quorum] [--workloads a,b] [--trace]
 */
import { parseArgs } from 'node:util';
import type { Log } from './cluster.ts';
import { run, type WorkloadName } from './run.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '30' },
    log: { type: 'string', default: 'quorum' },
    seconds: { type: 'string', default: '60' },
    workloads: { type: 'string' },
    trace: { type: 'boolean', default: false },
    'until-failure': { type: 'boolean', default: false },
  },
});
const print = (line: string) => void process.stdout.write(`${line}\n`);
/** Of this process alone, however busy the machine is. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const realNow = performance.now.bind(performance);
const began = realNow();
const first = Number(values.seed ?? 1);
let failed = 0;
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  if (realNow() - began > Number(values.minutes) * 60_000) break;
  const started = cpuMs();
  const { verdicts, faults, trace, events, simulatedMs } = await run({
    seed,
    log: values.log as Log,
    seconds: Number(values.seconds),
    ...(values.workloads === undefined
      ? {}
      : { workloads: values.workloads.split(',') as WorkloadName[] }),
  });
  if (values.trace) for (const line of trace) print(line);
  const took = (cpuMs() - started) / 1000;
  const speed = `${(simulatedMs / 1000).toFixed(0)} s in ${took.toFixed(1)} s, ${(simulatedMs / 1000 / took).toFixed(1)} x, ${events} events`;
  print(`${verdicts.length === 0 ? 'ok  ' : 'FAIL'} seed ${seed}: ${speed}`);
  if (verdicts.length === 0) continue;
  failed++;
  for (const { atMs, what } of faults) print(`  at ${(atMs / 1000).toFixed(1)} s ${what}`);
  for (const verdict of verdicts) print(`  VIOLATED ${verdict}`);
  if (values['until-failure']) break;
}
process.exit(failed === 0 ? 0 : 1);
