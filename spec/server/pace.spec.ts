import assert from 'node:assert/strict';
import { Pace } from '../../server/pace.ts';

/** As many write as `count`, all in one batch or in halves; halves are quicker unless it is said otherwise. */
function written(count: number, { most = 2, halvesMs = 2 } = {}) {
  let now = 0;
  const pace = new Pace(() => now, most, 512);
  for (let round = 0; round < 200; round++) {
    const part = Math.min(count, pace.together);
    now += pace.inHalves ? halvesMs : 10;
    pace.back({ count: part, waiting: 0, others: count - part, tookMs: 10 });
    pace.gone();
  }
  return pace;
}

describe('the pace of batches', () => {
  it('lets one go when nothing is with the log, and none beside it at first', () => {
    const pace = new Pace(() => 0, 2, 512);
    assert.equal(pace.goes(0, 0, 0), false);
    assert.equal(pace.goes(1, 0, 0), true);
    assert.equal(pace.goes(100, 1, 1), false);
    assert.equal(pace.together, 512);
  });

  it('waits for all who were answered and for nobody else, where all share one batch', () => {
    const pace = written(32, { halvesMs: 30 });
    assert.equal(pace.inHalves, false);
    pace.back({ count: 30, waiting: 2, others: 0, tookMs: 4 });
    assert.deepEqual(pace.expected.count, 32);
    pace.gone();
    assert.equal(pace.expected.count, 0);
  });

  it('has two halves take turns where that is quicker', () => {
    const pace = written(32);
    assert.equal(pace.inHalves, true);
    assert.equal(pace.together, 16);
    assert.equal(pace.goes(15, 1, 16), false);
    assert.equal(pace.goes(16, 1, 16), true);
    assert.equal(pace.goes(16, 2, 32), false);
    pace.back({ count: 16, waiting: 0, others: 16, tookMs: 2 });
    assert.equal(pace.expected.count, 16);
  });

  it('parts nobody where there are but a few', () => {
    const pace = written(3);
    assert.equal(pace.inHalves, false);
    assert.equal(pace.together, 512);
  });

  it('never has two under way in a log that takes one at a time', () => {
    const pace = written(32, { most: 1 });
    assert.equal(pace.inHalves, false);
    assert.equal(pace.goes(32, 1, 1), false);
  });

  it('has no patience with a slow log beyond some milliseconds', () => {
    const pace = new Pace(() => 5, 1, 512);
    pace.back({ count: 3, waiting: 0, others: 0, tookMs: 1000 });
    assert.equal(pace.expected.until, 8);
  });
});
