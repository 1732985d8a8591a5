/**
 * Chooses for each call the host that it goes to, and learns from how calls end. It knows hosts and outcomes:
 * no sockets, no clock of its own, and of other balancers nothing.
 */
import { type Endpoint, Host } from './host.ts';
import { type OutlierRules, Outliers } from './outliers.ts';
import { type PolicyName, policyOf } from './policies.ts';
import type { Pick, Policy, Scales } from './policy.ts';
import { type Pool, type Preferences, poolsOf } from './pools.ts';
import { type SlowStart, weightAt } from './slow-start.ts';

export interface BalancerRules {
  readonly policy: PolicyName;
  readonly preferences: Preferences;
  readonly slowStart: SlowStart;
  readonly outliers: OutlierRules;
}

export interface Call extends Pick {
  /** Only hosts with all of these labels. */
  readonly subset?: readonly (readonly [name: string, value: string])[] | undefined;
  /** There is somebody else to ask, before hosts are called that are not well. */
  readonly isCalm?: boolean;
}

export interface Outcome {
  /** Undefined where another was faster: it took so long at least. */
  readonly ok: boolean | undefined;
  /** Undefined where it says nothing of how fast the host is. */
  readonly ms?: number;
}

/** Subsets whose pools are kept; of more, those that are in use are made anew. */
const MAX_SUBSETS = 64;
/** Each keeps the hosts that it last chose from, and some a table of them. */
const MAX_POLICIES = 2 * MAX_SUBSETS;

export class Balancer {
  readonly #rules: BalancerRules;
  readonly #scales: Scales;
  readonly #outliers: Outliers;
  #hosts = new Map<string, Host>();
  /** By subset; all are made anew when anything has changed. */
  readonly #pools = new Map<string, readonly Pool[]>();
  /** By subset and pool: what a policy knows outlives a change of the hosts. */
  readonly #policies = new Map<string, Policy>();
  #nextSweep = Number.POSITIVE_INFINITY;

  constructor(rules: BalancerRules, { random, now }: Omit<Scales, 'weightOf'>) {
    this.#rules = rules;
    const weightOf =
      rules.slowStart.windowMs === 0
        ? ({ endpoint }: Host) => endpoint.weight
        : (host: Host) => weightAt(host, now(), rules.slowStart);
    this.#scales = { random, now, weightOf };
    this.#outliers = new Outliers(rules.outliers, now(), random);
    this.#changed();
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /**
   * In place of those before. A host that is not among them gets nothing new; what is under way there goes
   * on. An instance that moved to another address is another host.
   */
  update(endpoints: readonly Endpoint[]): void {
    const now = this.#scales.now();
    const typical = this.#typicalMs(now);
    const hosts = new Map<string, Host>();
    for (const endpoint of endpoints) {
      const before = this.#hosts.get(endpoint.id);
      const isSame =
        before?.endpoint.address === endpoint.address && before.endpoint.port === endpoint.port;
      if (before !== undefined && isSame) before.takeOver(endpoint, now);
      const host = before !== undefined && isSame ? before : new Host(endpoint, now, typical);
      hosts.set(endpoint.id, host);
    }
    this.#hosts = hosts;
    this.#outliers.fit(hosts);
    this.#changed();
  }

  /** Whether it is still listed. */
  has(host: Host): boolean {
    return this.#hosts.get(host.id) === host;
  }

  /** Undefined where there is none. Whoever calls it says so with `begin`. */
  choose(call: Call = {}): Host | undefined {
    this.#sweep();
    const name = call.subset === undefined ? '' : JSON.stringify(call.subset);
    const all = this.#poolsOf(name, call.subset);
    const pools = call.isCalm ? all.filter(({ isPanic }) => !isPanic) : all;
    const first = this.#drawn(pools);
    if (first === undefined) return undefined;
    const found = this.#policy(name, first).choose(first.hosts, call);
    if (found !== undefined || pools.length === 1) return found;
    // All of that pool were tried before for this call.
    for (const pool of pools) {
      const other = this.#policy(name, pool).choose(pool.hosts, call);
      if (other !== undefined) return other;
    }
    return undefined;
  }

  /** A call begins there; what is returned ends it, once. Without an outcome it says nothing of the host. */
  begin(host: Host): (outcome?: Outcome) => void {
    host.active++;
    host.begun++;
    let isOver = false;
    return (outcome) => {
      if (isOver) return;
      isOver = true;
      host.active--;
      if (outcome !== undefined) this.judge(host, outcome);
    };
  }

  /** How a host did: where a call goes on for long, such as a connection, before its end. */
  judge(host: Host, { ok, ms }: Outcome): void {
    const now = this.#scales.now();
    // A refusal is fast, and would make whoever refuses look like the best.
    if (ok !== false && ms !== undefined && ms >= 0) host.latency.observe(ms, now);
    if (ok === undefined) return;
    if (!ok) host.failed++;
    if (this.has(host) && this.#outliers.ended(host, ok, this.#hosts, now)) this.#changed();
  }

  /**
   * Who comes is taken for as fast as the others: as the fastest of all, until its first slow answer, it would
   * have twice its share from each balancer at once.
   */
  #typicalMs(now: number): number {
    const known = this.hosts.filter(({ latency }) => latency.isKnown);
    return known.reduce((sum, { latency }) => sum + latency.at(now), 0) / (known.length || 1);
  }

  #sweep(): void {
    const now = this.#scales.now();
    if (now < this.#nextSweep) return;
    if (this.#outliers.sweep(this.#hosts, now)) this.#changed();
    else this.#nextSweep = this.#outliers.nextSweep(this.#hosts);
  }

  #changed(): void {
    this.#pools.clear();
    this.#nextSweep = this.#outliers.nextSweep(this.#hosts);
  }

  #poolsOf(name: string, subset: Call['subset'] = []): readonly Pool[] {
    let pools = this.#pools.get(name);
    if (pools === undefined) {
      if (this.#pools.size >= MAX_SUBSETS) this.#pools.clear();
      const hosts = this.hosts.filter(({ endpoint }) =>
        subset.every(([label, value]) => endpoint.labels.get(label) === value),
      );
      pools = poolsOf(hosts, this.#rules.preferences);
      this.#pools.set(name, pools);
    }
    return pools;
  }

  #drawn(pools: readonly Pool[]): Pool | undefined {
    if (pools.length < 2) return pools[0];
    let left = this.#scales.random.next();
    for (const pool of pools) {
      left -= pool.share;
      if (left < 0) return pool;
    }
    return pools.at(-1);
  }

  #policy(subset: string, { name }: Pool): Policy {
    const key = `${name} ${subset}`;
    const found = this.#policies.get(key);
    if (found !== undefined) return found;
    if (this.#policies.size >= MAX_POLICIES) this.#policies.clear();
    const made = policyOf(this.#rules.policy, this.#scales);
    this.#policies.set(key, made);
    return made;
  }
}
