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
  /** Of what was agreed as the map was written last. */
  serial = 0;
  /** Names that were told to have been changed on both sides. */
  readonly told = new Set<string>();

  /** Rejects nothing: ends after so many writes, or where somebody was quicker. Whether all was done. */
  sync(most: number, between: () => void, isRefused = () => false): boolean {
    const seen = { keys: new Map(this.keys), map: new Map(this.map) };
    const wanted = merged('both', { ...seen, agreed: this.agreed, mapSerial: this.serial });
    for (const name of wanted.conflicts) this.told.add(name);
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
      if (same(seen.map, wanted.map)) return true;
      if (isRefused()) return false;
      this.serial = this.agreed.serial;
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
    for (let run = 0; run < 60; run++) lifeOf(new World(), random);
  });

  it(`lose none of a key without a word, though the map is often refused (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    for (let run = 0; run < 200; run++) refusedLifeOf(new World(), random);
  });
});

/** Both sides of one name are changed as anybody likes, by a word that nobody else says. */
function refusedLifeOf(world: World, random: Random): void {
  let [key, map]: (string | undefined)[] = [];
  for (let i = 0; i < 12; i++) {
    const drawn = random.next();
    const word = `${i}`;
    if (drawn < 0.3) {
      key = word;
      world.keys.set('a', word);
    } else if (drawn < 0.5) {
      map = word;
      world.map.set('a', word);
    }
    world.sync(
      Math.floor(random.next() * 6),
      () => undefined,
      () => random.next() < 0.5,
    );
    const now = world.keys.get('a');
    // Whoever reads either side has seen it, or the log has said that it lost.
    if (now === world.map.get('a') || world.told.has('a')) [key, map] = [undefined, undefined];
    else if (key !== undefined) assert.equal(now, key);
    else if (map !== undefined) assert.equal(world.map.get('a'), map);
    world.told.clear();
  }
}

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
