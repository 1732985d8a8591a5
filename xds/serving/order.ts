/**
 * In which order a stream of all kinds tells of a change, so that no call is led where nobody is: what leads to a cluster
 * is told once that is, with its endpoints, and a cluster goes once nothing leads there that the client still has. What is
 * used by others alone is told after them, for a client heeds no endpoints of a cluster that it does not have, and no
 * routes without a listener, and does not ask for them again. A client that asks for clusters by their names goes the
 * other way, and is not held up.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { type Kind, Resource } from '../resource.ts';

/** What a client has of a name; by its version alone where another stream told it. */
export type Has = Resource | string;

/** Of one kind, what the client has. */
export interface Holding {
  readonly told: ReadonlyMap<string, Has>;
  /** It asks for all that there are. */
  readonly wantsAll: boolean;
  /** Those, as far as they are known. */
  readonly all: readonly Resource[];
  /** It has taken what it was told last. */
  readonly isTaken: boolean;
}

export interface OrderOptions {
  readonly of: (kind: Kind) => Holding | undefined;
  /** There are no endpoints but those of its clusters, and no routes but those of its listeners. */
  readonly isUsedAlone: () => boolean;
  readonly clock: Clock;
  /** Something may be told by now. */
  readonly wake: () => void;
}

/** What is to be told; what is `held` stands as it was. */
export interface Shown {
  readonly all: ReadonlyMap<string, Resource>;
  readonly held: ReadonlySet<string>;
  /** Nothing is said of others; undefined where it is of all. */
  readonly looked: ReadonlySet<string> | undefined;
}

/** Whoever takes nothing of what he was told, or does not ask for endpoints, is told all the same. */
const HELD_MS = 10_000;
/** Who has nothing yet cannot begin before; and what leads to a cluster of which nobody knows may do so for ever. */
const BRIEF_MS = 1000;
const LEADING = ['listeners', 'routes'] as const;
const USED_BY: Partial<Record<Kind, Kind>> = { endpoints: 'clusters', routes: 'listeners' };
const NONE: ReadonlySet<string> = new Set();

export class Order {
  readonly #options: OrderOptions;
  /** By kind and name, since when. */
  readonly #since = new Map<Kind, Map<string, number>>();
  #cancel: Cancel | undefined;
  #wakesAt = Number.POSITIVE_INFINITY;

  constructor(options: OrderOptions) {
    this.#options = options;
  }

  get isHolding(): boolean {
    return this.#since.size > 0;
  }

  /** Those may be told by now. */
  heldOf(kind: Kind): Iterable<string> {
    return this.#since.get(kind)?.keys() ?? [];
  }

