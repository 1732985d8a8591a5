import assert from 'node:assert/strict';
import { answersOf, callersScript } from '../../support/experiments/http2/callers-run.ts';
import { SEED } from '../../support/seed.ts';
import { startChild } from '../../support/servers/child.ts';

/** More of them is a command, the same: spec/system/http2.system.ts. */
const SEEDS = 60;
const EXPERIMENT = new URL('../../system/http2.system.ts', import.meta.url);
/**
 * Node's own HTTP/2 may end its process on such bytes: it sends and closes within its parser's callbacks, and the heap is
 * damaged by it (nodejs/node 64113 and 65093). So each run has a process of its own, and another where that was ended.
 */
const MOST_ENDED = 3;

const RUNS = {
  callers: "takes a caller's bytes as Node's does, right or wrong",
  hosts: "takes a host's bytes as Node's does, right or wrong",
  calls: 'stands between callers and hosts of Node as if it were not there, and keeps nothing',
};

describe(`HTTP/2 of the sidecar, beside that of Node (seed ${SEED})`, () => {
  for (const [name, title] of Object.entries(RUNS)) {
    it(`${title}`, async () => {
      for (let ended = 0; ; ended++) {
        const run = startChild(EXPERIMENT, { args: [`${SEEDS}`, `${SEED * 1000}`, name] });
        const code = await run.ended;
        if (code === null && ended < MOST_ENDED) continue;
        assert.deepEqual([run.lines, code], [[`${SEEDS} runs, 0 failed`], 0]);
        return;
      }
    }).timeout(0);
  }

  it('does the same again for the same seed', async () => {
    const script = callersScript(SEED);
    const first = await answersOf(SEED, script, 'ours');
    assert.deepEqual(await answersOf(SEED, callersScript(SEED), 'ours'), first);
  }).timeout(0);
});
