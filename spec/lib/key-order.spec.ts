import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareKeys } from '../../lib/key-order.ts';
import { SEED } from '../support/seed.ts';

describe('compareKeys', () => {
  it(`orders as the bytes of UTF-8 do (seed ${SEED})`, () => {
    const text = fc.string({ unit: 'binary', maxLength: 4 });
    fc.assert(
      fc.property(text, text, (a, b) => {
        const byBytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
        assert.equal(Math.sign(compareKeys(a, b)), byBytes);
      }),
      { seed: SEED, numRuns: 2000 },
    );
  });

  it('puts what lies beyond U+FFFF last, where JavaScript does not', () => {
    assert(compareKeys('\uffff', '\u{1f600}') < 0);
    assert('\uffff' > '\u{1f600}');
  });
});
