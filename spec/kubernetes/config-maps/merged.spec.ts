import assert from 'node:assert/strict';
import {
  type Agreed,
  agreedOf,
  intended,
  NOTHING_AGREED,
} from '../../../kubernetes/config-maps/agreed.ts';
import type { Contents } from '../../../kubernetes/config-maps/contents.ts';
import { merged } from '../../../kubernetes/config-maps/merged.ts';
import type { Direction } from '../../../kubernetes/config-maps/rules.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

type Plain = Readonly<Record<string, string>>;

const of = (plain: Plain): Contents => new Map(Object.entries(plain));

const agreedOn = (both: Contents): Agreed => ({
  serial: 1,
  names: agreedOf({ keys: both, map: both }, () => true),
});

/** What keys and map come to, each as `keys | map | conflicts`. */
function come(direction: Direction, keys: Plain, map: Plain | undefined, agreed: Plain = {}) {
  const on = agreedOn(of(agreed));
  const sides = { keys: of(keys), map: map && of(map), agreed: on, mapSerial: 0 };
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

  it('come to no key that the map did not bring, by name or by what it holds', () => {
    // Somebody wrote over what was brought, and the map has it no more.
    assert.equal(come('to-kv', { a: '2' }, {}, { a: '1' }), 'a=2 |  | ');
    assert.equal(come('to-kv', { a: '1' }, {}, { a: '1' }), ' |  | ');
    // What held the same by chance is not taken over.
    const same = { keys: of({ a: '1' }), map: of({ a: '1' }) };
    const found = { ...same, agreed: NOTHING_AGREED, mapSerial: 0 };
    assert.equal(merged('to-kv', found).isKept('a'), false);
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
    const sides = { keys: wanted, map };
    const names = intended(agreedOn(map), sides, { keys: wanted, map: wanted }, () => true);
    const agreed = { serial: 2, names };
    const then = (keys: Plain, found: Plain, mapSerial = 1) => {
      const to = merged('both', { keys: of(keys), map: of(found), agreed, mapSerial });
      return [[...to.keys].join(' '), ...to.conflicts];
    };
    const [keys, given] = [{ a: '2', made: '1' }, 2];
    // The process died before the map was written; after it; and then somebody changed the map, or put it back.
    assert.deepEqual(then(keys, { a: '1', gone: '1' }), ['a,2 made,1']);
    assert.deepEqual(then(keys, { a: '2', made: '1' }, given), ['a,2 made,1']);
    assert.deepEqual(then(keys, { a: '3', made: '4' }, given), ['a,3 made,4']);
    assert.deepEqual(then(keys, { a: '1', made: '1' }, given), ['a,1 made,1']);
    assert.deepEqual(then({ a: '2' }, { a: '2', made: '1' }, given), ['a,2']);
    // It was never written, as its annotation says, and somebody changed it: both were changed then.
    assert.deepEqual(then(keys, { a: '3', made: '4', gone: '1' }), ['a,2 made,1', 'a', 'made']);
    assert.deepEqual(then(keys, { gone: '1' }), ['a,2 made,1']);
    // The key was put back meanwhile.
    assert.deepEqual(then({ a: '1' }, { a: '3', gone: '1' }), ['a,3']);
  });

  it('know what the keys were about to be given, so that what was changed in the map is not put back', () => {
    const [is, wanted] = [of({ a: '1', b: '1', gone: '1' }), of({ a: '2', b: '1', made: '1' })];
    const names = intended(
      agreedOn(is),
      { keys: is, map: wanted },
      { keys: wanted, map: wanted },
      () => true,
    );
    const agreed = { serial: 2, names };
    const then = (keys: Plain, map: Plain = Object.fromEntries(wanted)) => {
      const to = merged('both', { keys: of(keys), map: of(map), agreed, mapSerial: 1 });
      return [[...to.map].sort().join(' '), ...to.conflicts];
    };
    // The process died before any key was written; after one; and then somebody changed a key, or the map.
    assert.deepEqual(then({ a: '1', b: '1', gone: '1' }), ['a,2 b,1 made,1']);
    assert.deepEqual(then({ a: '2', b: '1', gone: '1' }), ['a,2 b,1 made,1']);
    assert.deepEqual(then({ a: '2', b: '9', gone: '1' }), ['a,2 b,9 made,1']);
    assert.deepEqual(then({ a: '2', b: '1', made: '1' }, { a: '1', b: '1', made: '1' }), [
      'a,1 b,1 made,1',
    ]);
    // Nobody knows whether the key was given what the map has: what goes is told.
    assert.deepEqual(then({ a: '9', b: '1', made: '1' }), ['a,9 b,1 made,1', 'a']);
  });

  it('know no more than a few values of each name, however often they could not be written', () => {
    let agreed = agreedOn(of({ a: '0' }));
    for (let i = 1; i < 50; i++) {
      const wanted = of({ a: `${i}` });
      const sides = { keys: wanted, map: of({ a: '0' }) };
      const names = intended(agreed, sides, { keys: wanted, map: wanted }, () => true);
      agreed = { serial: i, names };
    }
    const [known] = agreed.names.values();
    assert.equal(known?.values.length, 4);
    const sides = { keys: of({ a: '49' }), map: of({ a: '0' }) };
    const to = merged('both', { ...sides, agreed, mapSerial: 0 });
    assert.deepEqual([...to.map], [['a', '49']]);
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
    for (let i = 0; i < 500; i++) {
      const [keys, map, agreed] = [of(drawn()), of(drawn()), agreedOn(of(drawn()))];
      const mapSerial = 0;
      const whole = merged('both', { keys, map, agreed, mapSerial });
      // The keys are written, and then the process dies.
      const again = merged('both', { keys: whole.keys, map, agreed, mapSerial });
      assert.deepEqual(again.keys, whole.keys);
      assert.deepEqual(again.map, whole.map);
      const after = merged('both', { keys: again.keys, map: again.map, agreed, mapSerial });
      assert.deepEqual([after.keys, after.map, after.conflicts], [whole.keys, whole.map, []]);
    }
  });
});
