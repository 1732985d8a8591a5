import assert from 'node:assert/strict';
import { Explorer } from './explorer.ts';
import { NAMES, type WorkloadName } from './run.ts';

/** Far more than it takes. */
const MOST_RUNS = 100;

describe('exploring', () => {
  it('tries each workload once before any has another turn, and says which it has not tried', () => {
    const explorer = new Explorer('redis', 60);
    const tried = new Map<WorkloadName, number>();
    assert.deepEqual(explorer.untried, NAMES);
    for (let seed = 1; explorer.untried.length > 0 && seed < MOST_RUNS; seed++) {
      const some = explorer.workloads(seed);
      for (const name of some) tried.set(name, (tried.get(name) ?? 0) + 1);
      assert.deepEqual(
        explorer.untried,
        NAMES.filter((name) => !tried.has(name)),
      );
    }
    assert.equal(tried.size, NAMES.length);
    // What archives leave to others comes with them.
    const twice = [...tried].filter(([, times]) => times > 1).map(([name]) => name);
    assert(
      twice.every((name) => name === 'large'),
      twice.join(),
    );
  });

  it('goes on when all have had their turn', () => {
    const explorer = new Explorer('file', 60);
    for (let seed = 1; seed < MOST_RUNS; seed++) assert(explorer.workloads(seed).length > 0);
    assert.deepEqual(explorer.untried, []);
  });
});
