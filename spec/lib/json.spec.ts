import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeJson, decodeOwnJson, encodeJson, encodeOwnJson } from '../../lib/json.ts';
import { MAX_JSON_DEPTH } from '../../lib/json-bounds.ts';
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

  it('writes names that look like numbers where their bytes put them', () => {
    const names = { 10: 1, 9: { 2: 'a', 10: 'b' }, b: 2n, a: '{"10":1}' };
    assert.equal(encodeJson([names]), '[{"10":1,"9":{"10":"b","2":"a"},"a":"{\\"10\\":1}","b":2}]');
    assert.equal(encodeJson({ 10: 1, 9: 2 }, true), '{\n    "10": 1,\n    "9": 2\n}');
  });

  it('writes nothing as null', () => {
    assert.equal(encodeJson(undefined), 'null');
    assert.equal(encodeJson(undefined, true), 'null');
  });
});

describe('encodeOwnJson', () => {
  it('writes what is read back as it was: numbers as numbers, bigints as bigints', () => {
    const value = {
      numbers: [7.2e18, -7.2e18, 2 ** 53, -(2 ** 53), 1e20, 1e21, 1.5, 2 ** 53 - 1, 0, 1e-7],
      bigints: [2n ** 53n, -(2n ** 63n), 2n ** 64n - 1n],
      names: { 10: 7.2e18, 9: '"7200000000000000000"', '<': '7200000000000000000' },
    };
    assert.deepEqual(decodeJson(encodeOwnJson(value)), value);
    assert.equal(encodeOwnJson({ a: 1, b: 1e16 }), '{"a":1,"b":1e+16}');
  });
});

describe('decodeOwnJson', () => {
  it('reads what was written before halves were kept out', () => {
    const written = { 'a\ud800': ['\udfff'] };
    assert.deepEqual(decodeOwnJson(encodeOwnJson(written)), written);
  });
});

describe('decodeJson', () => {
  // As a Consul 1.8.7 complained of each.
  const COMPLAINTS: readonly (readonly [string, string])[] = [
    ['{', 'unexpected EOF'],
    ['{"a":x}', "invalid character 'x' looking for beginning of value"],
    ['{a', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['"a\u0001"', "invalid character '\\x01' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['[01]', "invalid character '1' after array element"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    [`{"a":'b'}`, `invalid character '\\'' looking for beginning of value`],
    ['{"a":"b\n"}', "invalid character '\\n' in string literal"],
  ];
  for (const [text, complaint] of COMPLAINTS) {
    it(`says of ${JSON.stringify(text)} what Go says`, () => {
      assert.throws(() => decodeJson(text), { name: 'SyntaxError', message: complaint });
    });
  }

  it('has a complaint for whatever is no JSON', () => {
    const pieces = [
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"',
      '1',
      '-',
      '.5',
      'e',
      'true',
      'nul',
      ' ',
    ];
    const texts = fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join(''));
    fc.assert(
      fc.property(texts, (text) => {
        try {
          JSON.parse(text);
        } catch {
          assert.throws(() => decodeJson(text), {
            message: /^(invalid character|unexpected EOF|EOF)/,
          });
        }
      }),
      { seed: SEED },
    );
  });

  it('keeps integers beyond 2^53, and only those, as bigint', () => {
    const text = '[9007199254740991,9007199254740993,-9007199254740993,1.5,"9007199254740993"]';
    const expected = [2 ** 53 - 1, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 1.5, '9007199254740993'];
    assert.deepEqual(decodeJson(text), expected);
  });

  it('leaves long digits alone in names, strings and fractions', () => {
    const text = '{"12345678901234567890":"a \\"12345678901234567890","b":0.12345678901234567890}';
    assert.deepEqual(decodeJson(text), JSON.parse(text));
  });

  // As a Consul 1.8.7 reads them.
  for (const [text, expected] of [
    ['"a\\ud800"', 'a\ufffd'],
    ['"\\uDFFFa"', '\ufffda'],
    ['"\\ud800\\u0041"', '\ufffdA'],
    ['"\\ud83d\\ud83d\\ude00\\ude00"', '\ufffd😀\ufffd'],
    ['"\\ud83d\\ude00\\uD83D\\uDE00"', '😀😀'],
    ['"\\\\ud800"', '\\ud800'],
    ['"\\\\\\ud800"', '\\\ufffd'],
    ['{"a\\udc00":["\\udbff"]}', { 'a\ufffd': ['\ufffd'] }],
    ['{"a\\udc00":12345678901234567890}', { 'a\ufffd': 12345678901234567890n }],
  ] as const) {
    it(`reads no half of a character: ${text}`, () => {
      assert.deepEqual(decodeJson(text), expected);
    });
  }

  it('takes no time for many halves, and none of what is no escape of one', () => {
    const halves = '\\ud800'.repeat(100_000);
    assert.equal(decodeJson(`"${halves}"`), '\ufffd'.repeat(100_000));
    const backslashes = '\\'.repeat(200_000);
    assert.equal(decodeJson(`"${backslashes}\\ud800"`), `${'\\'.repeat(100_000)}\ufffd`);
    assert.throws(() => decodeJson('"\\ud8zz"'), /in \\u hexadecimal character escape/);
  });

  it('keeps __proto__ as a name like any other, with long integers too', () => {
    const read = decodeJson('{"__proto__":{"x":12345678901234567890}}') as object;
    assert.deepEqual(Object.keys(read), ['__proto__']);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it('reads integers of 64 bits wherever they stand, and no parts of other numbers', () => {
    const text =
      '{"a":[-9223372036854775808,{"b":18446744073709551615}],"s":"1234567890123456789"}';
    assert.deepEqual(decodeJson(text), {
      a: [-(2n ** 63n), { b: 2n ** 64n - 1n }],
      s: '1234567890123456789',
    });
    const others =
      '[0.12345678901234567890,12345678901234567890.5,12345678901234567e3,1e0000000000000000010]';
    assert.deepEqual(decodeJson(others), JSON.parse(others));
  });

  it(`refuses what is nested deeper than ${MAX_JSON_DEPTH}, and counts no brackets in strings`, () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    assert.doesNotThrow(() => decodeJson(nested(MAX_JSON_DEPTH)));
    assert.throws(() => decodeJson(nested(MAX_JSON_DEPTH + 1)), /nested too deeply/);
    assert.throws(() => decodeJson(nested(100_000)), /nested too deeply/);
    assert.doesNotThrow(() => decodeJson(JSON.stringify('['.repeat(1000))));
  });

  it('looks at the depth of what is no JSON first, however its strings end', () => {
    assert.throws(() => decodeJson('["\\"]'.repeat(100_000)), /invalid JSON/);
    assert.throws(() => decodeJson('['.repeat(500_000)), /nested too deeply/);
    assert.throws(() => decodeJson('{"a\\"":'.repeat(50)), /nested too deeply/);
    assert.throws(() => decodeJson(`"${'['.repeat(100)}`), /unexpected EOF/);
  });

  it('says of a long text only that it is none, for to look takes long', () => {
    assert.throws(() => decodeJson(`[${'1,'.repeat(100)}]`), /invalid character '\]'/);
    assert.throws(() => decodeJson(`[${'1,'.repeat(100_000)}]`), /^SyntaxError: invalid JSON$/);
  });

  const INFINITE = [
    ...['1e999', '-1e400', `${'9'.repeat(400)}.5`, '[1e+309]', '1e0000309'],
    `{"x":1${'0'.repeat(250)}e99}`,
  ];
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
