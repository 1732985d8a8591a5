import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeJson, encodeJson, MAX_JSON_DEPTH } from '../../lib/json.ts';
import { SEED } from '../support/seed.ts';

describe('encodeJson', () => {
  it('escapes what Go escapes', () => {
    assert.equal(encodeJson('<a>&\u2028\u2029'), '"\\u003ca\\u003e\\u0026\\u2028\\u2029"');
  });

  it('writes integers of 64 bits digit by digit, also for people', () => {
    const value = { Flags: 2n ** 64n - 1n };
    assert.equal(encodeJson(value), '{"Flags":18446744073709551615}');
    assert.equal(encodeJson(value, true), '{\n    "Flags": 18446744073709551615\n}');
  });

  it('writes nothing as null', () => {
    assert.equal(encodeJson(undefined), 'null');
    assert.equal(encodeJson(undefined, true), 'null');
  });
});

describe('decodeJson', () => {
  it('keeps integers beyond 2^53, and only those, as bigint', () => {
    const text = '[9007199254740991,9007199254740993,-9007199254740993,1.5,"9007199254740993"]';
    const expected = [2 ** 53 - 1, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 1.5, '9007199254740993'];
    assert.deepEqual(decodeJson(text), expected);
  });

  it('leaves long digits alone in names, strings and fractions', () => {
    const text = '{"12345678901234567890":"a \\"12345678901234567890","b":0.12345678901234567890}';
    assert.deepEqual(decodeJson(text), JSON.parse(text));
  });

  it('keeps __proto__ as a name like any other, with long integers too', () => {
    const read = decodeJson('{"__proto__":{"x":12345678901234567890}}') as object;
    assert.deepEqual(Object.keys(read), ['__proto__']);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it(`refuses what is nested deeper than ${MAX_JSON_DEPTH}, and counts no brackets in strings`, () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.doesNotThrow(() => decodeJson(nested(MAX_JSON_DEPTH)));
    assert.throws(() => decodeJson(nested(MAX_JSON_DEPTH + 1)), /nested too deeply/);
    assert.throws(() => decodeJson(nested(100_000)), /nested too deeply/);
    assert.doesNotThrow(() => decodeJson(JSON.stringify('['.repeat(1000))));
  });

  const INFINITE = ['1e999', '-1e400', `${'9'.repeat(400)}.5`, '[1e+309]', '1e0000309'];
  for (const text of INFINITE) {
    it(`refuses a number beyond all: ${text.slice(0, 12)}`, () => {
      assert.throws(() => decodeJson(text), /is out of range/);
    });
  }

  it('takes such digits where they are text', () => {
    const uuid = '"2e999abc-1e400"';
    assert.equal(decodeJson(uuid), '2e999abc-1e400');
  });

  it(`reads back whatever encodeJson writes (seed ${SEED})`, () => {
    const big = fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n });
    const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), big, fc.constant(null));
    const value = fc.oneof(fc.array(leaf), fc.dictionary(fc.string(), leaf), leaf);
    fc.assert(
      fc.property(value, fc.boolean(), (v, pretty) => {
        const read = decodeJson(encodeJson(v, pretty));
        assert.equal(encodeJson(read), encodeJson(v));
      }),
      { seed: SEED },
    );
  });
});
