import assert from 'node:assert/strict';
import { laidOut } from '../../web/core/json-layout.ts';

describe('JSON that is laid out', () => {
  it('is as JSON.stringify lays it out, whatever it holds', () => {
    for (const value of [
      {},
      [],
      { a: [] },
      [{}],
      { a: { b: [1, 'x', null, true, [2]] } },
      'a{b}',
      7,
    ])
      assert.equal(laidOut(JSON.stringify(value)), JSON.stringify(value, null, 2));
    const odd = { 'k "y"': '\\" , : [ { \\\\', 'ü\n': '键' };
    assert.equal(laidOut(JSON.stringify(odd)), JSON.stringify(odd, null, 2));
  });

  it('has each number and string as it was written, however large', () => {
    const text = '{"id": 12345678901234567890,\n"n": [1.0, 1e400, -0], "id": "\\u00e9"}';
    const lines = ['{', '  "id": 12345678901234567890,', '  "n": [', '    1.0,', '    1e400,'];
    const rest = ['    -0', '  ],', '  "id": "\\u00e9"', '}'];
    assert.equal(laidOut(text), [...lines, ...rest].join('\n'));
    assert.equal(laidOut(laidOut(text) ?? ''), laidOut(text));
  });

  it('is none where it would be far longer than what it is of', () => {
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    assert.equal(laidOut(deep), undefined);
    assert.notEqual(laidOut('['.repeat(500) + ']'.repeat(500)), undefined);
  });
});
