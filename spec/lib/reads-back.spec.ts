import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodeOwnJson,
  encodeOwnJson,
  encodePlainJson,
  MAX_OWN_JSON_DEPTH,
} from '../../lib/json.ts';
import { readsBack } from '../../lib/reads-back.ts';

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

const NAMES = fc.oneof(
  fc.string(),
  fc.constantFrom('', '0', '12', '1a', '-1', '__proto__', 'toJSON', 'constructor'),
);
const NUMBERS = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(0, -0, 2 ** 53, -(2 ** 53), Number.MAX_SAFE_INTEGER, 1e21, Infinity, NaN),
);

describe('readsBack', () => {
  it('says so of nothing that would be read back as anything else', () => {
    const values = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), NUMBERS, fc.bigInt()),
        fc.constantFrom(
          null,
          undefined,
          true,
          false,
          '\ud800',
          '<>&\u2028',
          new Date(0),
          new Map(),
        ),
        fc.array(tie('any')),
        fc.dictionary(NAMES, tie('any'), { noNullPrototype: true }),
        fc.dictionary(NAMES, tie('any')),
      ),
    }));
    let said = 0;
    fc.assert(
      fc.property(values.any, (value) => {
        if (!readsBack(value)) return;
        said++;
        const back = decodeOwnJson(encodeOwnJson(value));
        assert.deepStrictEqual(back, value);
        assert.equal(encodePlainJson(value), encodeOwnJson(value));
        assert.equal(JSON.stringify(back), JSON.stringify(value), 'names keep their order');
      }),
      { numRuns: 2000 },
    );
    assert(said > 100, `of ${said}`);
  });

  it('says so of what is written all the time', () => {
    const op = { key: 'a/1', flags: 0, value: 'dmFsdWU=', index: 0, session: '', verb: 'set' };
    assert(readsBack({ type: 'kv', op }));
    assert(readsBack({ Tags: ['v1'], Meta: null, Weights: { Passing: 1 }, On: true, Part: 0.5 }));
  });

  it('leaves to the reader what is nested more deeply than may be read', () => {
    assert(readsBack(nested(MAX_OWN_JSON_DEPTH)));
    assert(!readsBack(nested(MAX_OWN_JSON_DEPTH + 1)));
  });
});
