import assert from 'node:assert/strict';
import { patienceMs } from '../../lib/patience.ts';

describe('how long an answer is waited for', () => {
  it('is as long as any server lets it wait, and some seconds more', () => {
    const of = (...query: readonly (readonly [string, string])[]) => patienceMs(query) / 1000;
    assert.equal(of(['index', '7'], ['wait', '1m']), 60 + 3.75 + 10);
    assert.equal(of(['index', '7'], ['wait', '1600ms']), 1.6 + 0.1 + 10);
    assert.equal(of(['hash', 'x']), 300 + 18.75 + 10);
    assert.equal(of(['index', '7'], ['wait', 'soon']), 300 + 18.75 + 10);
    assert.equal(of(['index', '7'], ['wait', '1h']), 600 + 37.5 + 10);
  });

  it('is a minute where it waits for nothing', () => {
    assert.deepEqual([patienceMs(), patienceMs([['wait', '5m']])], [60_000, 60_000]);
  });
});
