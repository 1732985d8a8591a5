/** How one of several hosts is chosen. */
import type { Random } from '../random.ts';
import type { Host } from './host.ts';

export interface Pick {
  /** Calls of one key go to one host, by those policies that hash. */
  readonly key?: string | undefined;
  /** Tried before, for this call. */
  readonly avoid?: ReadonlySet<Host>;
}

export interface Policy {
  /**
   * One of them, or undefined where all are to be avoided. As long as nothing has changed it is given the
   * same array, and may keep what it has made of it.
   */
  choose(hosts: readonly Host[], pick: Pick): Host | undefined;
}

/** What a policy stands on. */
export interface Scales {
  readonly random: { next: Random['next'] };
  now(): number;
  /** What a host may take beside others, now: less while it starts. Above 0. */
  weightOf(host: Host): number;
}

/** Of each array that hosts were drawn from: they are chosen from again and again. */
const heaviest = new WeakMap<readonly Host[], number>();

/** 0 of none. */
export function heaviestOf(hosts: readonly Host[]): number {
  // No spread: as arguments, a hundred thousand are too many.
  return hosts.reduce((most, { endpoint }) => Math.max(most, endpoint.weight), 0);
}

/** Draws until all are looked at: of equal weights the first is taken, unless it is to be avoided. */
const DRAWS = 8;

/** By their weights; undefined where there is none but those to be avoided. */
export function drawn(
  hosts: readonly Host[],
  avoid: ReadonlySet<Host> | undefined,
  { random, weightOf }: Scales,
): Host | undefined {
  const most = heaviest.get(hosts) ?? heaviestOf(hosts);
  heaviest.set(hosts, most);
  for (let i = 0; i < DRAWS; i++) {
    const host = hosts[Math.floor(random.next() * hosts.length)];
    if (host === undefined || avoid?.has(host)) continue;
    const weight = weightOf(host);
    if (weight === most || random.next() * most < weight) return host;
  }
  return drawnOfAll(hosts, avoid, { random, weightOf });
}

function drawnOfAll(
  hosts: readonly Host[],
  avoid: ReadonlySet<Host> | undefined,
  { random, weightOf }: Omit<Scales, 'now'>,
): Host | undefined {
  let total = 0;
  for (const host of hosts) if (!avoid?.has(host)) total += weightOf(host);
  let left = random.next() * total;
  let last: Host | undefined;
  for (const host of hosts) {
    if (avoid?.has(host)) continue;
    last = host;
    left -= weightOf(host);
    if (left < 0) return host;
  }
  // What is left of rounding.
  return last;
}
