import assert from 'node:assert/strict';
import { decodeJson } from '../../lib/json.ts';
import { complaintOfBounds } from '../../lib/json-bounds.ts';

const BOUNDS = { names: 4, values: 10, longIntegers: 2 };
const complaintOf = (text: string) => complaintOfBounds(text, BOUNDS);
const object = (names: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: names }, (_, i) => [`name-${i}`, 1])));

describe('what a JSON text comes to', () => {
  it('is refused where an object has too many names, at whichever depth', () => {
    assert.equal(complaintOf(object(4)), undefined);
    assert.equal(complaintOf(object(5)), 'an object has more than 4 names');
    assert.equal(complaintOf(`[[1,2],{"a":${object(5)}}]`), 'an object has more than 4 names');
  });

  it('is refused where there are too many values in all', () => {
    assert.equal(complaintOf(`[${Array(10).fill('{}').join(',')}]`), undefined);
    assert.equal(complaintOf(`[${Array(11).fill('{}').join(',')}]`), 'more than 10 values');
    const lists = `[${Array(4).fill('[1,2,3]').join(',')}]`;
    assert.equal(complaintOf(lists), 'more than 10 values');
  });

  it('is not counted in strings', () => {
    const text = JSON.stringify({ [`a${',"\\'.repeat(20)}`]: `${'\\",{'.repeat(20)}` });
    assert.equal(complaintOf(text), undefined);
    assert.equal(complaintOf(text.slice(0, -2)), undefined);
  });

  it('is refused where more integers are long than may be', () => {
    const list = (count: number) => `["2",${Array(count).fill('12345678901234567890').join(',')}]`;
    const read = decodeJson(list(2), 32, BOUNDS);
    assert.deepEqual(read, ['2', 12345678901234567890n, 12345678901234567890n]);
    assert.throws(
      () => decodeJson(list(3), 32, BOUNDS),
      /^SyntaxError: more than 2 long integers$/,
    );
  });

  it('may be no JSON', () => {
    assert.equal(complaintOf(`${']'.repeat(30)}${'['.repeat(20)}`), undefined);
    assert.equal(complaintOf(',,,,,,,,,,,,,,,,,,,,,,'), 'more than 10 values');
  });
});
