import assert from 'node:assert/strict';
import { POLICY_NAMES, type PolicyName } from '../../../lib/balance/policies.ts';
import { simulate } from '../../support/balance-simulation.ts';
import { balancerOf, endpoint, endpoints, rulesWith } from '../../support/balancers.ts';

const SLOW_START = { windowMs: 30_000, least: 0.1 };
const HASHING: readonly PolicyName[] = ['ring-hash', 'maglev'];

/** 1,000 calls are under way, by twenty balancers, when a tenth host joins; where those behind that go. */
function joined(policy: PolicyName, slowStart = { windowMs: 0, least: 0.1 }) {
  const host = (id: string) => ({ endpoint: endpoint(id), meanMs: 2000, workers: 2000 });
  const { sent, stations } = simulate({
    seed: 5,
    rules: rulesWith({ policy, slowStart }),
    balancers: 20,
    hosts: endpoints(9).map(({ id }) => host(id)),
    callsPerSecond: 500,
    seconds: 20,
    joining: { second: 10, hosts: [host('new')] },
  });
  const since = sent.filter(({ second }) => second >= 10);
  const ofFirst = (count: number) => since.slice(0, count).filter(({ id }) => id === 'new').length;
  return { ofFirst, inside: stations.get('new')?.inside ?? 0 };
}

describe('when a host joins nine that have long calls under way (seed 5)', () => {
  for (const policy of POLICY_NAMES) {
    it(`${policy} sends it about twice its share of the next calls at most`, () => {
      const { ofFirst } = joined(policy);
      const [some, more] = [ofFirst(50), ofFirst(100)];
      assert.ok(some <= 16 && more <= 30, `${some} of 50, ${more} of 100`);
    });
  }

  for (const policy of ['least-requests', 'two-choices'] as const) {
    it(`${policy} has it bear as much as the others soon`, () => {
      const { ofFirst, inside } = joined(policy);
      assert.ok(ofFirst(500) >= 75, `${ofFirst(500)} of 500`);
      assert.ok(Math.abs(inside / 100 - 1) < 0.2, `${inside}`);
    });
  }

  for (const policy of POLICY_NAMES.filter((each) => !HASHING.includes(each))) {
    it(`${policy} has it grow into its share, with a slow start`, () => {
      const { ofFirst, inside } = joined(policy, SLOW_START);
      assert.ok(ofFirst(100) <= 8 && ofFirst(500) <= 30, `${ofFirst(100)}, ${ofFirst(500)}`);
      assert.ok(inside >= 15 && inside <= 70, `${inside}`);
    });
  }
});

describe('least-requests', () => {
  const policy = 'least-requests';

  /** So many calls under way at each of ten, and how many of the next thirty go to the first. */
  function nextAtFirst(of: ReturnType<typeof balancerOf>['balancer']): number {
    let count = 0;
    for (let i = 0; i < 30; i++) {
      const host = of.choose();
      assert.ok(host);
      of.begin(host);
      if (host.id === 'h0') count++;
    }
    return count;
  }

  it('makes no herd for a host whose calls all broke at once (seed 1)', () => {
    const { balancer } = balancerOf(endpoints(10), { policy });
    const ends = Array.from({ length: 300 }, () => {
      const host = balancer.choose();
      assert.ok(host);
      return { host, end: balancer.begin(host) };
    });
    for (const { host, end } of ends) if (host.id === 'h0') end({ ok: false });
    const count = nextAtFirst(balancer);
    assert.ok(count > 0 && count <= 12, `${count} of 30`);
  });

  it('gives a starting host its part where nothing is under way too (seed 1)', () => {
    const slowStart = { windowMs: 10_000, least: 0.1 };
    const { balancer, time, spread } = balancerOf(endpoints(4), { policy, slowStart });
    time.ms = 60_000;
    balancer.update(endpoints(5));
    for (const [afterMs, part] of [
      [0, 0.1 / 4.1],
      [5000, 0.5 / 4.5],
      [10_000, 0.2],
    ] as const) {
      time.ms = 60_000 + afterMs;
      const got = (spread(10_000).get('h4') ?? 0) / 10_000;
      assert.ok(Math.abs(got / part - 1) < 0.2, `${got} after ${afterMs}`);
    }
  });

  it('looks at all that start together (seed 1)', () => {
    const { balancer } = balancerOf(endpoints(10), { policy, slowStart: SLOW_START });
    for (let i = 0; i < 1000; i++) {
      const host = balancer.choose();
      assert.ok(host);
      balancer.begin(host);
    }
    assert.deepEqual(new Set(balancer.hosts.map(({ active }) => active)), new Set([100]));
  });

  it('finds who is behind by chance, with two of as many calls as there are hosts (seeds 1 to 200)', () => {
    const waited = Array.from({ length: 200 }, (_, i) => {
      const { balancer } = balancerOf(endpoints(10), { policy }, i + 1);
      for (let n = 0; n < 90; n++) {
        const host = balancer.choose();
        assert.ok(host);
        balancer.begin(host);
      }
      balancer.update(endpoints(11));
      for (let calls = 1; ; calls++) {
        const host = balancer.choose();
        assert.ok(host);
        balancer.begin(host);
        if (host.id === 'h10') return calls;
      }
    });
    const mean = waited.reduce((sum, each) => sum + each, 0) / waited.length;
    assert.ok(mean > 4 && mean < 7.5, `${mean} calls until its first`);
  });

  it('turns to whoever is behind where all others were tried', () => {
    const { balancer } = balancerOf(endpoints(2), { policy });
    const [first, second] = balancer.hosts;
    assert.ok(first && second);
    for (let i = 0; i < 9; i++) balancer.begin(first);
    for (let i = 0; i < 50; i++) {
      assert.equal(balancer.choose({ avoid: new Set([first]) }), second);
      assert.equal(balancer.choose({ avoid: new Set([second]) }), first);
    }
  });
});
