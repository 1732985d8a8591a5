/**
 * Sets aside hosts that fail while the others do not, for longer each time. There is a ceiling: where most of
 * them fail it is not the hosts' fault, and to leave the last ones with all the calls would end them too.
 */
import type { Host } from './host.ts';
import type { Scales } from './policy.ts';

export interface OutlierRules {
  /** So many failures in a row; 0 for never. */
  readonly inARow: number;
  /** By so long steps the rates of success are compared, and is forgotten how often one was set aside. */
  readonly intervalMs: number;
  /** For so long the first time, twice as long the second. */
  readonly ejectMs: number;
  readonly maxEjectMs: number;
  /** The part of the healthy hosts that may be set aside at once; one may always, of several. */
  readonly maxShare: number;
  readonly successRate: SuccessRateRules;
  /** The part of those cases in which that many failures in a row count; all, where nobody says. */
  readonly enforced?: number;
}

export interface SuccessRateRules {
  /** So many standard deviations below the mean is too bad; 0 for never. */
  readonly deviations: number;
  /** Hosts with too few calls say nothing, and too few hosts have no mean. */
  readonly minHosts: number;
  readonly minCalls: number;
}

export const NO_OUTLIERS: OutlierRules = {
  inARow: 0,
  intervalMs: 10_000,
  ejectMs: 30_000,
  maxEjectMs: 300_000,
  maxShare: 0,
  successRate: { deviations: 0, minHosts: 5, minCalls: 100 },
};

type Hosts = ReadonlyMap<string, Host>;

export class Outliers {
  readonly #rules: OutlierRules;
  readonly #random: Scales['random'];
  #stepEnds: number;

  constructor(rules: OutlierRules, now: number, random: Scales['random']) {
    this.#rules = rules;
    this.#random = random;
    this.#stepEnds = now + rules.intervalMs;
  }

  /** Whether the host is set aside for it. */
  ended(host: Host, ok: boolean, hosts: Hosts, now: number): boolean {
    const { outlier } = host;
    outlier[ok ? 'ok' : 'failed']++;
    outlier.inARow = ok ? 0 : outlier.inARow + 1;
    const { inARow, enforced = 1 } = this.#rules;
    if (inARow === 0 || outlier.inARow < inARow) return false;
    if (enforced < 1 && this.#random.next() >= enforced) {
      outlier.inARow = 0;
      return false;
    }
    return this.#eject(host, hosts, now);
  }

  /** Whether any is set aside, or comes back; to be called before each choice. */
  sweep(hosts: Hosts, now: number): boolean {
    let isChanged = false;
    for (const { outlier } of hosts.values()) {
      if (outlier.ejectedUntil === undefined || outlier.ejectedUntil > now) continue;
      outlier.ejectedUntil = undefined;
      outlier.inARow = 0;
      isChanged = true;
    }
    if (now < this.#stepEnds) return isChanged;
    this.#stepEnds = now + this.#rules.intervalMs;
    for (const host of this.#tooBad(hosts)) isChanged = this.#eject(host, hosts, now) || isChanged;
    for (const { outlier } of hosts.values()) {
      outlier.ok = 0;
      outlier.failed = 0;
      if (outlier.ejectedUntil === undefined && outlier.times > 0) outlier.times--;
    }
    return isChanged;
  }

  /** When a sweep is due, as things stand. */
  nextSweep(hosts: Hosts): number {
    let next = this.#stepEnds;
    for (const { outlier } of hosts.values()) next = Math.min(next, outlier.ejectedUntil ?? next);
    return next;
  }

  #tooBad(hosts: Hosts): readonly Host[] {
    const { deviations, minHosts, minCalls } = this.#rules.successRate;
    if (deviations === 0) return [];
    const rated = [...hosts.values()]
      .filter(({ outlier: { ok, failed } }) => ok + failed >= minCalls)
      .map((host) => ({ host, rate: rateOf(host) }));
    if (rated.length < minHosts) return [];
    const mean = rated.reduce((sum, { rate }) => sum + rate, 0) / rated.length;
    const variance = rated.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rated.length;
    const least = mean - deviations * Math.sqrt(variance);
    return rated.filter(({ rate }) => rate < least).map(({ host }) => host);
  }

  /** To be called when hosts have come or gone: of fewer, fewer may be aside, and whose time is over first is back. */
  fit(hosts: Hosts): void {
    const there = [...hosts.values()].filter(isThere);
    const aside = there
      .filter(({ outlier }) => outlier.ejectedUntil !== undefined)
      .sort((a, b) => (a.outlier.ejectedUntil ?? 0) - (b.outlier.ejectedUntil ?? 0));
    for (const host of aside.slice(0, Math.max(0, aside.length - this.#most(there.length)))) {
      host.outlier.ejectedUntil = undefined;
      host.outlier.inARow = 0;
    }
  }

  #eject(host: Host, hosts: Hosts, now: number): boolean {
    const { ejectMs, maxEjectMs } = this.#rules;
    const { outlier } = host;
    if (outlier.ejectedUntil !== undefined || !isThere(host)) return false;
    let [there, aside] = [0, 0];
    for (const each of hosts.values()) {
      if (!isThere(each)) continue;
      there++;
      if (each.outlier.ejectedUntil !== undefined) aside++;
    }
    if (aside >= this.#most(there)) return false;
    outlier.times++;
    outlier.ejectedUntil = now + Math.min(maxEjectMs, ejectMs * outlier.times);
    return true;
  }

  #most(there: number): number {
    return there < 2 ? 0 : Math.max(1, Math.floor(there * this.#rules.maxShare));
  }
}

/** Who is critical or in maintenance is away already, and bears none of what the others leave. */
function isThere({ endpoint }: Host): boolean {
  return endpoint.health === 'healthy';
}

function rateOf({ outlier: { ok, failed } }: Host): number {
  return ok / (ok + failed);
}
