import assert from 'node:assert/strict';
import { Rows } from '../../../lib/json-bytes.ts';
import type { KeyValue } from '../../../lib/model.ts';
import { firstOfTree, keys } from '../../../server/query/kv.ts';
import type { Query } from '../../../server/query/query.ts';

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
    for (const query of [firstOfTree('', 900), keys('', '', false, 900)]) {
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
