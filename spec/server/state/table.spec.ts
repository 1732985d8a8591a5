import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Journal, Lookup, Table } from '../../../server/state/table.ts';
import { SEED } from '../../support/seed.ts';

describe('a journal', () => {
  it('takes back whatever was set and deleted since the last commit, in any order', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const change = fc.record({ key, value: fc.option(fc.nat(3)) });
    const changes = fc.array(change, { maxLength: 12 });
    const write = (table: Table<number>, list: { key: string; value: number | null }[]) => {
      for (const { key: k, value } of list) {
        if (value === null) table.delete(k);
        else table.set(k, value);
      }
    };
    const read = (table: Table<number>) => ['a', 'b', 'c'].map((k) => table.get(k));
    fc.assert(
      fc.property(changes, changes, (kept, takenBack) => {
        const journal = new Journal();
        const table = new Table<number>(journal);
        write(table, kept);
        journal.commit();
        const before = read(table);
        write(table, takenBack);
        journal.rollback();
        assert.deepEqual(read(table), before);
        journal.rollback();
        assert.deepEqual(read(table), before);
      }),
      { seed: SEED },
    );
  });

  it('shows a table each change being taken back, so that its lookups follow', () => {
    const journal = new Journal();
    const seen: (number | undefined)[][] = [];
    const table = new Table<number>(journal, (before, after) => seen.push([before, after]));
    table.set('k', 1);
    journal.rollback();
    assert.deepEqual(seen, [
      [undefined, 1],
      [1, undefined],
    ]);
  });
});

describe('a lookup', () => {
  it('forgets a name with its last row', () => {
    const lookup = new Lookup<number>();
    lookup.set('web', 'a', 1);
    lookup.set('web', 'b', 2);
    lookup.delete('web', 'a');
    assert.deepEqual([...lookup.rows('web')], [2]);
    lookup.delete('web', 'b');
    assert.equal(lookup.has('web'), false);
    assert.deepEqual([...lookup.rows('web')], []);
  });
});
