/**
 * Imported into a server of which pictures are made: it begins in the past, and each SIGUSR2 brings it a step
 * nearer to now, so that what it remembers of days is there within a minute.
 */
const { searchParams } = new URL(import.meta.url);
const stepMs = Number(searchParams.get('ms'));
const Real = globalThis.Date;
let left = Number(searchParams.get('steps'));
const now = () => Real.now() - left * stepMs;

globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [now()] : given));
  }
  static now() {
    return now();
  }
};

process.on('SIGUSR2', () => {
  left = Math.max(0, left - 1);
});
