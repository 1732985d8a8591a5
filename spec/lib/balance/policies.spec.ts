import assert from 'node:assert/strict';
import type { Host } from '../../../lib/balance/host.ts';
import { POLICY_NAMES, type PolicyName, policyNamed } from '../../../lib/balance/policies.ts';
import { simulate } from '../../support/balance-simulation.ts';
import { balancerOf, endpoint, endpoints, rulesWith } from '../../support/balancers.ts';

const HASHING: readonly PolicyName[] = ['ring-hash', 'maglev'];
const CALLS = 12_000;
const KEYS = Array.from({ length: CALLS }, (_, i) => `user-${i}`);

/** Where each key's call goes. */
function homes(of: ReturnType<typeof balancerOf>): readonly string[] {
  return KEYS.map((key) => of.balancer.choose({ key })?.id ?? 'none');
}

function counted(ids: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

describe('the policy', () => {
  for (const policy of POLICY_NAMES) {
    describe(policy, () => {
      const isHashing = HASHING.includes(policy);
      const shares = (of: ReturnType<typeof balancerOf>) =>
        isHashing ? counted(homes(of)) : of.spread(CALLS);
      const tolerance = policy === 'ring-hash' ? 0.25 : 0.06;

      it('gives equal hosts equal shares (seed 1)', () => {
        const counts = shares(balancerOf(endpoints(6), { policy }));
        assert.equal(counts.size, 6);
        for (const [id, count] of counts) {
          assert.ok(Math.abs((count / CALLS) * 6 - 1) <= tolerance, `${id} got ${count}`);
        }
      });

      it('gives each host its weight (seed 1)', () => {
        const weights = [1, 1, 2, 4];
        const listed = weights.map((weight, i) => endpoint(`h${i}`, { weight }));
        const counts = shares(balancerOf(listed, { policy }));
        for (const [i, weight] of weights.entries()) {
          const part = ((counts.get(`h${i}`) ?? 0) / CALLS) * 8;
          assert.ok(Math.abs(part / weight - 1) <= tolerance * 1.5, `h${i}: ${part}`);
        }
      });

      it('takes another host each time for one call, and none when all were tried', () => {
        const { balancer } = balancerOf(endpoints(5), { policy });
        const avoid = new Set<Host>();
        for (let i = 0; i < 5; i++) {
          const host = balancer.choose({ key: 'k', avoid });
          assert.ok(host !== undefined && !avoid.has(host));
          avoid.add(host);
        }
        assert.equal(balancer.choose({ key: 'k', avoid }), undefined);
      });

      it('has none to choose where there is none', () => {
        const { balancer } = balancerOf([], { policy });
        assert.equal(balancer.choose({ key: 'k' }), undefined);
      });

      it('takes weights as far apart as a catalog may say them', () => {
        const listed = [endpoint('heavy', { weight: 1e9 }), endpoint('light')];
        const { balancer } = balancerOf(listed, { policy });
        assert.equal(balancer.choose({ key: 'k' })?.id, 'heavy');
      });
    });
  }

  for (const policy of HASHING) {
    describe(policy, () => {
      const moved = (was: readonly string[], is: readonly string[]) =>
        was.filter((id, i) => id !== is[i]).length / CALLS;

      it('has one home for a key, whichever balancer is asked and whatever it was told first', () => {
        const one = balancerOf(endpoints(10), { policy }, 1);
        const other = balancerOf(endpoints(10).reverse(), { policy }, 2);
        assert.deepEqual(homes(one), homes(other));
      });

      it('moves few keys beside those of a host that comes', () => {
        const of = balancerOf(endpoints(10), { policy });
        const was = homes(of);
        of.balancer.update(endpoints(11));
        const is = homes(of);
        assert.ok(moved(was, is) <= 1 / 11 + 0.05, `${moved(was, is)} moved`);
        const strays = is.filter((id, i) => id !== was[i] && id !== 'h10').length / CALLS;
        assert.ok(strays <= (policy === 'ring-hash' ? 0 : 0.05), `${strays} strayed`);
      });

      it('moves few keys beside those of a host that goes, and gives them back', () => {
        const of = balancerOf(endpoints(10), { policy });
        const was = homes(of);
        of.balancer.update(endpoints(10).filter(({ id }) => id !== 'h3'));
        const is = homes(of);
        const strays = is.filter((id, i) => id !== was[i] && was[i] !== 'h3').length / CALLS;
        assert.ok(strays <= (policy === 'ring-hash' ? 0 : 0.05), `${strays} strayed`);
        of.balancer.update(endpoints(10));
        assert.deepEqual(homes(of), was);
      });

      it('spreads calls that have no key', () => {
        const { spread } = balancerOf(endpoints(4), { policy });
        for (const [id, count] of spread(CALLS)) {
          assert.ok(Math.abs((count / CALLS) * 4 - 1) <= 0.3, `${id} got ${count}`);
        }
      });
    });
  }

  describe('round-robin', () => {
    it('gives each host its weight in each round, and never all in a row', () => {
      const listed = [endpoint('a', { weight: 5 }), endpoint('b'), endpoint('c')];
      const { balancer } = balancerOf(listed, { policy: 'round-robin' });
      for (let round = 0; round < 20; round++) {
        const ids = Array.from({ length: 7 }, () => balancer.choose()?.id ?? '');
        assert.deepEqual(
          [...counted(ids)].sort().map(([, n]) => n),
          [5, 1, 1],
        );
        assert.ok(!ids.join('').includes('aaaa'));
      }
    });

    it('begins elsewhere in each balancer: twenty that start together do not meet', () => {
      const firsts = Array.from({ length: 200 }, (_, seed) => {
        return (
          balancerOf(endpoints(10), { policy: 'round-robin' }, seed).balancer.choose()?.id ?? ''
        );
      });
      const counts = [...counted(firsts).values()];
      assert.equal(counts.length, 10);
      assert.ok(Math.max(...counts) < 45, `${counts}`);
    });

    it('keeps its turn when others come and go', () => {
      const { balancer, spread } = balancerOf(endpoints(3), { policy: 'round-robin' });
      // At each call another set: who begins anew each time would choose one host for ever.
      const ids = Array.from({ length: 300 }, (_, i) => {
        balancer.update(endpoints(3 + (i % 2)));
        return balancer.choose()?.id ?? '';
      });
      const least = Math.min(...['h0', 'h1', 'h2'].map((id) => counted(ids).get(id) ?? 0));
      assert.ok(least >= 60, `${least}`);
      assert.equal(spread(3).size, 3);
    });
  });

  describe('with one slow host of ten, twenty balancers and 1,000 calls a second (seed 3)', () => {
    const run = (policy: PolicyName) =>
      simulate({
        seed: 3,
        rules: rulesWith({ policy }),
        balancers: 20,
        hosts: endpoints(10).map((each, i) => ({
          endpoint: each,
          meanMs: i === 0 ? 200 : 10,
          workers: 8,
        })),
        callsPerSecond: 1000,
        seconds: 20,
      });
    const roundRobin = run('round-robin').quantile(0.99);

    for (const policy of ['two-choices', 'least-requests', 'peak-ewma'] as const) {
      it(`${policy} has a 99th percentile five times better than round robin's`, () => {
        const p99 = run(policy).quantile(0.99);
        assert.ok(p99 * 5 <= roundRobin, `${p99} beside ${roundRobin}`);
      });
    }

    it('peak-ewma leaves it alone, and tries it now and then', () => {
      const calls = run('peak-ewma').stations.get('h0')?.calls ?? 0;
      assert.ok(calls > 20 && calls < 400, `${calls}`);
    });
  });

  describe('when a host joins nine that are busy, of twenty balancers that share nothing (seed 5)', () => {
    for (const policy of POLICY_NAMES) {
      it(`${policy} makes no herd of them`, () => {
        const host = (id: string) => ({ endpoint: endpoint(id), meanMs: 10, workers: 8 });
        const { stations } = simulate({
          seed: 5,
          rules: rulesWith({ policy }),
          balancers: 20,
          hosts: endpoints(9).map(({ id }) => host(id)),
          callsPerSecond: 4000,
          seconds: 4,
          joining: { second: 2, hosts: [host('new')] },
        });
        const peaks = [...stations].map(([id, { peak }]) => [id, peak] as const);
        const others = Math.max(...peaks.map(([id, peak]) => (id === 'new' ? 0 : peak)));
        const peak = stations.get('new')?.peak ?? 0;
        assert.ok(peak <= others * 1.5, `${peak} at once there, ${others} elsewhere`);
        const calls = stations.get('new')?.calls ?? 0;
        assert.ok(Math.abs(calls / 800 - 1) < 0.35, `${calls}`);
      });
    }
  });

  it('of an unknown name is refused, with those that there are', () => {
    assert.equal(policyNamed('maglev'), 'maglev');
    assert.throws(
      () => policyNamed('constructor'),
      /^ProconsulError: unknown policy "constructor": there are round-robin, random,/,
    );
  });
});
