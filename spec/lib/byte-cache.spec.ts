import assert from 'node:assert/strict';
import { ByteCache, ENTRY_BYTES, type Kept } from '../../lib/byte-cache.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

describe('byte cache', () => {
  /** Room for `max` entries of 1000 bytes each whose key has one letter. */
  function start(max = 3) {
    const evicted: string[] = [];
    const cache = new ByteCache<string, string>({
      maxBytes: max * (1000 + 2 + ENTRY_BYTES),
      onEvict: (value) => evicted.push(value),
    });
    const keep = (key: string, bytes = 1000) => cache.keep(key, key.toUpperCase(), bytes);
    return { cache, keep, evicted };
  }

  it('keeps what it was given, and counts the key and the entry beside its bytes', () => {
    const { cache, keep } = start();
    assert.equal(keep('a').bytes, 1000 + 2 + ENTRY_BYTES);
    assert.equal(cache.get('a')?.value, 'A');
    assert.equal(cache.get('b'), undefined);
    assert.deepEqual([cache.size, cache.bytes], [1, 1000 + 2 + ENTRY_BYTES]);
  });

  it('lets go of what was used longest ago, and tells of it once it is out', () => {
    const { cache, keep, evicted } = start();
    for (const key of ['a', 'b', 'c']) keep(key);
    cache.get('a');
    keep('d');
    assert.deepEqual(evicted, ['B']);
    assert.deepEqual([...cache.values()].sort(), ['A', 'C', 'D']);
  });

  it('lets go of what nobody has used for long, when something new comes, but for what is pinned', async () => {
    const clock = new FakeClock();
    const evicted: string[] = [];
    const cache = new ByteCache<string, string>({
      maxBytes: 1e9,
      idle: { maxMs: 1000, clock },
      onEvict: (value) => evicted.push(value),
    });
    const pinned = cache.keep('pinned', 'pinned', 1);
    pinned.pin();
    cache.keep('once', 'once', 1);
    cache.keep('often', 'often', 1);
    await clock.advance(900);
    cache.get('often');
    await clock.advance(900);
    cache.keep('new', 'new', 1);
    assert.deepEqual(evicted, ['once']);
    pinned.unpin();
    await clock.advance(1001);
    cache.keep('newer', 'newer', 1);
    assert.deepEqual(evicted, ['once', 'often', 'new', 'pinned']);
    assert.equal(cache.size, 1);
  });

  it('makes room when an entry grows, even by that entry itself', () => {
    const { cache, keep, evicted } = start();
    const [a, b] = [keep('a'), keep('b')];
    keep('c');
    b.resize(1500);
    assert.deepEqual(evicted, ['A']);
    b.resize(5000);
    assert.deepEqual(evicted, ['A', 'B']);
    a.resize(9000);
    assert.deepEqual([cache.size, cache.bytes], [1, 1000 + 2 + ENTRY_BYTES]);
  });

  it('keeps what was used last, though it alone is over the bound', () => {
    const { cache, keep, evicted } = start(1);
    keep('a', 9000);
    assert.equal(cache.get('a')?.value, 'A');
    keep('b');
    assert.deepEqual(evicted, ['A']);
  });

  it('keeps what is pinned, and lets it go once it was unpinned as often', () => {
    const { keep, evicted } = start(2);
    const a = keep('a');
    a.pin();
    a.pin();
    for (const key of ['b', 'c', 'd']) keep(key);
    assert.deepEqual(evicted, ['B', 'C']);
    a.unpin();
    keep('e');
    assert.deepEqual(evicted, ['B', 'C', 'D']);
    a.unpin();
    keep('f');
    keep('g');
    assert.deepEqual(evicted, ['B', 'C', 'D', 'E', 'A']);
  });

  it('is back within its bound when all that was pinned over it is unpinned', () => {
    const { cache, keep, evicted } = start(2);
    const pinned = 'abcdefgh'.split('').map((key) => {
      const entry = keep(key);
      entry.pin();
      return entry;
    });
    for (const entry of pinned) entry.unpin();
    assert.equal(cache.bytes, 2 * (1000 + 2 + ENTRY_BYTES));
    assert.deepEqual(evicted, ['A', 'B', 'C', 'D', 'E', 'F']);
  });

  it('keeps nothing where the maker throws, and makes once where it does not', () => {
    const { cache } = start();
    const fail = (): never => {
      throw new Error('no');
    };
    for (let i = 0; i < 100; i++) assert.throws(() => cache.getOrKeep(`k${i}`, fail), /no/);
    assert.deepEqual([cache.size, cache.bytes], [0, 0]);
    cache.getOrKeep('a', () => ({ value: 'A', bytes: 1 }));
    assert.equal(cache.getOrKeep('a', fail).value, 'A');
  });

  it('takes no more word from an entry that was replaced or deleted', () => {
    const { cache, keep, evicted } = start();
    const old = keep('a');
    const fresh = keep('a');
    old.resize(5000);
    old.pin();
    old.unpin();
    assert.deepEqual([cache.size, cache.bytes, old.bytes], [1, fresh.bytes, 0]);
    assert.equal(cache.delete('a'), 'A');
    fresh.resize(5000);
    assert.deepEqual([cache.size, cache.bytes, evicted], [0, 0, []]);
  });

  it('forgets all at once', () => {
    const { cache, keep, evicted } = start();
    keep('a').pin();
    keep('b');
    cache.clear();
    assert.deepEqual([cache.size, cache.bytes, evicted], [0, 0, []]);
  });

  it('counts right and keeps the order of use, whatever is done to it', () => {
    const random = seededRandom(7);
    const pick = (n: number) => Math.floor(random.next() * n);
    /** What is kept, in the order of use. */
    const model = new Map<number, { kept: Kept<number>; bytes: number; pins: number }>();
    const cache = new ByteCache<string, number>({
      maxBytes: 20_000,
      onEvict: (n) => {
        assert.equal(n, [...model].find(([, { pins }]) => pins === 0)?.[0]);
        model.delete(n);
      },
    });
    const use = (n: number) => {
      const known = model.get(n);
      if (known === undefined || known.pins > 0) return;
      model.delete(n);
      model.set(n, known);
    };
    const acts: ((n: number, kept: Kept<number>) => void)[] = [
      (n) => {
        use(n);
        cache.get(`${n}`);
      },
      (n, kept) => {
        const bytes = pick(2000);
        Object.assign(model.get(n) ?? {}, { bytes });
        kept.resize(bytes);
      },
      (n, kept) => {
        const known = model.get(n);
        if (known !== undefined) known.pins++;
        kept.pin();
      },
      (n, kept) => {
        const known = model.get(n);
        if (known === undefined || known.pins === 0) return;
        known.pins--;
        use(n);
        kept.unpin();
      },
    ];
    for (let step = 0; step < 20_000; step++) {
      const n = pick(40);
      const known = model.get(n);
      const bytes = pick(2000);
      if (known !== undefined) acts[pick(acts.length)]?.(n, known.kept);
      else model.set(n, { kept: cache.keep(`${n}`, n, bytes), bytes, pins: 0 });
    }
    let bytes = 0;
    for (const [n, entry] of model) bytes += entry.bytes + 2 * `${n}`.length + ENTRY_BYTES;
    assert.deepEqual([cache.size, cache.bytes], [model.size, bytes]);
  });
});
