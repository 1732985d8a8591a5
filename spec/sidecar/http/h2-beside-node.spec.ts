import assert from 'node:assert/strict';
import { answersOf, callersScript } from '../../support/experiments/http2/callers-run.ts';
import { SEED } from '../../support/seed.ts';
import { startChild } from '../../support/servers/child.ts';

/** More of them is a command, the same: spec/system/http2.system.ts. */
const SEEDS = 60;
const EXPERIMENT = new URL('../../system/http2.system.ts', import.meta.url);
/**
 * Node's own HTTP/2 may end its process on such bytes: it sends and closes within its parser's callbacks, and the heap is
 * damaged by it (nodejs/node 64113 and 65093). Of `calls` about one seed in sixty ends so, at whatever moment: another
 * process goes on behind the seeds that are over.
 */
const MOST_ENDED = 20;
const FIRST = SEED * 1000;

const RUNS = {
  callers: "takes a caller's bytes as Node's does, right or wrong",
  hosts: "takes a host's bytes as Node's does, right or wrong",
  calls: 'stands between callers and hosts of Node as if it were not there, and keeps nothing',
};

/** Runs the seeds in as many processes as that takes; says what failed, and how many are over. */
async function seedsOf(name: string): Promise<{ failed: string[]; over: number }> {
  const failed: string[] = [];
  let over = 0;
  for (let ended = 0; ended <= MOST_ENDED && over < SEEDS; ended++) {
    const args = [`${SEEDS - over}`, `${FIRST + over}`, name, 'each'];
    const run = startChild(EXPERIMENT, { args });
    const code = await run.ended;
    failed.push(...run.lines.filter((line) => line.startsWith('FAIL')));
    over += run.lines.filter((line) => line.startsWith('seed')).length;
    // It ended of itself, whether or not something failed.
    if (code !== null) break;
  }
  return { failed, over };
}

describe(`HTTP/2 of the sidecar, beside that of Node (seed ${SEED})`, () => {
  for (const [name, title] of Object.entries(RUNS)) {
    it(`${title}`, async () => {
      assert.deepEqual(await seedsOf(name), { failed: [], over: SEEDS });
    }).timeout(0);
  }

  it('does the same again for the same seed', async () => {
    const script = callersScript(SEED);
    const first = await answersOf(SEED, script, 'ours');
    assert.deepEqual(await answersOf(SEED, callersScript(SEED), 'ours'), first);
  }).timeout(0);
});
