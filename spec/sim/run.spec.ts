import assert from 'node:assert/strict';
import { SEED } from '../support/seed.ts';
import { run } from './run.ts';

/** Long enough for two faults and some healing; a longer one is a command. */
const SECONDS = 20;

describe('a simulated cluster', () => {
  it(`keeps its promises under faults (seed ${SEED})`, async () => {
    const { verdicts, faults } = await run({ seed: SEED, seconds: SECONDS });
    assert.deepEqual(verdicts, [], JSON.stringify(faults));
  }).timeout(120_000);

  it(`does the same again for the same seed (seed ${SEED})`, async () => {
    const [first, second] = [
      await run({ seed: SEED, seconds: 12 }),
      await run({ seed: SEED, seconds: 12 }),
    ];
    assert.deepEqual(second.trace, first.trace);
    assert.equal(second.events, first.events);
  }).timeout(120_000);
});
