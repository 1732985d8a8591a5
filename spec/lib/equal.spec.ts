import assert from 'node:assert/strict';
import { sameJson } from '../../lib/equal.ts';

describe('sameJson', () => {
  it('minds the order of lists, and not that of names', () => {
    assert(sameJson({ a: 1, b: [1, 2] }, { b: [1, 2], a: 1 }));
    assert(!sameJson([1, 2], [2, 1]));
  });

  it('tells apart null, nothing, an empty list and an empty object', () => {
    const values = [null, undefined, [], {}, '', 0, false];
    for (const [i, a] of values.entries()) {
      for (const [j, b] of values.entries()) assert.equal(sameJson(a, b), i === j);
    }
  });

  it('looks only at what is their own', () => {
    assert(!sameJson({ toString: 1 }, { x: 1 }));
    assert(!sameJson({ constructor: undefined }, { x: undefined }));
    assert(!sameJson(JSON.parse('{"__proto__":{}}'), JSON.parse('{"x":{}}')));
  });

  it('tells integers of 64 bits apart', () => {
    assert(sameJson(2n ** 63n, 2n ** 63n));
    assert(!sameJson(2n ** 63n, 2n ** 63n + 1n));
  });
});
