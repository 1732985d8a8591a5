import assert from 'node:assert/strict';
import { agreedOf, type Contents, intended } from '../../../kubernetes/config-maps/contents.ts';
import { merged } from '../../../kubernetes/config-maps/merged.ts';
import type { Direction } from '../../../kubernetes/config-maps/rules.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

type Plain = Readonly<Record<string, string>>;

const of = (plain: Plain): Contents => new Map(Object.entries(plain));

/** What keys and map come to, each as `keys | map | conflicts`. */
function come(direction: Direction, keys: Plain, map: Plain | undefined, agreed: Plain = {}) {
  const sides = { keys: of(keys), map: map && of(map), agreed: agreedOf(of(agreed)) };
  const to = merged(direction, sides);
  const shown = (contents: Contents) =>
    [...contents].map(([name, value]) => `${name}=${value}`).sort();
  return [shown(to.keys).join(), shown(to.map).join(), to.conflicts.join()].join(' | ');
}

describe('keys and a ConfigMap, of which one side says what is so', () => {
  it('come to what the keys hold', () => {
    assert.equal(come('from-kv', { a: '1' }, { a: '2', b: '3' }, { a: '2' }), 'a=1 | a=1 | ');
  });

  it('come to what the map holds, what it brought goes with it, and what others wrote stays', () => {
    assert.equal(
      come('to-kv', { a: '1', b: '2', c: '3' }, { a: '9', d: '4' }, { a: '1', b: '2' }),
      'a=9,c=3,d=4 | a=9,d=4 | ',
    );
    assert.equal(come('to-kv', { a: '1' }, { a: '2' }), 'a=1 | a=2 | a');
    assert.equal(come('to-kv', { a: '1' }, { a: '1' }), 'a=1 | a=1 | ');
  });

  it('lose nothing with a map that is not there', () => {
    assert.equal(come('to-kv', { a: '1', b: '2' }, undefined, { a: '1' }), 'a=1,b=2 |  | ');
    assert.equal(come('both', { a: '1' }, undefined, { a: '1' }), 'a=1 | a=1 | ');
  });
});

describe('keys and a ConfigMap that are changed on either side', () => {
  it('come to whatever was changed, made or deleted since they agreed', () => {
    const agreed = { a: '1', b: '1', c: '1', d: '1' };
    assert.equal(
      come('both', { a: '2', b: '1', d: '1', e: '5' }, { a: '1', b: '3', c: '1' }, agreed),
      'a=2,b=3,e=5 | a=2,b=3,e=5 | ',
    );
  });

  it('come to the key where both were changed, and lose no change to a deletion', () => {
    assert.equal(come('both', { a: '2' }, { a: '3' }, { a: '1' }), 'a=2 | a=2 | a');
    assert.equal(come('both', {}, { a: '3' }, { a: '1' }), 'a=3 | a=3 | ');
    assert.equal(come('both', { a: '2' }, {}, { a: '1' }), 'a=2 | a=2 | ');
    assert.equal(come('both', { a: '2' }, { a: '3' }), 'a=2 | a=2 | a');
  });

  it('know what the map was about to be given, so that nobody is taken for having changed it', () => {
    const [map, wanted] = [of({ a: '1', gone: '1' }), of({ a: '2', made: '1' })];
    const agreed = intended(agreedOf(map), map, wanted);
    const then = (keys: Plain, found: Plain) => {
      const to = merged('both', { keys: of(keys), map: of(found), agreed });
      return [[...to.keys].join(' '), ...to.conflicts];
    };
    // The process died before the map was written; after it; and then somebody changed the map.
    const keys = { a: '2', made: '1' };
    assert.deepEqual(then(keys, { a: '1', gone: '1' }), ['a,2 made,1']);
    assert.deepEqual(then(keys, { a: '2', made: '1' }), ['a,2 made,1']);
    assert.deepEqual(then(keys, { a: '3', made: '4' }), ['a,3 made,4']);
    assert.deepEqual(then(keys, { a: '2' }), ['a,2 made,1']);
  });

  it(`come to the same when what was done halfway is done again (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const drawn = (): Plain =>
      Object.fromEntries(
        ['a', 'b', 'c'].flatMap((name) => {
          const value = Math.floor(random.next() * 4);
          return value === 3 ? [] : [[name, `${value}`]];
        }),
      );
    for (let i = 0; i < 2000; i++) {
      const [keys, map, agreed] = [of(drawn()), of(drawn()), agreedOf(of(drawn()))];
      const whole = merged('both', { keys, map, agreed });
      // The keys are written, and then the process dies.
      const again = merged('both', { keys: whole.keys, map, agreed });
      assert.deepEqual(again.keys, whole.keys);
      assert.deepEqual(again.map, whole.map);
      const after = merged('both', { keys: again.keys, map: again.map, agreed });
      assert.deepEqual([after.keys, after.map, after.conflicts], [whole.keys, whole.map, []]);
    }
  });
});
