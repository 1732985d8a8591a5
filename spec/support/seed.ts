/** What all that is random in a spec is drawn from: `SEED=41 npm test` repeats a run. */
export const SEED = Number(process.env['SEED'] ?? 3);
