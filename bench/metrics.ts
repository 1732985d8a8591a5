/**
 * What measuring costs a request: two looks at the clock and one observation, and whether anybody
 * reads at debug. Beside it a request that the fast path answers, which takes some 25 µs in all.
 *
 *   node --import tsx bench/metrics.ts
 */
import { cpuUsage } from 'node:process';
import { systemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import { Sample } from '../lib/metrics/sample.ts';

const ROUNDS = 5;
const TIMES = 1_000_000;

/** This process's own processor time, the best of several rounds: others are busy too. */
function nanoseconds(work: (i: number) => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const from = cpuUsage();
    for (let i = 0; i < TIMES; i++) work(i);
    const { user, system } = cpuUsage(from);
    best = Math.min(best, user + system);
  }
  return (best * 1e3) / TIMES;
}

const sample = new Sample();
const logger = createLogger({ level: 'info', json: false, console: false });
logger.add(new (await import('winston')).default.transports.Console({ silent: true }));

const observed = nanoseconds((i) => sample.observe(i * 0.001));
const timed = nanoseconds(() => {
  const from = systemClock.monotonic();
  sample.observe(systemClock.monotonic() - from);
});
const asked = nanoseconds(() => void logger.isDebugEnabled());
const line = (what: string, ns: number) => `${what.padEnd(44)} ${ns.toFixed(0).padStart(5)} ns\n`;
process.stdout.write(line('an observation', observed));
process.stdout.write(line('the same with two looks at the clock', timed));
process.stdout.write(line('whether anybody reads at debug', asked));
