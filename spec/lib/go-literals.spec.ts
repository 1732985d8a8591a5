import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseBool, parseInteger, quote, uint64Complaint, unquote } from '../../lib/go-literals.ts';

const SEED = 41;

describe('quote', () => {
  it('writes what cannot be seen as Go does', () => {
    assert.equal(
      quote('a"b\\\n\x01é\u200b\u{e0001}😀'),
      '"a\\"b\\\\\\n\\x01é\\u200b\\U000e0001😀"',
    );
  });
});

describe('unquote', () => {
  it(`reads what quote wrote (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        // Within a filter a double quote ends the literal, and has no escape.
        const plain = text.replaceAll('"', '');
        assert.equal(unquote(quote(plain)), plain);
      }),
      { seed: SEED },
    );
  });

  it('puts a character together from the bytes of its escapes', () => {
    assert.equal(unquote('"\\xc3\\xa9 \\303\\251"'), 'é é');
  });

  it('knows no escape but those of Go', () => {
    for (const literal of ['"\\q"', '"\\X41"', '"\\N"', '"\\7"', '"\\400"', '"\\u12"', '"\\"']) {
      assert.equal(unquote(literal), undefined, literal);
    }
  });

  it('leaves alone what stands between back-ticks', () => {
    assert.equal(unquote('`\\d+\n"`'), '\\d+\n"');
  });
});

describe('parseInteger', () => {
  it('reads every base that Go reads', () => {
    const texts = ['80', '+80', '0x50', '0X5_0', '0b1010000', '0o120', '0120', '8_0'];
    assert.deepEqual(texts.map(parseInteger), Array(texts.length).fill(80));
    assert.equal(parseInteger('-0'), 0);
  });

  it('keeps to 64 bits, digit by digit', () => {
    assert.equal(parseInteger('-9223372036854775808'), -9223372036854775808n);
    assert.equal(parseInteger('9223372036854775808'), 'value out of range');
  });

  it('refuses what is no integer', () => {
    for (const text of ['', '-', '0x', '08', '_8', '8_', '8__0', '80.0', ' 80', '1e3', '0x_']) {
      assert.equal(parseInteger(text), 'invalid syntax', text);
    }
  });
});

describe('parseBool', () => {
  it('knows the spellings of Go and no other', () => {
    assert.equal(parseBool('T'), true);
    assert.equal(parseBool('False'), false);
    assert.equal(parseBool('yes'), undefined);
  });
});

describe('uint64Complaint', () => {
  for (const text of ['0', '18446744073709551615', '00000000000000000000000000001']) {
    it(`has none about ${text}`, () => assert.equal(uint64Complaint(text), undefined));
  }
  for (const [text, why] of [
    ['', 'invalid syntax'],
    ['-1', 'invalid syntax'],
    ['+1', 'invalid syntax'],
    ['1e3', 'invalid syntax'],
    ['18446744073709551616', 'value out of range'],
    ['9'.repeat(10_000), 'value out of range'],
  ] as const) {
    it(`has one about ${text.slice(0, 30)}`, () => {
      const parsing = `strconv.ParseUint: parsing "${text}": `;
      assert.equal(uint64Complaint(text), parsing + why);
    });
  }
});
