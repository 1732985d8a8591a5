import assert from 'node:assert/strict';
import { TwoWays } from '../support/experiments/two-ways/two-ways.ts';
import { FAST_PATH, SEED } from '../support/seed.ts';

const STEPS = 800;
const TIMEOUT_MS = 120_000;

describe(`reads and waits by the fast path, beside their routes (seed ${SEED})`, () => {
  it(`say the same in ${STEPS} steps, while all of it and all rights change`, async () => {
    const ways = await TwoWays.start(SEED);
    for (let i = 0; i < STEPS; i++) await ways.step();
    const { answers, byShortWay } = ways.compared;
    assert(answers > STEPS / 3, `${answers} answers were compared`);
    assert(byShortWay > answers / 12 || !FAST_PATH, `${byShortWay} of ${answers} the short way`);
  }).timeout(TIMEOUT_MS);
});
