import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { BTree } from '../../../lib/b-tree.ts';
import { Rows } from '../../../lib/json-bytes.ts';
import { compareKeys } from '../../../lib/key-order.ts';
import type { KeyValue } from '../../../lib/model.ts';
import { firstOfTree, keys } from '../../../server/query/kv.ts';
import type { Query } from '../../../server/query/query.ts';
import { Sight } from '../../../server/query/sight.ts';
import { KeyRange, nameIn } from '../../../server/state/key-range.ts';
import { SEED } from '../../support/seed.ts';

describe('keys of which a part may be seen', () => {
  const rightsOf = (text: string) => compileRights([ruleSet(text)], 'deny');
  const walked = (keys: readonly string[], rules: string) => {
    const sight = new Sight(rightsOf(rules));
    const sorted = [...new Set(keys)].sort(compareKeys).map((Key) => [Key, { Key } as KeyValue]);
    let looks = 0;
    const sees = (row: KeyValue) => {
      looks++;
      if (sight.key(row)) return true;
      const passes = sight.hiddenWith(row.Key, '');
      return passes === undefined ? 'unseen' : { passes };
    };
    const range = () => new KeyRange(new BTree(sorted as never, compareKeys), '', Number.NaN);
    const seen = range().first(Number.POSITIVE_INFINITY, sees);
    const names = range().names('/', Number.POSITIVE_INFINITY, sees);
    return { seen: seen.map(({ Key }) => Key), names, looks };
  };

  it('are passed over together where none is seen', () => {
    const many = (folder: string) => Array.from({ length: 1000 }, (_, i) => `${folder}${i}`);
    const keys = [...many('a/'), 'b/1', 'b/2/x', 'b/3', ...many('c/'), ...many('d')];
    const { seen, names, looks } = walked(
      keys,
      'key_prefix "b/" { policy = "read" } key "b/3" { policy = "deny" }',
    );
    assert.deepEqual([seen, names], [['b/1', 'b/2/x'], ['b/']]);
    assert.ok(looks < 30, `${looks}`);
    assert.ok(walked(keys, '').looks <= 2);
  });

  it('are those that would be seen one by one, whatever the rules', () => {
    const letter = fc.constantFrom('a', 'b', '/', '\u{10ffff}');
    const name = fc.string({ unit: letter, maxLength: 4 });
    const rule = fc.tuple(
      fc.constantFrom('key', 'key_prefix'),
      name,
      fc.constantFrom('read', 'deny'),
    );
    fc.assert(
      fc.property(
        fc.array(name, { maxLength: 60 }),
        fc.array(rule, { maxLength: 5 }),
        (keys, rules) => {
          const text = rules.map(([kind, of, level]) => `${kind} "${of}" { policy = "${level}" }`);
          const rights = rightsOf(text.join('\n'));
          const { seen, names } = walked(keys, text.join('\n'));
          const all = [...new Set(keys)]
            .sort(compareKeys)
            .filter((key) => rights.may('key', 'read', key));
          assert.deepEqual(seen, all);
          assert.deepEqual(names, [...new Set(all.map((key) => nameIn(key, '', '/')))]);
        },
      ),
      { seed: SEED },
    );
  });
});

describe('the first keys of a tree', () => {
  const all = Array.from({ length: 1000 }, (_, i) => ({ Key: `k${i}` }) as KeyValue);

  /** What is read of them at a time, with what is shown. */
  function run(query: Query) {
    const read: (readonly [number, number])[] = [];
    const slice = (from: number, to: number) => {
      read.push([from, to]);
      return all.slice(from, to);
    };
    const under = () => ({ length: all.length, slice });
    const content = query.run({ keys: { under, seesAllUnder: () => true } } as never);
    return { read, json: 'json' in content ? content.json : undefined };
  }

  it('are read as they are written, a few at a time, and no more than were asked for', () => {
    for (const query of [
      firstOfTree('', { rows: 900, bytes: Infinity }),
      keys('', '', false, 900),
    ]) {
      const { json, read } = run(query);
      assert.ok(json instanceof Rows);
      assert.deepEqual([json.size, read], [900, []]);
      assert.equal(json.made(0, 128).length, 128);
      assert.equal(json.made(896, 1024).length, 4);
      assert.deepEqual(read, [
        [0, 128],
        [896, 900],
      ]);
    }
  });
});
