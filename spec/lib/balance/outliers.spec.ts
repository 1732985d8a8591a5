import assert from 'node:assert/strict';
import { Host } from '../../../lib/balance/host.ts';
import { NO_OUTLIERS, type OutlierRules, Outliers } from '../../../lib/balance/outliers.ts';
import { endpoints } from '../../support/balancers.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

function start(count: number, rules: Partial<OutlierRules>) {
  const hosts = new Map(endpoints(count).map((each) => [each.id, new Host(each, 0)]));
  const outliers = new Outliers({ ...NO_OUTLIERS, ...rules }, 0, seededRandom(1));
  const call = (id: string, ok: boolean, now = 0, times = 1) => {
    const host = hosts.get(id) as Host;
    for (let i = 0; i < times; i++) outliers.ended(host, ok, hosts, now);
  };
  const ejected = () =>
    [...hosts.values()].flatMap(({ id, outlier }) =>
      outlier.ejectedUntil === undefined ? [] : [id],
    );
  return { hosts, outliers, call, ejected };
}

describe('Outliers', () => {
  it('begins to count anew with each success', () => {
    const { call, ejected } = start(3, { inARow: 3, maxShare: 1 });
    for (let i = 0; i < 10; i++) {
      call('h0', false, 0, 2);
      call('h0', true);
    }
    assert.deepEqual(ejected(), []);
    call('h0', false, 0, 3);
    assert.deepEqual(ejected(), ['h0']);
  });

  it('sets no more aside than the ceiling, but one always, of several', () => {
    for (const [count, maxShare, most] of [
      [10, 0.3, 3],
      [10, 0, 1],
      [2, 0.5, 1],
      [1, 1, 0],
    ] as const) {
      const { call, ejected } = start(count, { inARow: 3, maxShare });
      for (let i = 0; i < count; i++) call(`h${i}`, false, 0, 9);
      assert.equal(ejected().length, most);
    }
  });

  it('sets aside for longer each time, up to a limit, and forgets it with time', () => {
    const rules = { inARow: 1, maxShare: 1, ejectMs: 1000, maxEjectMs: 2500, intervalMs: 1e9 };
    const { hosts, outliers, call } = start(2, rules);
    let now = 0;
    for (const ms of [1000, 2000, 2500, 2500]) {
      call('h0', false, now);
      assert.equal(hosts.get('h0')?.outlier.ejectedUntil, now + ms);
      assert.equal(outliers.nextSweep(hosts), now + ms);
      now += ms;
      assert.equal(outliers.sweep(hosts, now), true);
    }
    for (let i = 0; i < 4; i++) outliers.sweep(hosts, (i + 1) * 1e9);
    call('h0', false, 5e9);
    assert.equal(hosts.get('h0')?.outlier.ejectedUntil, 5e9 + 1000);
  });

  it('counts failures in a row for as large a part of the cases as is said', () => {
    const never = start(10, { inARow: 2, maxShare: 1, enforced: 0 });
    for (let i = 0; i < 10; i++) never.call(`h${i}`, false, 0, 20);
    assert.deepEqual(never.ejected(), []);
    const half = start(10, { inARow: 2, maxShare: 1, enforced: 0.5 });
    for (let i = 0; i < 10; i++) half.call(`h${i}`, false, 0, 2);
    assert.ok(half.ejected().length > 1 && half.ejected().length < 9, `${half.ejected()}`);
  });

  describe('by rates of success', () => {
    const successRate = { deviations: 1.9, minHosts: 5, minCalls: 100 };
    const rules = { successRate, maxShare: 0.3 };

    it('sets aside who is far below the mean', () => {
      const { outliers, hosts, call, ejected } = start(10, rules);
      for (let i = 0; i < 10; i++) call(`h${i}`, true, 0, 100);
      call('h7', false, 0, 40);
      assert.equal(outliers.sweep(hosts, 9999), false);
      assert.equal(outliers.sweep(hosts, 10_000), true);
      assert.deepEqual(ejected(), ['h7']);
    });

    it('says nothing where too few calls or hosts are', () => {
      const few = start(10, rules);
      for (let i = 0; i < 10; i++) few.call(`h${i}`, true, 0, 90);
      few.call('h7', false, 0, 9);
      few.outliers.sweep(few.hosts, 10_000);
      assert.deepEqual(few.ejected(), []);
      const four = start(4, rules);
      for (let i = 0; i < 4; i++) four.call(`h${i}`, i > 0, 0, 500);
      four.outliers.sweep(four.hosts, 10_000);
      assert.deepEqual(four.ejected(), []);
    });

    it('sets nobody aside where all fail alike', () => {
      const { outliers, hosts, call, ejected } = start(10, rules);
      for (let i = 0; i < 10; i++) call(`h${i}`, false, 0, 200);
      outliers.sweep(hosts, 10_000);
      assert.deepEqual(ejected(), []);
    });
  });
});