  /**
   * `all`: that is known of a kind, of the names that are `looked` at; what is held is put back in it to what the client
   * has.
   */
  shown(kind: Kind, all: Map<string, Resource>, looked?: ReadonlySet<string>): Shown {
    const told = this.#options.of(kind)?.told;
    const waiting = told === undefined ? [] : this.#toHold(kind, all, { told, looked });
    if (waiting.length === 0) {
      this.#since.delete(kind);
      return { all, held: NONE, looked };
    }
    const since = new Map<string, number>();
    const held = new Set<string>();
    for (const [name, mostMs] of waiting) {
      const at = this.#since.get(kind)?.get(name) ?? this.#options.clock.monotonic();
      since.set(name, at);
      if (this.#isStill(at + mostMs)) held.add(name);
    }
    this.#since.set(kind, since);
    for (const name of held) {
      const has = told?.get(name);
      if (has instanceof Resource) all.set(name, has);
      else all.delete(name);
    }
    return { all, held, looked };
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** And for how long. */
  #toHold(kind: Kind, known: ReadonlyMap<string, Resource>, { told, looked }: Looked): Waiting {
    const clusters = this.#options.of('clusters');
    if (clusters?.wantsAll !== true) return [];
    const gone = () =>
      [...(looked ?? told.keys())].filter((name) => told.has(name) && !known.has(name));
    if (kind === 'clusters') return meant(gone(), () => this.#ledTo());
    const early = this.#early(kind, known, told);
    if (kind === 'endpoints') return [...early, ...meant(gone(), () => usedBy(clusters).names)];
    return [...early, ...this.#leading(clusters, known, told)];
  }

  /** What nothing uses yet that it has. */
  #early(
    kind: Kind,
    known: ReadonlyMap<string, Resource>,
    told: ReadonlyMap<string, Has>,
  ): Waiting {
    const users = USED_BY[kind] && this.#options.of(USED_BY[kind]);
    if (users?.wantsAll !== true || !this.#options.isUsedAlone()) return [];
    const comes = [...known.keys()].filter((name) => !told.has(name));
    const used = comes.length === 0 ? undefined : usedBy(users);
    if (used?.isAll !== true) return [];
    return comes.filter((name) => !used.names.has(name)).map((name) => [name, HELD_MS]);
  }

  /** What leads somewhere where it did not lead before, and nobody is there yet. */
  #leading(
    clusters: Holding,
    known: ReadonlyMap<string, Resource>,
    told: ReadonlyMap<string, Has>,
  ): Waiting {
    const waiting: [name: string, mostMs: number][] = [];
    let coming: ReadonlySet<string> | undefined;
    for (const { name, version, leads } of known.values()) {
      const has = told.get(name);
      if (versionIn(has) === version) continue;
      const led = has instanceof Resource ? has.leads : NONE;
      const missing = [...leads].filter((each) => !led.has(each) && !this.#isThere(clusters, each));
      if (missing.length === 0) continue;
      coming ??= new Set(clusters.all.map((each) => each.name));
      const isComing = told.size > 0 && missing.some((each) => coming?.has(each));
      waiting.push([name, isComing ? HELD_MS : BRIEF_MS]);
    }
    return waiting;
  }

  /** A cluster, with its endpoints. */
  #isThere(clusters: Holding, name: string): boolean {
    const has = clusters.told.get(name);
    if (has === undefined) return false;
    if (typeof has === 'string') return true;
    const endpoints = this.#options.of('endpoints');
    return has.uses.every((each) => endpoints?.told.has(each) === true);
  }

  /** Clusters, by what the client may still have; undefined for any. Routes that no listener of it uses lead nowhere. */
  #ledTo(): ReadonlySet<string> | undefined {
    const [listeners, routes] = LEADING.map((kind) => this.#options.of(kind));
    if (listeners?.isTaken === false || routes?.isTaken === false) return undefined;
    const used = listeners?.wantsAll === true ? usedBy(listeners) : undefined;
    const live = [...(routes?.told ?? [])].filter(
      ([name]) => used?.isAll !== true || used.names.has(name),
    );
    const led = new Set<string>();
    for (const has of [...(listeners?.told.values() ?? []), ...live.map(([, each]) => each)]) {
      if (typeof has === 'string') return undefined;
      for (const cluster of has.leads) led.add(cluster);
    }
    return led;
  }

  #isStill(until: number): boolean {
    const { clock, wake } = this.#options;
    const left = until - clock.monotonic();
    if (left <= 0) return false;
    if (until >= this.#wakesAt) return true;
    this.#cancel?.();
    this.#wakesAt = until;
    this.#cancel = clock.after(left, () => {
      this.#wakesAt = Number.POSITIVE_INFINITY;
      wake();
    });
    return true;
  }
}

export function versionIn(has: Has | undefined): string | undefined {
  return has instanceof Resource ? has.version : has;
}

type Waiting = readonly (readonly [name: string, mostMs: number])[];

interface Looked extends Pick<Shown, 'looked'> {
  readonly told: ReadonlyMap<string, Has>;
}

/** Of those names; the set is made once for all of them, for a client may name as many as it likes. */
function meant(names: readonly string[], by: () => ReadonlySet<string> | undefined): Waiting {
  if (names.length === 0) return [];
  const set = by();
  return names.filter((name) => set?.has(name) ?? true).map((name) => [name, HELD_MS]);
}

/** `isAll`: nothing else is used. */
function usedBy({ told }: Holding) {
  const names = new Set<string>();
  let isAll = true;
  for (const has of told.values()) {
    if (typeof has === 'string') isAll = false;
    else for (const name of has.uses) names.add(name);
  }
  return { names, isAll };
}
