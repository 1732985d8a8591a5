/** Balancers over hosts that are made up, with chance from a seed and time that the spec moves. */
import { Balancer, type BalancerRules } from '../../lib/balance/balancer.ts';
import type { Endpoint } from '../../lib/balance/host.ts';
import { NO_OUTLIERS } from '../../lib/balance/outliers.ts';
import { seededRandom } from './fakes/seeded-random.ts';

export function endpoint(id: string, more: Partial<Endpoint> = {}): Endpoint {
  return {
    id,
    address: '10.0.0.1',
    port: 8080,
    weight: 1,
    priority: 0,
    zone: '',
    health: 'healthy',
    labels: new Map(),
    ...more,
  };
}

export function endpoints(count: number, more: Partial<Endpoint> = {}): Endpoint[] {
  return Array.from({ length: count }, (_, i) => endpoint(`h${i}`, more));
}

type SomeRules = Omit<Partial<BalancerRules>, 'preferences'> & {
  readonly preferences?: Partial<BalancerRules['preferences']>;
};

export function rulesWith({ preferences, ...more }: SomeRules = {}): BalancerRules {
  return {
    policy: 'round-robin',
    preferences: { zone: '', minZoneHosts: 1, headroom: 1.4, panicBelow: 0, ...preferences },
    slowStart: { windowMs: 0, least: 0.1 },
    outliers: NO_OUTLIERS,
    ...more,
  };
}

/** With a time that stands still until `time.ms` is set. */
export function balancerOf(
  listed: readonly Endpoint[],
  rules: SomeRules = {},
  seed = 1,
  time = { ms: 0 },
) {
  const random = seededRandom(seed);
  const balancer = new Balancer(rulesWith(rules), { random, now: () => time.ms });
  balancer.update(listed);
  /** Which host each of so many calls goes to, that take no time. */
  const spread = (calls: number, of: Parameters<Balancer['choose']>[0] = {}) => {
    const counts = new Map<string, number>();
    for (let i = 0; i < calls; i++) {
      const host = balancer.choose(of);
      const id = host?.id ?? 'none';
      if (host !== undefined) balancer.begin(host)({ ok: true });
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  };
  return { balancer, time, spread };
}
