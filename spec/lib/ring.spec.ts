import assert from 'node:assert/strict';
import { Ring } from '../../lib/ring.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

const KEY_COUNT = 100_000;
const KEYS = Array.from({ length: KEY_COUNT }, (_, i) => `service-${i}`);

const servers = (count: number) => Array.from({ length: count }, (_, i) => `10.0.0.${i}:8500`);
const ownerOf = (ring: Ring) => (key: string) => ring.successors(key)[0];

function shuffled(ids: readonly string[], seed: number): string[] {
  const random = seededRandom(seed);
  return ids
    .map((id) => ({ id, rank: random.next() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ id }) => id);
}

function movedBetween(before: Ring, after: Ring): number {
  const [was, is] = [ownerOf(before), ownerOf(after)];
  return KEYS.filter((key) => was(key) !== is(key)).length / KEY_COUNT;
}

describe('Ring', () => {
  for (const count of [3, 5, 9]) {
    describe(`of ${count} servers`, () => {
      it('is the same for whoever has met them in another order (seed 7)', () => {
        const one = new Ring(servers(count));
        const other = new Ring(shuffled(servers(count), 7));
        // One more that came and went must leave no trace.
        other.successors('x');
        other.add('gone');
        other.successors('x');
        other.remove('gone');
        for (const key of KEYS) {
          assert.equal(one.successors(key).join(), other.successors(key).join());
        }
      });

      it('moves few keys when a server joins, and only to that one', () => {
        const before = new Ring(servers(count));
        const after = new Ring([...servers(count), 'new']);
        const moved = movedBetween(before, after);
        assert.ok(moved <= 1 / (count + 1) + 0.05, `${moved} moved`);
        assert.ok(moved > 0);
        const [was, is] = [ownerOf(before), ownerOf(after)];
        assert.ok(KEYS.every((key) => is(key) === was(key) || is(key) === 'new'));
      });

      it('moves few keys when a server leaves, each to its next server', () => {
        const before = new Ring(servers(count));
        const after = new Ring(servers(count));
        // At 5 and 9 servers it has a point in common with another.
        after.remove('10.0.0.1:8500');
        const moved = movedBetween(before, after);
        assert.ok(moved <= 1 / count + 0.05, `${moved} moved`);
        for (const key of KEYS) {
          const expected = before.successors(key).filter((id) => id !== '10.0.0.1:8500');
          assert.equal(after.successors(key).join(), expected.join());
        }
      });

      it('gives each server a fair share', () => {
        const ring = new Ring(servers(count));
        const owned = new Map<string, number>();
        for (const key of KEYS) {
          const owner = ownerOf(ring)(key) ?? '';
          owned.set(owner, (owned.get(owner) ?? 0) + 1 / KEY_COUNT);
        }
        for (const [id, share] of ring.shares()) {
          assert.ok(Math.abs(share * count - 1) <= 0.2, `${id} has ${share}`);
          // What it says of the shares is what happens to keys.
          assert.ok(Math.abs(share - (owned.get(id) ?? 0)) <= 0.01);
        }
      });

      it('names all servers once for any key', () => {
        const ring = new Ring(servers(count));
        for (const key of KEYS.slice(0, 1000)) {
          assert.deepEqual([...ring.successors(key)].sort(), servers(count).sort());
        }
      });
    });
  }

  it('gives back its keys to a server that returns', () => {
    const ring = new Ring(servers(5));
    const before = KEYS.map(ownerOf(ring));
    ring.remove('10.0.0.3:8500');
    ring.successors('x');
    ring.add('10.0.0.3:8500');
    assert.deepEqual(KEYS.map(ownerOf(ring)), before);
  });

  it('gives a server with fewer points less, and names the first owner that is accepted', () => {
    const ring = new Ring(servers(3));
    for (const key of KEYS.slice(0, 1000)) {
      const [first, second] = ring.successors(key);
      assert.equal(
        ring.owner(key, () => true),
        first,
      );
      assert.equal(
        ring.owner(key, (id) => id !== first),
        second,
      );
    }
    assert.equal(
      ring.owner('x', () => false),
      undefined,
    );
    assert.equal(
      new Ring().owner('x', () => true),
      undefined,
    );
    ring.add('half', 256);
    const share = ring.shares().get('half') ?? 0;
    assert.ok(Math.abs(share * 7 - 1) < 0.2, `${share}`);
  });

  it('stays what it is: agents of any version must agree', () => {
    const ring = new Ring(servers(3));
    const first = ['web', 'db', '', 'Ünïcode', '__proto__'].map((key) => ring.successors(key)[0]);
    const [zero, two] = ['10.0.0.0:8500', '10.0.0.2:8500'];
    assert.deepEqual(first, [two, two, two, two, zero]);
  });

  it('answers with nothing when there is no server, and with the only one', () => {
    const ring = new Ring();
    assert.deepEqual(ring.successors('web'), []);
    assert.deepEqual(ring.shares(), new Map());
    ring.add('a');
    ring.add('a');
    assert.deepEqual(ring.successors('web'), ['a']);
    assert.deepEqual(ring.shares(), new Map([['a', 1]]));
    assert.equal(ring.size, 1);
  });

  it('takes any text for an id', () => {
    const ring = new Ring(['__proto__', 'constructor', '']);
    assert.deepEqual([...ring.successors('web')].sort(), ['', '__proto__', 'constructor']);
  });
});
