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
  it('has one row of a name, and many, and one again', () => {
    const lookup = new Lookup<number>();
    const shown = () => [lookup.count('a'), [...lookup.rows('a')], lookup.first('a')] as const;
    assert.deepEqual(shown(), [0, [], undefined]);
    lookup.set('a', 'x', 1);
    assert.deepEqual(shown(), [1, [1], ['x', 1]]);
    lookup.set('a', 'x', 2);
    assert.deepEqual(shown(), [1, [2], ['x', 2]]);
    lookup.set('a', 'y', 3);
    assert.deepEqual(shown(), [2, [2, 3], ['x', 2]]);
    assert.deepEqual([lookup.hasRow('a', 'y'), lookup.hasRow('a', 'z')], [true, false]);
    lookup.delete('a', 'x');
    assert.deepEqual(shown(), [1, [3], ['y', 3]]);
    lookup.delete('a', 'x');
    assert.deepEqual(shown(), [1, [3], ['y', 3]]);
    lookup.delete('a', 'y');
    assert.equal(lookup.isEmpty, true);
  });

  it('leaves the one row of a name where another key is taken out', () => {
    const lookup = new Lookup<number>();
    lookup.set('a', 'x', 1);
    lookup.delete('a', 'y');
    assert.deepEqual(
      [lookup.has('a'), lookup.hasRow('a', 'x'), lookup.hasRow('a', 'y')],
      [true, true, false],
    );
  });

  it('shows the rows as they are by then, as often as they are gone through', () => {
    const lookup = new Lookup<number>();
    lookup.set('a', 'x', 1);
    const rows = lookup.rows('a');
    assert.deepEqual([[...rows], [...rows]], [[1], [1]]);
    lookup.set('a', 'y', 2);
    assert.deepEqual(
      [[...rows], [...rows]],
      [
        [1, 2],
        [1, 2],
      ],
    );
    lookup.delete('a', 'x');
    lookup.delete('a', 'y');
    assert.deepEqual([...rows], []);
  });

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
