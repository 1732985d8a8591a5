import assert from 'node:assert/strict';
import { encodeJson } from '../../lib/json.ts';
import { encodeJsonBytes } from '../../lib/json-bytes.ts';

const LONG = 'QUJD'.repeat(3000);
const row = (Key: string, Value: string | null, more = {}) => ({ Key, Flags: 0, Value, ...more });

/** What it must come to, whichever way it was written. */
function assertSame(value: unknown): void {
  assert.equal(encodeJsonBytes(value).toString(), encodeJson(value));
  assert.equal(encodeJsonBytes(value, true).toString(), `${encodeJson(value, true)}\n`);
}

describe('JSON as bytes', () => {
  for (const [what, value] of Object.entries({
    'no list': null,
    'an empty list': [],
    'an empty object': {},
    'a text': 'a <b>',
    'a long text': LONG,
    'a long text that must be escaped': `${LONG}<\n\u2028é`,
    'a row': [row('a', 'QQ==')],
    'long rows alone': [row('a', LONG), row('b', LONG)],
    'long rows among short ones': [row('a', ''), row('b', LONG), row('c', null), row('é<', LONG)],
    'rows with big numbers': [
      row('a', LONG, { Flags: 2n ** 64n - 1n }),
      row('b', '', { Flags: 5n }),
    ],
    'rows without a field': [row('a', LONG, { Session: undefined }), undefined],
    'names that are numbers': [{ 2: LONG, 10: 'b', a: 'c' }, { Meta: { 2: 'x', 10: 'y' } }, LONG],
    'results of a transaction': {
      Results: [{ KV: row('a', LONG) }, { KV: row('b', '') }],
      Errors: null,
    },
    'many small rows': Array.from({ length: 2500 }, (_, i) => row(`k${i}`, i % 7 ? 'QQ==' : LONG)),
    'many small rows in an object': { Nodes: Array.from({ length: 2500 }, (_, i) => ({ i })) },
    'lists in lists': [[], [[LONG]], [[[[[LONG]]]]], [{ a: [] }]],
  })) {
    it(`is what it is as a text: ${what}`, () => assertSame(value));
  }

  it('writes more than a text can hold', () => {
    const Value = 'QUJD'.repeat(2 ** 22);
    const rows = Array.from({ length: 33 }, () => ({ Value }));
    const bytes = encodeJsonBytes(rows);
    assert(bytes.length > 2 ** 29);
    assert.equal(bytes.toString('latin1', bytes.length - 7), 'QUJD"}]');
  });
});
