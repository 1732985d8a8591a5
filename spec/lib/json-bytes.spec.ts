import assert from 'node:assert/strict';
import { encodeJson } from '../../lib/json.ts';
import { encodeJsonBytes, Rows, Written } from '../../lib/json-bytes.ts';
import { Work } from '../../lib/slices.ts';
import { Turns, whole } from '../support/turns.ts';

const LONG = 'QUJD'.repeat(3000);
const row = (Key: string, Value: string | null, more = {}) => ({ Key, Flags: 0, Value, ...more });

/** What it must come to, whichever way it was written. */
async function assertSame(value: unknown): Promise<void> {
  assert.equal((await whole(encodeJsonBytes(value))).toString(), encodeJson(value));
  assert.equal(
    (await whole(encodeJsonBytes(value, true))).toString(),
    `${encodeJson(value, true)}\n`,
  );
}

const list = (length: number, show: (i: number) => unknown) =>
  Rows.of(
    Array.from({ length }, (_, i) => i),
    show,
  );

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
    'no rows': list(0, (i) => i),
    'rows that are made': list(300, (i) => row(`k${i}`, i % 7 ? 'QQ==' : LONG)),
    'rows of which some are left out': list(1000, (i) => (i % 300 > 5 ? undefined : { i })),
    'rows that are all left out': { Results: list(1000, () => undefined), Errors: null },
    'little within little': {
      Servers: [{ ID: 'é<', Tags: { a: { b: null } } }],
      Known: true,
      No: undefined,
    },
    'little, and too deep': { a: [{ b: [{ c: [{ d: 'QQ==' }] }] }] },
    'little but for how many': { Tags: Array.from({ length: 200 }, (_, i) => [i, { i }]) },
    'a row that is written, within little': {
      Rows: [new Written(() => ({ a: '<', b: undefined }))],
    },
    'lists in lists': [[], [[LONG]], [[[[[LONG]]]]], [{ a: [] }]],
  })) {
    it(`is what it is as a text: ${what}`, () => assertSame(value));
  }

  it('is made at once where it is small, and in slices where it is large', async () => {
    assert(encodeJsonBytes(list(1000, (i) => row(`k${i}`, 'QQ=='))) instanceof Buffer);
    const turns = new Turns();
    let most = 0;
    const show = (i: number) => {
      most = Math.max(most, turns.count('row'));
      return row(`k${i}`, 'QQ==');
    };
    const bytes = encodeJsonBytes(list(100_000, show));
    assert(bytes instanceof Work);
    assert.equal((await whole(bytes)).length, 4_188_891);
    assert(most < 10_000, String(most));
    assert(turns.stop() > 10);
  });

  it('makes a row that is left out in a slice of its own, too', async () => {
    assert(encodeJsonBytes(list(100_000, () => undefined)) instanceof Work);
  });

  it('rejects what making a row throws, later on too', async () => {
    const show = (at: number) => (i: number) => {
      if (i === at) throw new Error('no row');
      return row(`k${i}`, 'QQ==');
    };
    assert.throws(() => encodeJsonBytes(list(10, show(5))), /no row/);
    await assert.rejects(whole(encodeJsonBytes(list(100_000, show(90_000)))), /no row/);
  });

  it('refuses more than an answer may hold, before it makes it', async () => {
    const rows = list(100_000, (i) => row(`k${i}`, 'QQ=='));
    await assert.rejects(whole(encodeJsonBytes(rows, false, 4_000_000)), {
      code: 'too-large',
      message: 'The answer is too large, max size: 4000000 bytes.',
    });
  });

  it('writes more than a text can hold', async () => {
    const Value = 'QUJD'.repeat(2 ** 22);
    const rows = Array.from({ length: 33 }, () => ({ Value }));
    const bytes = await whole(encodeJsonBytes(rows));
    assert(bytes.length > 2 ** 29);
    assert.equal(bytes.toString('latin1', bytes.length - 7), 'QUJD"}]');
  });
});
