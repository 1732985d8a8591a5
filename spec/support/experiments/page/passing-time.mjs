/**
 * Imported into a server of which pictures are made: it begins in the past, and each SIGUSR2 brings it a step
 * nearer to now, so that what it remembers of days is there within a minute. From the last step on its clocks and timers
 * go `speed` times as fast, until they have caught up by `lag` milliseconds.
 */
const { searchParams } = new URL(import.meta.url);
const parameter = (name) => Number(searchParams.get(name) ?? 0);
const stepMs = parameter('ms');
const lag = parameter('lag');
const speed = Math.max(1, parameter('speed'));
const Real = globalThis.Date;
const { setTimeout: later } = globalThis;
const sinceStart = performance.now.bind(performance);
let left = parameter('steps');
let runsSince;

const gained = () => {
  if (runsSince === undefined) return 0;
  return Math.min(lag, (sinceStart() - runsSince) * (speed - 1));
};
const now = () => Real.now() - left * stepMs - lag + gained();

globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};
performance.now = () => sinceStart() + gained();
globalThis.setTimeout = (call, ms, ...given) => {
  const isRunning = gained() > 0 && gained() < lag;
  return later(call, isRunning ? ms / speed : ms, ...given);
};

process.on('SIGUSR2', () => {
  left = Math.max(0, left - 1);
  if (left === 0) runsSince ??= sinceStart();
});
