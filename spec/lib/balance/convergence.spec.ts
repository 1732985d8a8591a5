import assert from 'node:assert/strict';
import { NO_OUTLIERS } from '../../../lib/balance/outliers.ts';
import { POLICY_NAMES, type PolicyName } from '../../../lib/balance/policies.ts';
import { type SimulatedHost, simulate } from '../../support/balance-simulation.ts';
import { endpoint, endpoints, rulesWith } from '../../support/balancers.ts';

const CALLS_PER_SECOND = 1000;

interface Course {
  readonly policy: PolicyName;
  readonly seconds: number;
  /** What is otherwise with the first of ten hosts. */
  readonly first: Partial<SimulatedHost>;
}

/** The share of the first host in those seconds, of its fair one. */
function courseOf({ policy, seconds, first }: Course) {
  const outliers = { ...NO_OUTLIERS, inARow: 5, ejectMs: 10_000, maxShare: 0.5 };
  const { sent } = simulate({
    seed: 3,
    rules: rulesWith({ policy, outliers }),
    balancers: 20,
    hosts: endpoints(10).map((each, i) => ({
      ...{ endpoint: each, meanMs: 10, workers: 8 },
      ...(i === 0 && first),
    })),
    callsPerSecond: CALLS_PER_SECOND,
    seconds,
  });
  return (from: number, to: number) => {
    const then = sent.filter(({ second }) => second >= from && second < to);
    return (then.filter(({ id }) => id === 'h0').length / then.length) * 10;
  };
}

const isFair = (share: number, by: number) =>
  assert.ok(Math.abs(share - 1) <= by, `${share} of its share`);

describe('one of ten hosts, of twenty balancers that share nothing (seed 3)', () => {
  const SLOW_UNTIL = 10;
  const first = { meanMs: (second: number) => (second < SLOW_UNTIL ? 200 : 10) };

  for (const policy of ['two-choices', 'least-requests'] as const) {
    it(`has its share again within a second when it is slow no more, by ${policy}`, () => {
      const shareIn = courseOf({ policy, seconds: 20, first });
      assert.ok(shareIn(2, SLOW_UNTIL) < 0.6, `${shareIn(2, SLOW_UNTIL)}`);
      isFair(shareIn(SLOW_UNTIL + 1, 20), 0.15);
    });
  }

  it('has its share again within half a minute, by peak-ewma, and never much more', () => {
    const shareIn = courseOf({ policy: 'peak-ewma', seconds: 60, first });
    assert.ok(shareIn(2, SLOW_UNTIL) < 0.3, `${shareIn(2, SLOW_UNTIL)}`);
    isFair(shareIn(SLOW_UNTIL + 25, 60), 0.25);
    for (let second = SLOW_UNTIL; second < 60; second++) {
      assert.ok(shareIn(second, second + 1) < 1.6, `${shareIn(second, second + 1)} at ${second}`);
    }
  });

  for (const policy of POLICY_NAMES) {
    it(`is back in its share after it was set aside, by ${policy}`, () => {
      const fails = (second: number) => second < 5;
      const shareIn = courseOf({ policy, seconds: 25, first: { fails } });
      const aside = shareIn(3, 10);
      assert.ok(aside < 0.1, `${aside} while it was aside`);
      isFair(shareIn(16, 25), 0.25);
      for (let second = 10; second < 25; second++) {
        assert.ok(shareIn(second, second + 1) < 1.6, `${shareIn(second, second + 1)} at ${second}`);
      }
    });
  }
});

describe('weights of 1, 1, 2 and 4, with two calls under way at each of twenty balancers (seed 1)', () => {
  /** What a host gets for what its weight says, at least and at most. */
  const OF_ITS_WEIGHT: Readonly<Record<PolicyName, readonly [least: number, most: number]>> = {
    'round-robin': [0.98, 1.02],
    random: [0.94, 1.06],
    'ring-hash': [0.8, 1.3],
    maglev: [0.94, 1.06],
    // A heavy one less, and a light one more.
    'two-choices': [0.75, 1.4],
    'least-requests': [0.6, 1.7],
    // A light one less.
    'peak-ewma': [0.55, 1.3],
  };

  for (const policy of POLICY_NAMES) {
    it(`come to shares in their order, by ${policy}`, () => {
      const weights = [1, 1, 2, 4];
      const { stations, sent } = simulate({
        seed: 1,
        rules: rulesWith({ policy }),
        balancers: 20,
        hosts: weights.map((weight, i) => ({
          ...{ endpoint: endpoint(`h${i}`, { weight }), meanMs: 20, workers: 16 * weight },
        })),
        callsPerSecond: 2000,
        seconds: 20,
      });
      const parts = weights.map((_, i) => ((stations.get(`h${i}`)?.calls ?? 0) / sent.length) * 8);
      const [least, most] = OF_ITS_WEIGHT[policy];
      for (const [i, part] of parts.entries()) {
        const ofIts = part / (weights[i] ?? 0);
        assert.ok(ofIts >= least && ofIts <= most, `${parts}`);
      }
      const [one = 0, other = 0, two = 0, four = 0] = parts;
      assert.ok(Math.max(one, other) < two && two < four, `${parts}`);
    });
  }
});
