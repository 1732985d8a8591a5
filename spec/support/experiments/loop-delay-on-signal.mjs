/**
 * Imported into a process of an experiment: SIGUSR2 has it say how long its event loop was held up since the
 * last time, by the clock and, for machines that are busy with other things, by its own processor time.
 */
const STEP_MS = 5;
let [byClock, byProcessor] = [[], []];
let [then, used] = [performance.now(), process.cpuUsage()];

setInterval(() => {
  const [now, since] = [performance.now(), process.cpuUsage(used)];
  byClock.push(Math.max(0, now - then - STEP_MS));
  byProcessor.push((since.user + since.system) / 1000);
  [then, used] = [now, process.cpuUsage()];
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
