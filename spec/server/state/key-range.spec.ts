import assert from 'node:assert/strict';
import fc from 'fast-check';
import { BTree } from '../../../lib/b-tree.ts';
import { compareKeys } from '../../../lib/key-order.ts';
import type { KeyValue } from '../../../lib/model.ts';
import { KeyRange, nameIn } from '../../../server/state/key-range.ts';
import { SEED } from '../../support/seed.ts';

function treeOf(keys: readonly string[]) {
  const rows = new BTree<string, KeyValue>(undefined, compareKeys);
  for (const Key of keys) rows.set(Key, { Key } as KeyValue);
  return rows;
}

function rangeOf(keys: readonly string[], prefix: string): KeyRange {
  const length = keys.filter((key) => key.startsWith(prefix)).length;
  return new KeyRange(treeOf(keys), prefix, length);
}

const many = (folder: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${folder}${String(i).padStart(5, '0')}`);
const keysOf = (rows: readonly KeyValue[]) => rows.map(({ Key }) => Key);

describe('KeyRange', () => {
  const keys = ['a', ...many('a/', 1000), 'a0', ...many('b/', 3)];

  it('hands out some at a time, of its prefix alone', () => {
    const range = rangeOf(keys, 'a/');
    const read = [0, 300, 600, 900].flatMap((from) => keysOf(range.slice(from, from + 300)));
    assert.deepEqual(read, many('a/', 1000));
  });

  it('begins anew for whoever goes back, and passes over what is left out', () => {
    const range = rangeOf(keys, 'a/');
    range.slice(0, 300);
    assert.deepEqual(keysOf(range.slice(0, 2)), ['a/00000', 'a/00001']);
    assert.deepEqual(keysOf(range.slice(998, 2000)), ['a/00998', 'a/00999']);
    assert.deepEqual(range.slice(1000, 2000), []);
  });

  it('stays as it was, whatever is written meanwhile', () => {
    const rows = treeOf(keys);
    const range = new KeyRange(rows.clone(), 'b/', 3);
    rows.delete('b/00001');
    rows.set('b/9', { Key: 'b/9' } as KeyValue);
    assert.deepEqual(keysOf(range.slice(0, 9)), many('b/', 3));
  });

  it('is empty where there are none', () => {
    assert.deepEqual(rangeOf([], 'a/').slice(0, 9), []);
    assert.deepEqual(rangeOf(keys, 'c/').slice(0, 9), []);
    assert.deepEqual(rangeOf(keys, 'c/').names('/'), []);
  });

  it('names folders without reading all that is in them', () => {
    const rows = treeOf([...many('a/', 10_000), ...many('b/', 10_000), 'c']);
    let compared = 0;
    const counted = new BTree<string, KeyValue>(rows.toArray(), (a, b) => {
      compared++;
      return compareKeys(a, b);
    });
    compared = 0;
    assert.deepEqual(new KeyRange(counted, '', 20_001).names('/'), ['a/', 'b/', 'c']);
    assert.ok(compared < 1000, `${compared} comparisons`);
  });

  it('finds the end of a folder that has keys beyond what it looks for', () => {
    const beyond = many('x/\u{10ffff}', 40);
    const rows = ['w', ...many('x/', 40), ...beyond, 'x/\u{10ffff}\u{10ffff}', 'y'];
    assert.deepEqual(rangeOf(rows, '').names('/'), ['w', 'x/', 'y']);
  });

  it('names each once, whatever keys hold', () => {
    const character = fc.constantFrom('a', '/', 'b', '\u{10ffff}', '\ue000', '\u{1f600}');
    const text = fc.string({ unit: character, minLength: 1, maxLength: 8 });
    const long = fc.array(text, { maxLength: 200 });
    const asked = fc.record({
      prefix: fc.string({ unit: character, maxLength: 2 }),
      separator: text,
    });
    fc.assert(
      fc.property(long, asked, (some, { prefix, separator }) => {
        const all = [...new Set(some)].sort(compareKeys);
        const under = all.filter((key) => key.startsWith(prefix));
        const names = new Set(under.map((key) => nameIn(key, prefix, separator)));
        assert.deepEqual(rangeOf(all, prefix).names(separator), [...names]);
      }),
      { seed: SEED },
    );
  });
});
