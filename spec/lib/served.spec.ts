import assert from 'node:assert/strict';
import { latencyOf, NOTHING_SERVED, servedSince, servedSum } from '../../lib/served.ts';

const served = (requests: number, latency: readonly number[] = [], errors = 0) => ({
  ...{ requests, errors, latency },
});

describe('what a service has answered', () => {
  it('is what came to it since, and all of it where the service began anew', () => {
    assert.deepEqual(
      servedSince(served(15, [9, 6], 2), served(10, [8, 2], 1)),
      served(5, [1, 4], 1),
    );
    assert.deepEqual(servedSince(served(3, [3]), served(10, [8, 2], 1)), served(3, [3]));
    assert.deepEqual(
      servedSince(served(12, [1]), served(10, [8])),
      served(2, [0]),
      'nothing below 0',
    );
  });

  it('adds up, place by place', () => {
    assert.deepEqual(
      servedSum(served(5, [1, 4], 1), served(2, [0, 0, 2])),
      served(7, [1, 4, 2], 1),
    );
  });

  it('took so long for a share of it, as if each place were filled evenly', () => {
    assert.equal(latencyOf(NOTHING_SERVED, 0.5), undefined);
    // Ten in up to 1 ms, ten in 10 to 20 ms.
    const two = served(20, [10, 0, 0, 0, 10]);
    assert.deepEqual(
      [0.25, 0.5, 0.75, 1].map((share) => latencyOf(two, share)),
      [0.5, 1, 15, 20],
    );
  });

  it('took longer than the last bound where no more is known', () => {
    const slow = served(4, [...new Array<number>(13).fill(0), 4]);
    assert.equal(latencyOf(slow, 0.5), 10_000);
  });
});
