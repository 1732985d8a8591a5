/**
 * Which hosts a call may go to, and with what share of all calls: by priority, as far as those before are not
 * there, and within a priority to the balancer's own zone, as far as that one is there.
 */
import type { Host } from './host.ts';

export interface Preferences {
  /** '' for none: all zones are alike then. */
  readonly zone: string;
  /** With fewer hosts in its own zone a balancer would overload them: then all zones are alike. */
  readonly minZoneHosts: number;
  /**
   * How much more than its part a host can bear. With 1.4 a level of which 72 % are there still takes
   * everything; Infinity: as long as one is there.
   */
  readonly headroom: number;
  /**
   * Where less than this part is there, and no other level can help, all are used again: what said that they
   * are not well is more likely wrong than right, and it is better to fail for some than for all. 0 for never.
   */
  readonly panicBelow: number;
}

export interface Pool {
  /** Stays the same from one set of hosts to the next. */
  readonly name: string;
  readonly hosts: readonly Host[];
  /** Of all pools they sum up to 1. */
  readonly share: number;
  /** Its hosts are used because too few are well. */
  readonly isPanic?: true;
}

/** Without any where there is nothing to choose from. */
export function poolsOf(hosts: readonly Host[], preferences: Preferences): readonly Pool[] {
  const levels = levelsOf(hosts);
  const { shares, isEnough } = sharesOf(levels, preferences.headroom);
  return levels.flatMap((level, i) => {
    const share = shares[i] ?? 0;
    if (!(share > 0)) return [];
    const { priority, all, available } = level;
    const isPanic = !isEnough && available.length < preferences.panicBelow * all.length;
    if (isPanic) return [{ name: `${priority} panic`, hosts: all, share, isPanic }];
    return available.length === 0 ? [] : zonePools(level, share, preferences);
  });
}

interface Level {
  readonly priority: number;
  /** Without those that are drained: those are not missing, but taken away. */
  readonly all: readonly Host[];
  readonly available: readonly Host[];
}

function levelsOf(hosts: readonly Host[]): readonly Level[] {
  const byPriority = new Map<number, Host[]>();
  for (const host of hosts) {
    const { priority, health } = host.endpoint;
    if (health === 'draining') continue;
    const level = byPriority.get(priority);
    if (level === undefined) byPriority.set(priority, [host]);
    else level.push(host);
  }
  return [...byPriority]
    .sort(([a], [b]) => a - b)
    .map(([priority, all]) => ({ priority, all, available: all.filter(isAvailable) }));
}

function isAvailable({ endpoint, outlier }: Host): boolean {
  return endpoint.health === 'healthy' && outlier.ejectedUntil === undefined;
}

/** As Envoy reckons it: each level takes what it can bear, and what none can is shared out as the rest is. */
function sharesOf(levels: readonly Level[], headroom: number) {
  let left = 1;
  const borne = levels.map((level) => {
    const share = Math.min(left, capacity(level.available.length, level.all.length, headroom));
    left -= share;
    return share;
  });
  const isEnough = left <= 0;
  // Where nobody bears anything, whether the first does all the same is a matter of panic.
  const shares = left === 1 ? [1] : borne.map((share) => share / (1 - left));
  return { shares, isEnough };
}

/** 0 times Infinity is no number. */
function capacity(available: number, all: number, headroom: number): number {
  return available === 0 ? 0 : Math.min(1, (available / all) * headroom);
}

function zonePools(level: Level, share: number, preferences: Preferences): readonly Pool[] {
  const { priority, all, available } = level;
  const { zone, minZoneHosts, headroom } = preferences;
  const isNear = ({ endpoint }: Host) => endpoint.zone === zone;
  const near = zone === '' ? [] : available.filter(isNear);
  if (near.length < Math.max(1, minZoneHosts)) {
    return [{ name: `${priority}`, hosts: available, share }];
  }
  const far = available.filter((host) => !isNear(host));
  const nearPart =
    far.length === 0 ? 1 : capacity(near.length, all.filter(isNear).length, headroom);
  return [
    { name: `${priority} near`, hosts: near, share: share * nearPart },
    { name: `${priority} far`, hosts: far, share: share * (1 - nearPart) },
  ].filter((pool) => pool.share > 0);
}
