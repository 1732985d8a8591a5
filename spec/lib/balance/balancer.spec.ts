import assert from 'node:assert/strict';
import { NO_OUTLIERS } from '../../../lib/balance/outliers.ts';
import { balancerOf, endpoint, endpoints } from '../../support/balancers.ts';
import { liveBytes } from '../../support/heap.ts';

const near = (actual: number | undefined, expected: number, by = 0.05) =>
  assert.ok(Math.abs((actual ?? 0) - expected) <= by * Math.max(expected, 100), `${actual}`);

describe('Balancer', () => {
  describe('when hosts are drained or leave', () => {
    it('gives a draining host nothing new, and counts what it has to its end', () => {
      const { balancer, spread } = balancerOf(endpoints(2));
      const host = balancer.hosts.find(({ id }) => id === 'h0');
      assert.ok(host);
      const end = balancer.begin(host);
      balancer.update([endpoint('h0', { health: 'draining' }), endpoint('h1')]);
      assert.deepEqual([...spread(100)], [['h1', 100]]);
      assert.equal(host.active, 1);
      end({ ok: true, ms: 5 });
      end({ ok: false });
      assert.deepEqual([host.active, host.begun, host.failed], [0, 1, 0]);
    });

    it('lets a call end at a host that is listed no more', () => {
      const { balancer } = balancerOf(endpoints(1));
      const host = balancer.choose();
      assert.ok(host);
      const end = balancer.begin(host);
      balancer.update([]);
      assert.equal(balancer.has(host), false);
      assert.equal(balancer.choose(), undefined);
      end({ ok: false });
      assert.equal(host.active, 0);
    });

    it('takes an instance that moved for another host, and one with another weight for the same', () => {
      const { balancer } = balancerOf([endpoint('a')]);
      const [before] = balancer.hosts;
      balancer.update([endpoint('a', { weight: 3 })]);
      assert.equal(balancer.hosts[0], before);
      balancer.update([endpoint('a', { port: 9 })]);
      assert.notEqual(balancer.hosts[0], before);
    });
  });

  describe('over priorities', () => {
    const levels = (down: number) => [
      ...endpoints(10).map(
        (each, i) => ({ ...each, health: i < down ? 'unhealthy' : 'healthy' }) as const,
      ),
      ...endpoints(10, { priority: 1 }).map((each) => ({ ...each, id: `spare-${each.id}` })),
    ];
    const first = (counts: ReadonlyMap<string, number>) =>
      [...counts].reduce((sum, [id, n]) => sum + (id.startsWith('h') ? n : 0), 0);

    it('leaves the next level alone as long as the first can bear everything', () => {
      assert.equal(first(balancerOf(levels(2)).spread(1000)), 1000);
    });

    it('passes on what the first cannot bear (seed 1)', () => {
      near(first(balancerOf(levels(5)).spread(10_000)), 7000);
      assert.equal(first(balancerOf(levels(10)).spread(1000)), 0);
    });

    it('fails over with the last host alone, where the headroom has no end', () => {
      const preferences = { headroom: Number.POSITIVE_INFINITY };
      assert.equal(first(balancerOf(levels(9), { preferences }).spread(1000)), 1000);
      assert.equal(first(balancerOf(levels(10), { preferences }).spread(1000)), 0);
    });

    it('does not take a drained host for a missing one', () => {
      const listed = levels(0).map((each, i) => ({
        ...each,
        ...(i < 5 && { health: 'draining' as const }),
      }));
      assert.equal(first(balancerOf(listed).spread(1000)), 1000);
    });

    it('turns to the next level when all of the first were tried', () => {
      const listed = [endpoint('h0'), endpoint('spare', { priority: 1 })];
      const { balancer } = balancerOf(listed, { preferences: { headroom: 1 } });
      const tried = balancer.choose();
      assert.equal(tried?.id, 'h0');
      // One of them is there, so nothing goes to the next by itself.
      assert.equal(balancer.choose({ avoid: new Set([tried]) })?.id, undefined);
    });
  });

  describe('in a panic', () => {
    const sick = (count: number) =>
      endpoints(10).map((each, i) => ({
        ...each,
        ...(i < count && { health: 'unhealthy' as const }),
      }));

    it('uses all hosts where less than the threshold is there', () => {
      const preferences = { panicBelow: 0.5 };
      assert.equal(balancerOf(sick(6), { preferences }).spread(1000).size, 10);
      assert.equal(balancerOf(sick(10), { preferences }).spread(1000).size, 10);
      assert.equal(balancerOf(sick(5), { preferences }).spread(1000).size, 5);
    });

    it('uses none that is unhealthy where the threshold is 0', () => {
      assert.equal(balancerOf(sick(9)).spread(1000).size, 1);
      assert.deepEqual([...balancerOf(sick(10)).spread(10)], [['none', 10]]);
    });

    it('is none while the next level bears it', () => {
      const listed = [
        ...sick(9),
        ...endpoints(10, { priority: 1 }).map((each) => ({ ...each, id: `s${each.id}` })),
      ];
      const counts = balancerOf(listed, { preferences: { panicBelow: 0.5 } }).spread(1000);
      assert.ok([...counts.keys()].every((id) => id === 'h9' || id.startsWith('s')));
    });
  });

  describe('with zones', () => {
    const zones = (nearDown: number) => [
      ...endpoints(4, { zone: 'a' }).map(
        (each, i) => ({ ...each, health: i < nearDown ? 'unhealthy' : 'healthy' }) as const,
      ),
      ...endpoints(8, { zone: 'b' }).map((each) => ({ ...each, id: `far-${each.id}` })),
    ];
    const nearby = (counts: ReadonlyMap<string, number>) =>
      [...counts].reduce((sum, [id, n]) => sum + (id.startsWith('h') ? n : 0), 0);
    const preferences = { zone: 'a' };

    it('stays in its own as far as that is there (seed 1)', () => {
      assert.equal(nearby(balancerOf(zones(0), { preferences }).spread(1000)), 1000);
      near(nearby(balancerOf(zones(2), { preferences }).spread(10_000)), 7000);
      assert.equal(nearby(balancerOf(zones(4), { preferences }).spread(1000)), 0);
    });

    it('does not overload the few that are near', () => {
      const few = { zone: 'a', minZoneHosts: 5 };
      assert.ok(nearby(balancerOf(zones(0), { preferences: few }).spread(1200)) <= 440);
    });

    it('takes all zones alike where it does not know its own', () => {
      near(nearby(balancerOf(zones(0)).spread(12_000)), 4000);
    });
  });

  describe('by subsets', () => {
    const labelled = (version: string) => ({ labels: new Map([['version', version]]) });
    const listed = [
      endpoint('a', labelled('1')),
      endpoint('b', labelled('2')),
      endpoint('c', labelled('2')),
    ];

    it('chooses among hosts that have all labels', () => {
      const { balancer, spread } = balancerOf(listed);
      assert.deepEqual(
        [...spread(10, { subset: [['version', '2']] })],
        [
          ['b', 5],
          ['c', 5],
        ],
      );
      assert.equal(balancer.choose({ subset: [['version', '3']] }), undefined);
      assert.equal(balancer.choose({ subset: [['constructor', '']] }), undefined);
      assert.equal(spread(30).size, 3);
    });

    it('keeps no more of them than are named in its limit', () => {
      const { balancer } = balancerOf(listed);
      for (let i = 0; i < 1000; i++) balancer.choose({ subset: [['version', `${i}`]] });
      assert.equal(balancer.choose({ subset: [['version', '1']] })?.id, 'a');
    });

    it('keeps no table of each that it was ever asked for, whatever changes between', async () => {
      const { balancer } = balancerOf(listed, { policy: 'maglev' });
      const before = (await liveBytes()).heap;
      for (let i = 0; i < 400; i++) {
        const version = `${i}`;
        balancer.update([endpoint('a', labelled(version))]);
        assert.equal(balancer.choose({ subset: [['version', version]] })?.id, 'a');
      }
      // A table is half a megabyte.
      const grown = (await liveBytes()).heap - before;
      assert.ok(grown < 150 * 512 * 1024, `${grown}`);
    }).timeout(60_000);
  });

  describe('with a slow start', () => {
    const rules = { policy: 'random', slowStart: { windowMs: 10_000, least: 0.1 } } as const;

    it('lets a new host grow to its share within the window (seed 1)', () => {
      const { balancer, time, spread } = balancerOf(endpoints(4), rules);
      time.ms = 60_000;
      balancer.update(endpoints(5));
      near(spread(10_000).get('h4'), (10_000 * 0.1) / 4.1);
      time.ms += 5000;
      near(spread(10_000).get('h4'), (10_000 * 0.5) / 4.5);
      time.ms += 5000;
      near(spread(10_000).get('h4'), 2000);
    });

    it('begins anew when a host comes back to health', () => {
      const { balancer, time, spread } = balancerOf(endpoints(2), rules);
      time.ms = 60_000;
      balancer.update([endpoint('h0'), endpoint('h1', { health: 'unhealthy' })]);
      balancer.update(endpoints(2));
      near(spread(10_000).get('h1'), (10_000 * 0.1) / 1.1);
    });
  });

  describe('with outliers', () => {
    const outliers = { ...NO_OUTLIERS, inARow: 5, maxShare: 0.5 };

    it('sets a host aside that fails five times in a row, and takes it back', () => {
      const { balancer, time, spread } = balancerOf(endpoints(4), { outliers });
      const bad = balancer.hosts.find(({ id }) => id === 'h2');
      assert.ok(bad);
      for (let i = 0; i < 5; i++) {
        assert.equal(spread(100).has('h2'), true);
        // The spread's calls went well: what counts is what fails in a row.
        bad.outlier.inARow = i;
        balancer.begin(bad)({ ok: false });
      }
      assert.equal(spread(100).has('h2'), false);
      time.ms += 29_999;
      assert.equal(spread(100).has('h2'), false);
      time.ms += 1;
      assert.equal(spread(100).has('h2'), true);
      assert.equal(bad.failed, 5);
    });

    it('counts for neither what another was faster than, but for how long it takes', () => {
      const { balancer, time } = balancerOf(endpoints(2), { outliers });
      const [slow] = balancer.hosts;
      assert.ok(slow);
      for (let i = 0; i < 20; i++) balancer.begin(slow)({ ok: undefined, ms: 50 });
      assert.deepEqual(
        [slow.failed, slow.outlier.inARow, slow.outlier.ok, slow.outlier.failed],
        [0, 0, 0, 0],
      );
      assert.ok(slow.latency.at(time.ms) > 40, `${slow.latency.at(time.ms)}`);
    });

    it('sets nobody aside on whom the others leave their calls: who is critical is none of those that stay', () => {
      const listed = [
        endpoint('h0'),
        endpoint('h1', { health: 'unhealthy' }),
        endpoint('h2', { health: 'draining' }),
      ];
      const { balancer, spread } = balancerOf(listed, { outliers });
      const last = balancer.hosts[0];
      assert.ok(last);
      for (let i = 0; i < 9; i++) balancer.begin(last)({ ok: false });
      assert.deepEqual([...spread(9)], [['h0', 9]]);
    });

    it('takes hosts back when those go that were to bear their calls', () => {
      const { balancer, spread } = balancerOf(endpoints(6), { outliers });
      for (const host of balancer.hosts.slice(0, 3)) {
        for (let i = 0; i < 5; i++) balancer.begin(host)({ ok: false });
      }
      assert.deepEqual([...spread(9).keys()].sort(), ['h3', 'h4', 'h5']);
      balancer.update(
        endpoints(6).map((each, i) => (i < 3 ? each : { ...each, health: 'unhealthy' })),
      );
      assert.equal(spread(9).size, 2);
      balancer.update(endpoints(1));
      assert.deepEqual([...spread(9).keys()], ['h0']);
    });

    it('counts against nobody what ends at a host that is listed no more', () => {
      const { balancer } = balancerOf(endpoints(3), { outliers });
      const gone = balancer.hosts[0];
      assert.ok(gone);
      balancer.update(endpoints(3).slice(1));
      for (let i = 0; i < 9; i++) balancer.begin(gone)({ ok: false });
      assert.equal(gone.outlier.ejectedUntil, undefined);
    });
  });
});
