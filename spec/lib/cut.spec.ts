import assert from 'node:assert/strict';
import { cut } from '../../lib/cut.ts';
import { liveBytes } from '../support/heap.ts';

describe('the first characters of a text', () => {
  it('are as many as may be, and all of a text that has no more', () => {
    assert.deepEqual(
      ['', 'abc', 'abcd', 'äöüß'].map((text) => cut(text, 3)),
      ['', 'abc', 'abc', 'äöü'],
    );
  });

  it('keep nothing else of it alive', async () => {
    const kept: string[] = [];
    const before = (await liveBytes()).heap;
    for (let i = 0; i < 100; i++) kept.push(cut(Buffer.alloc(1_000_000, 'x').toString(), 500));
    const { heap } = await liveBytes();
    assert.ok(heap - before < 5_000_000, `${heap - before}`);
    assert.equal(kept.length, 100);
  }).timeout(60_000);
});
