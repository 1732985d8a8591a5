import assert from 'node:assert/strict';
import {
  answersOf,
  callersScript,
  callersVerdicts,
} from '../../support/experiments/http2/callers-run.ts';
import { hostsVerdicts } from '../../support/experiments/http2/hosts-run.ts';
import { playsVerdicts } from '../../support/experiments/http2/plays-run.ts';
import { SEED } from '../../support/seed.ts';

/** More of them is a command: spec/system/http2.system.ts. */
const SEEDS = 60;

const RUNS = {
  "takes a caller's bytes as Node's does, right or wrong": callersVerdicts,
  "takes a host's bytes as Node's does, right or wrong": hostsVerdicts,
  'stands between callers and hosts of Node as if it were not there, and keeps nothing':
    playsVerdicts,
};

describe(`HTTP/2 of the sidecar, beside that of Node (seed ${SEED})`, () => {
  for (const [title, run] of Object.entries(RUNS)) {
    it(`${title}`, async () => {
      const first = SEED * 1000;
      for (let seed = first; seed < first + SEEDS; seed++) {
        assert.deepEqual(await run(seed), [], `seed ${seed}`);
      }
    }).timeout(0);
  }

  it('does the same again for the same seed', async () => {
    const script = callersScript(SEED);
    const first = await answersOf(SEED, script, 'ours');
    assert.deepEqual(await answersOf(SEED, callersScript(SEED), 'ours'), first);
  }).timeout(0);
});
