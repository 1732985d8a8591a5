import assert from 'node:assert/strict';
import { START } from '../../../../../server/log/event-log.ts';
import type { RawEntry } from '../../../../../server/log/redis/records/stream.ts';
import { RingBuffer } from '../../../../../server/log/redis/repair/history.ts';

function entry(index: number, t = index, payload = 'x'): RawEntry {
  return { index, epoch: 1, t, id: `p${index}`, hash: `h${index}`, payload };
}

const EVERYTHING = { minMs: 1e9, minEntries: 1e9, maxBytes: 1e9 };

describe('RingBuffer', () => {
  it('knows its entries by index, and where it began', () => {
    const ring = new RingBuffer(EVERYTHING);
    assert.equal(ring.tip, START);
    for (const index of [1, 2, 3, 900, 901]) ring.push(entry(index));
    assert.equal(ring.at(0), START);
    assert.equal(ring.at(3)?.hash, 'h3');
    assert.equal(ring.at(4), undefined);
    assert.equal(ring.at(900)?.hash, 'h900');
    assert.equal(ring.tip.index, 901);
  });

  it('gives what comes after an index, in pieces', () => {
    const ring = new RingBuffer(EVERYTHING);
    for (let i = 1; i <= 9; i++) ring.push(entry(i));
    const indexes = (after: number, limit: number, bytes = 1e9) =>
      ring.after(after, limit, bytes).map(({ index }) => index);
    assert.deepEqual(indexes(6, 10), [7, 8, 9]);
    assert.deepEqual(indexes(2, 3), [3, 4, 5]);
    assert.deepEqual(indexes(9, 3), []);
    assert.deepEqual(indexes(0, 9, 1), [1], 'one at least');
  });

  it('drops an entry when it is old and far back, not when it is one of the two', () => {
    const ring = new RingBuffer({ minMs: 100, minEntries: 3, maxBytes: 1e9 });
    for (let i = 1; i <= 5; i++) ring.push(entry(i, 0));
    assert.equal(ring.length, 5, 'all are young');
    ring.push(entry(6, 1000));
    assert.equal(ring.length, 3, 'three stay however old they are');
    assert.equal(ring.base.hash, 'h3');
    assert.equal(ring.at(3)?.hash, 'h3');
    assert.equal(ring.at(2), undefined);
  });

  it('holds no more bytes than it may, whatever else it should keep', () => {
    const ring = new RingBuffer({ minMs: 1e9, minEntries: 1e9, maxBytes: 10_000 });
    for (let i = 1; i <= 5000; i++) ring.push(entry(i, 0, 'x'.repeat(700)));
    assert(ring.length >= 8 && ring.length <= 10, `${ring.length}`);
    assert.equal(ring.tip.index, 5000);
    assert.equal(ring.base.index, 5000 - ring.length);
  });

  it('finds the newest entry that another history has too', async () => {
    const ring = new RingBuffer(EVERYTHING);
    for (let i = 1; i <= 100; i++) ring.push(entry(i));
    for (const common of [1, 37, 99, 100]) {
      const found = await ring.newestKnown(async ({ index }) => index <= common);
      assert.equal(found?.index, common);
    }
    assert.equal(await ring.newestKnown(async () => false), undefined);
  });

  it('goes on from any position', () => {
    const ring = new RingBuffer(EVERYTHING);
    ring.push(entry(1));
    ring.reset({ index: 500, epoch: 2, hash: 'h500', t: 5 });
    assert.equal(ring.length, 0);
    assert.equal(ring.tip.index, 500);
    ring.push(entry(501));
    assert.equal(ring.at(1), undefined);
    assert.equal(ring.at(500)?.hash, 'h500');
  });
});
