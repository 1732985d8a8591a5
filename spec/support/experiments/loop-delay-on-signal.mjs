/**
 * Imported into a process of an experiment: SIGUSR2 has it say how long its event loop was held up since the
 * last time, by the clock and, for machines that are busy with other things, by the loop's own processor time:
 * of its thread, for those that look for garbage beside it hold up nobody.
 */
import { readFileSync } from 'node:fs';

const STEP_MS = 5;
let [byClock, byProcessor] = [[], []];
/** Milliseconds that the thread of the loop has run. */
const ran = () => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1e6;
let [then, before] = [performance.now(), ran()];

setInterval(() => {
  const [now, used] = [performance.now(), ran()];
  byClock.push(Math.max(0, now - then - STEP_MS));
  byProcessor.push(used - before);
  [then, before] = [now, used];
}, STEP_MS).unref();

const shown = (times) => {
  const sorted = times.sort((a, b) => a - b);
  const at = (share) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  return `p50 ${at(0.5)} p99 ${at(0.99)} most ${at(0.999999)} ms`;
};

process.on('SIGUSR2', () => {
  process.stderr.write(`loop held up: processor ${shown(byProcessor)}, clock ${shown(byClock)}\n`);
  [byClock, byProcessor] = [[], []];
});
