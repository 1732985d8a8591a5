import assert from 'node:assert/strict';
import { bodiesBytes, keptBytes, memoryBytes } from '../../lib/limits.ts';

const GB = 1024 * 1024 * 1024;

describe('the room for what is kept for others', () => {
  it('is a quarter of what the process may have, and 512 MB at most', () => {
    assert.equal(keptBytes(GB), GB / 4);
    assert.equal(keptBytes(64 * GB), GB / 2);
  });
});

describe('the room for large answers', () => {
  it('is a quarter of what the process may have, and 1.5 GB at most', () => {
    assert.equal(bodiesBytes(2 * GB), GB / 2);
    assert.equal(bodiesBytes(64 * GB), 1.5 * GB);
  });

  it('goes by the container, where that has less than the machine', () => {
    assert.equal(memoryBytes(64 * GB, 2 * GB), 2 * GB);
  });

  it('goes by the machine where nothing bounds the process', () => {
    for (const unbounded of [0, 2 ** 63]) assert.equal(memoryBytes(8 * GB, unbounded), 8 * GB);
  });
});
