/** What all that is random in a spec is drawn from: `SEED=41 npm test` repeats a run. */
export const SEED = Number(process.env['SEED'] ?? 3);

/** `FAST_PATH=off npm test`: servers as with performance.fast_path = false. */
export const FAST_PATH = process.env['FAST_PATH'] !== 'off';
/** Each question of a page in the browser is asked so much later. */
export const SLOW_PAGE_MS = Number(process.env['SLOW_PAGE'] ?? 0);
