import assert from 'node:assert/strict';
import type { Balancer } from '../../../lib/balance/balancer.ts';
import type { Host } from '../../../lib/balance/host.ts';
import type { Random } from '../../../lib/random.ts';
import { simulate } from '../../support/balance-simulation.ts';
import { endpoints, rulesWith } from '../../support/balancers.ts';

const MEAN_MS = 10;
const CALLS = 30_000;

/** The least of all whatever it may be, by chance where there are several: what `least-requests` is but for its herds. */
function least(balancer: Balancer, random: Pick<Random, 'next'>): Host | undefined {
  let best: Host[] = [];
  for (const host of balancer.hosts) {
    const active = best[0]?.active ?? Number.POSITIVE_INFINITY;
    if (host.active < active) best = [host];
    else if (host.active === active) best.push(host);
  }
  return best[Math.floor(random.next() * best.length)];
}

describe('the tail of least-requests, beside one that always calls the least of all (seed 7)', () => {
  for (const [hosts, workers, balancers, load] of [
    [50, 1, 1, 0.8],
    [10, 1, 1, 0.8],
    [10, 4, 1, 0.8],
    [10, 4, 20, 0.8],
    [10, 4, 1, 0.95],
  ] as const) {
    it(`is no longer with ${hosts} hosts of ${workers} at ${load * 100} % of their load, by ${balancers}`, () => {
      const callsPerSecond = (load * hosts * workers * 1000) / MEAN_MS;
      const of = {
        ...{ seed: 7, balancers, callsPerSecond, seconds: CALLS / callsPerSecond },
        ...{ rules: rulesWith({ policy: 'least-requests' }) },
        hosts: endpoints(hosts).map((endpoint) => ({ endpoint, meanMs: MEAN_MS, workers })),
      };
      const [own, other] = [simulate(of), simulate({ ...of, choose: least })];
      for (const q of [0.5, 0.95, 0.99]) {
        const [is, would] = [own.quantile(q), other.quantile(q)];
        assert.ok(is <= would * 1.1, `${is} beside ${would} at ${q}`);
      }
    });
  }
});
