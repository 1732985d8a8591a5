import assert from 'node:assert/strict';
import { SEED } from '../support/seed.ts';
import { startChild } from '../support/servers/child.ts';
import { LOGS } from './cluster.ts';
import { run } from './run.ts';

/**
 * Long enough for two faults and some healing; a longer one is a command. However slow the machine
 * is, nothing in a run depends on it, and no test here has a time limit.
 */
const SECONDS = 20;

describe('a simulated cluster', () => {
  it(`does the same again for the same seed (seed ${SEED})`, async () => {
    const options = { seed: SEED, log: 'redis', seconds: 12 } as const;
    // First of all here: what is loaded when it is first asked for takes real time.
    const [first, second] = [await run(options), await run(options)];
    assert.deepEqual(second.trace, first.trace);
    assert.equal(second.events, first.events);
  }).timeout(0);

  for (const log of LOGS) {
    it(`keeps its promises under faults, with its log in ${log} (seed ${SEED})`, async () => {
      const { verdicts, faults } = await run({ seed: SEED, log, seconds: SECONDS });
      assert.deepEqual(verdicts, [], JSON.stringify(faults));
    }).timeout(0);
  }

  it(`says nothing at ERROR and leaves nothing over where nothing fails (seed ${SEED})`, async () => {
    const { verdicts } = await run({ seed: SEED, log: 'redis', seconds: 12, faults: [] });
    assert.deepEqual(verdicts, []);
  }).timeout(0);

  it('leaves nothing of its world in its process: who was killed reads, waits and listens no more', async () => {
    const child = startChild(new URL('../support/experiments/worlds-left.ts', import.meta.url));
    await child.ended;
    assert.deepEqual(child.lines, ['0']);
  }).timeout(0);
});
