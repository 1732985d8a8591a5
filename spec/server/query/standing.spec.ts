import assert from 'node:assert/strict';
import { ANYONE, type Caller, EVERYTHING } from '../../../lib/acl/rights.ts';
import { Standing } from '../../../server/query/standing.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { RIGHTS } from '../../../server/state/topic-names.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { until } from '../../support/until.ts';

function start() {
  const watcher = new Watcher();
  const clock = new FakeClock();
  const standing = new Standing(watcher, clock);
  const fallen = new Set<string>();
  const told: string[] = [];
  const caller = (name: string): Caller => ({
    rights: EVERYTHING,
    accessorId: name,
    hearsOfHidden: false,
    stands: () => !fallen.has(name),
  });
  const watch = (who: Caller) => {
    const falling = { fallen: () => void told.push(who.accessorId) };
    const watched = standing.watch(who, falling);
    return () => watched?.leave(falling);
  };
  const fall = async (...names: string[]) => {
    for (const name of names) fallen.add(name);
    watcher.notify([RIGHTS]);
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
  };
  return { watcher, standing, clock, told, caller, watch, fall };
}

describe('Standing', () => {
  it('tells all who wait as one that has fallen, once, and nobody else', async () => {
    const { told, caller, watch, fall, standing, watcher } = start();
    const [a, b] = [caller('a'), caller('b')];
    for (let i = 0; i < 200; i++) watch(a);
    watch(b);
    await fall('a');
    assert.equal(told.filter((name) => name === 'a').length, 200);
    await fall('a');
    assert.equal(told.length, 200);
    await fall('b');
    assert.equal(told.length, 201);
    assert.deepEqual([standing.size, watcher.size], [0, 0]);
  });

  it('tells those whose token expires, when it does, and keeps no timer of those who left', async () => {
    const { told, caller, watch, standing, clock } = start();
    const expiring = (name: string, ms: number): Caller => {
      const expiresAt = clock.now() + ms;
      const token = { description: '', createdAt: 0, expiresAt };
      return { ...caller(name), token, stands: () => clock.now() < expiresAt };
    };
    const days = 40 * 24 * 3_600_000;
    const [soon, late] = [expiring('soon', 1000), expiring('late', days)];
    watch(soon);
    watch(soon);
    watch(late);
    const left = watch(expiring('left', 1000));
    left();
    await clock.advance(999);
    assert.deepEqual(told, []);
    await clock.advance(1);
    await until(() => told.length === 2);
    assert.deepEqual([told, standing.size], [['soon', 'soon'], 1]);
    await clock.advance(days);
    await until(() => told.length === 3);
    assert.equal(standing.size, 0);
  });

  it('tells nobody who has cancelled, and keeps nothing of them', async () => {
    const { told, caller, watch, fall, standing, watcher } = start();
    for (const cancel of [watch(caller('a')), watch(caller('b'))]) {
      cancel();
      cancel();
    }
    assert.deepEqual([standing.size, watcher.size], [0, 0]);
    const late = watch(caller('c'));
    const telling = fall('c');
    late();
    await telling;
    assert.deepEqual(told, []);
  });

  it('finds those who fall while it looks, however many there are', async () => {
    const { told, caller, watch, fall, standing } = start();
    const names = Array.from({ length: 1000 }, (_, i) => `${i}`);
    for (const name of names) watch(caller(name));
    const first = fall('0');
    const last = fall('1', '999');
    await Promise.all([first, last]);
    await until(() => told.length === 3);
    assert.deepEqual([told.sort(), standing.size], [['0', '1', '999'], 997]);
  });

  it('watches nothing for those who need no token', () => {
    const { watch, watcher } = start();
    watch(ANYONE);
    assert.equal(watcher.size, 0);
  });
});
