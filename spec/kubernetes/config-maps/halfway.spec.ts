/** Keys and a ConfigMap that change while they are brought in step, by syncs that die at any point of it. */
import assert from 'node:assert/strict';
import {
  type Agreed,
  agreedOf,
  intended,
  NOTHING_AGREED,
} from '../../../kubernetes/config-maps/agreed.ts';
import type { Contents } from '../../../kubernetes/config-maps/contents.ts';
import { merged } from '../../../kubernetes/config-maps/merged.ts';
import type { Random } from '../../../lib/random.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

type Side = 'keys' | 'map';
type Values = Map<string, string>;

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Both sides as the catalog and the cluster have them, written as `Pair` writes them: key by key here, each only as it was seen. */
class World {
  readonly keys: Values = new Map();
  readonly map: Values = new Map();
  agreed: Agreed = NOTHING_AGREED;

  /** Rejects nothing: ends after so many writes, or where somebody was quicker. Whether all was done. */
  sync(most: number, between: () => void): boolean {
    const seen = { keys: new Map(this.keys), map: new Map(this.map) };
    const wanted = merged('both', { ...seen, agreed: this.agreed });
    const names = (found: Agreed['names']) => () => {
      this.agreed = { serial: this.agreed.serial + 1, names: found };
      return true;
    };
    const key = (name: string) => () => {
      if (this.keys.get(name) !== seen.keys.get(name)) return false;
      put(this.keys, name, wanted.keys.get(name));
      return true;
    };
    const map = () => {
      if (!same(this.map, seen.map)) return false;
      for (const name of NAMES) put(this.map, name, wanted.map.get(name));
      return true;
    };
    const changed = NAMES.filter((name) => seen.keys.get(name) !== wanted.keys.get(name));
    const isOnTheWay = changed.length > 0 || !same(seen.map, wanted.map);
    const writes = [
      ...(isOnTheWay ? [names(intended(this.agreed, seen, wanted, wanted.isKept))] : []),
      ...changed.map(key),
      map,
      names(agreedOf(wanted, wanted.isKept)),
    ];
    for (const write of writes.slice(0, most)) {
      if (!write()) return false;
      between();
    }
    return most >= writes.length;
  }
}

function put(values: Values, name: string, value: string | undefined): void {
  if (value === undefined) values.delete(name);
  else values.set(name, value);
}

function same(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

describe('keys and a ConfigMap that are changed on the way', () => {
  it(`lose no change that nobody else made too, wherever a sync ends (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let run = 0; run < 300; run++) lifeOf(new World(), random);
  });
});

function lifeOf(world: World, random: Random): void {
  const expected: Values = new Map();
  let count = 0;
  for (let round = 0; round < 12; round++) {
    const left = new Set(NAMES);
    /** Of each name somebody changes one side, once, and not what he cannot see there. */
    const edit = () => {
      const [name] = [...left].sort(() => random.next() - 0.5);
      if (name === undefined || random.next() < 0.5) return;
      left.delete(name);
      const side: Side = random.next() < 0.5 ? 'keys' : 'map';
      const drawn = [undefined, 'back', `v${count++}`, `v${count++}`];
      const value = drawn[Math.floor(random.next() * drawn.length)];
      put(world[side], name, value);
      put(expected, name, value);
    };
    for (let i = 0; i < 8; i++) {
      edit();
      world.sync(Math.floor(random.next() * 8), edit);
    }
    for (let i = 0; i < 4 && !world.sync(Number.MAX_SAFE_INTEGER, () => undefined); i++);
    world.sync(Number.MAX_SAFE_INTEGER, () => undefined);
    const of = (values: Values) => [...values].sort().join(' ');
    assert.deepEqual([of(world.keys), of(world.map)], [of(expected), of(expected)]);
  }
}
