/** Which instances go out together. */
import assert from 'node:assert/strict';
import { Pending } from '../../../kubernetes/to-catalog/pending.ts';

/** Ids begin with the name of their service. */
function started(...ids: readonly string[]) {
  const pending = new Pending((id) => id.slice(0, id.indexOf('-')));
  for (const [i, id] of ids.entries()) pending.add(id, i);
  const shown = (queue: Iterable<readonly [id: string, due: unknown]>) =>
    [...queue].map(([id]) => id);
  const common = () => shown(pending.common());
  const apart = () => [...pending.apart()].map(shown);
  return { pending, common, apart };
}

describe('what is pending', () => {
  it('goes together, in order, and is as old as it was when it changes once more', () => {
    const { pending, common, apart } = started('a-1', 'b-1');
    pending.changed('a-1', 7);
    pending.add('b-1', 9);
    assert.deepEqual([common(), apart(), pending.size], [['a-1', 'b-1'], [], 2]);
    assert.deepEqual(Object.fromEntries(pending.common()), {
      'a-1': { since: 0, at: 7 },
      'b-1': { since: 1, at: 1 },
    });
    pending.delete('a-1');
    assert.deepEqual([common(), pending.size], [['b-1'], 1]);
  });

  it('goes by itself with those of its name once one of them was refused, until that is taken', () => {
    const { pending, common, apart } = started('a-1', 'b-1', 'a-2');
    pending.setApart(['a-1']);
    pending.add('a-3', 3);
    pending.add('b-2', 4);
    assert.deepEqual([common(), apart()], [['b-1', 'b-2'], [['a-1', 'a-2', 'a-3']]]);
    pending.setApart(['a-2']);
    pending.settled('a-1');
    assert.deepEqual(apart(), [['a-1', 'a-2', 'a-3']]);
    pending.settled('a-2');
    assert.deepEqual([common(), apart()], [['b-1', 'b-2', 'a-1', 'a-2', 'a-3'], []]);
  });

  it('goes quite alone where nobody said what was refused of a transaction', () => {
    const { pending, common, apart } = started('a-1', 'a-2', 'b-1');
    pending.setAlone('a-1');
    pending.setAlone('a-2');
    assert.deepEqual([common(), apart()], [['b-1'], [['a-1'], ['a-2']]]);
    pending.settled('a-1');
    pending.delete('a-1');
    pending.add('a-1', 5);
    assert.deepEqual([common(), apart()], [['b-1', 'a-1'], [['a-2']]]);
  });

  it('has each that goes by itself in its turn', () => {
    const { pending } = started('a-1', 'b-1', 'c-1');
    for (const id of ['a-1', 'b-1', 'c-1']) pending.setApart([id]);
    const next = () => {
      for (const queue of pending.apart()) return [...queue][0]?.[0];
      return undefined;
    };
    assert.deepEqual([next(), next(), next(), next()], ['a-1', 'b-1', 'c-1', 'a-1']);
  });

  it('goes together again in the next turn', () => {
    const { pending, common, apart } = started('a-1', 'b-1');
    pending.setApart(['a-1']);
    pending.setAlone('b-1');
    pending.begin();
    assert.deepEqual([common(), apart()], [['a-1', 'b-1'], []]);
  });
});
