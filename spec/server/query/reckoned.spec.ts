import assert from 'node:assert/strict';
import { Reckoned } from '../../../server/query/reckoned.ts';
import { State } from '../../../server/state/state.ts';

describe('what is reckoned of each thing', () => {
  it('is made at the next look where it could not be made at one', () => {
    const { catalog } = new State();
    const reckoned = new Reckoned<string>();
    let fails = true;
    const look = () =>
      reckoned.of(catalog, {
        names: ['web'],
        topicsOf: (name) => [name],
        indexOf: () => 1,
        make: (name) => {
          if (fails) throw new Error('not now');
          return `made of ${name}`;
        },
      });
    assert.throws(look, /not now/);
    fails = false;
    assert.deepEqual([...look().values], [['web', 'made of web']]);
  });
});
