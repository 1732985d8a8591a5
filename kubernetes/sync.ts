/**
 * Keeps a cluster of Kubernetes and the catalog in step. Each sync that runs knows both all the time; the one whose
 * turn it is writes, each way once all that it reads is whole: what has not been read yet is not taken for gone.
 */
import { type Clock, pause } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Measured, Metric } from '../lib/metrics/metric.ts';
import type { Sample } from '../lib/metrics/sample.ts';
import type { Random } from '../lib/random.ts';
import { Waiters } from '../lib/waiters.ts';
import type { ApiServer } from './api/api-server.ts';
import { attend, LOST } from './attending.ts';
import type { Catalog } from './catalog.ts';
import { ConfigMaps } from './config-maps/config-maps.ts';
import type { MapRule } from './config-maps/rules.ts';
import { Presence } from './presence.ts';
import { SeenCatalog } from './seen-catalog.ts';
import { syncMetrics } from './sync-metrics.ts';
import { ToCatalog, type ToCatalogOptions } from './to-catalog/to-catalog.ts';
import type { BackRules } from './to-cluster/rules.ts';
import { ToCluster } from './to-cluster/to-cluster.ts';
import { together } from './together.ts';
import { type TurnLock, takeTurns } from './turns.ts';
import { earliestLoss, type Way, type WayDeps } from './way.ts';

export interface SyncDeps {
  readonly api: ApiServer;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A lock whose session rests on the check of the node, and on nothing else of it. */
  readonly lock: (rest: { readonly node: string; readonly check: string }) => TurnLock;
}

export interface SyncOptions {
  /** The node that all instances are on, and this one too. */
  readonly node: string;
  readonly owner: string;
  /** Of this process among others of the same owner. */
  readonly instance: string;
  readonly leaseMs: number;
  readonly lockKey: string;
  /** Undefined for a way that is not gone. */
  readonly toCatalog: ToCatalogOptions | undefined;
  readonly toCluster: BackRules | undefined;
  readonly maps: readonly MapRule[];
}

/** An end that takes longer is none: what is left ends by its lease. */
const LEAVE_MS = 2000;
/** One that cannot read its cluster for so long leaves its turn to another that can. */
const MAX_LOST_MS = 10_000;
const LOOK_MS = 50;
/** Between two questions whether another is well. */
const ASK_MS = 1000;

export class KubernetesSync implements Measured {
  readonly #deps: SyncDeps;
  readonly #options: SyncOptions;
  readonly #ways: readonly Way[];
  /** Those that a turn is taken for. */
  readonly #leading: readonly Way[];
  readonly #presence: Presence;
  readonly #late: Sample | undefined;
  readonly #catalog: SeenCatalog;
  #isActive = false;
  #turns = 0;
  /** Those that wait for what is read to be whole. */
  readonly #reading: Waiters;

  constructor(deps: SyncDeps, options: SyncOptions) {
    this.#deps = deps;
    this.#options = options;
    const { api, clock, random, logger } = deps;
    const catalog = new SeenCatalog(deps.catalog, clock);
    this.#catalog = catalog;
    this.#reading = new Waiters(clock);
    const onRead = () => this.#reading.wakeAll();
    const parts: WayDeps = { api, catalog, clock, random, logger, onRead };
    const { toCatalog, toCluster, maps, node, owner, instance, leaseMs } = options;
    const bringing = toCatalog && new ToCatalog(parts, toCatalog);
    this.#late = bringing?.late;
    const others = [
      ...(bringing === undefined ? [] : [bringing]),
      ...(toCluster === undefined ? [] : [new ToCluster(parts, toCluster)]),
    ];
    const isAlone = others.length === 0;
    this.#ways = [...others, ...(maps.length === 0 ? [] : [new ConfigMaps(parts, maps, isAlone)])];
    this.#leading = isAlone ? this.#ways : others;
    this.#presence = new Presence(
      { catalog, clock, logger },
      { node, owner, instance, leaseMs },
      () => this.#fault,
    );
  }

  /** Both sides have been read: what this would write is known. */
  get isWhole(): boolean {
    return this.#ways.every(({ isWhole }) => isWhole);
  }

  /** What is missing before it could take a turn; empty where nothing is. */
  get waitsFor(): readonly string[] {
    const ways = this.#ways.filter(({ isWhole }) => !isWhole).map(({ name }) => `all of ${name}`);
    return [...ways, ...(this.#presence.isThere ? [] : ['its place in the catalog'])];
  }

  metrics(): readonly Metric[] {
    const [ways, late, catalog] = [this.#ways, this.#late, this.#catalog];
    return syncMetrics({ ways, late, catalog, isActive: this.#isActive, turns: this.#turns });
  }

  /** Until the signal is aborted, whatever cannot be reached meanwhile. */
  async run(signal: AbortSignal): Promise<void> {
    const reads = this.#ways.map((way) => way.read(signal));
    await this.#presence.register(signal);
    // It ends once the turn is over, which is so given up in order.
    const [over, last] = [new AbortController(), new AbortController()];
    const present = this.#presence.run(over.signal, last.signal);
    await this.#takeTurns(signal);
    const cancel = this.#deps.clock.after(LEAVE_MS, () => last.abort());
    over.abort();
    await Promise.all([present, ...reads]);
    cancel();
  }

  async #takeTurns(signal: AbortSignal): Promise<void> {
    const { lock, clock, logger } = this.#deps;
    const { node } = this.#options;
    const { check } = this.#presence;
    const ready = (until: AbortSignal, isLeft: boolean) => this.#untilReady(until, isLeft);
    const deps = { ready, lock: () => lock({ node, check }), clock, logger };
    const work = async (session: string, turn: AbortSignal) => {
      this.#isActive = true;
      this.#turns++;
      await this.#work(session, turn).finally(() => {
        this.#isActive = false;
      });
    };
    await takeTurns(deps, work, signal);
  }

  get #isLost(): boolean {
    const lostAt = earliestLoss(this.#ways);
    return lostAt !== undefined && this.#deps.clock.monotonic() - lostAt > MAX_LOST_MS;
  }

  /** Why another that knows more is of more use, as its beat says; '' where none is. */
  get #fault(): string {
    if (this.#isLost) return LOST;
    const unread = this.#leading.filter(({ isWhole }) => !isWhole).map(({ name }) => name);
    return unread.length === 0 ? '' : `has not read all of ${unread.join(' and ')}`;
  }

  /**
   * Whoever does not know the cluster would only keep others from writing. One way that cannot go, as for want of a right,
   * keeps no other from going, where nobody can go them all.
   */
  async #untilReady(signal: AbortSignal, isLeft: boolean): Promise<void> {
    while (!signal.aborted && !this.#leading.every(canGo)) {
      if (!this.#leading.some(canGo)) await this.#reading.wait(LOOK_MS, signal);
      else if (await this.#presence.isAnotherWell(signal))
        await pause(this.#deps.clock, ASK_MS, signal);
      else break;
    }
    if (isLeft) await this.#presence.register(signal);
  }

  async #work(session: string, signal: AbortSignal): Promise<void> {
    const fence = { key: this.#options.lockKey, session };
    const works = this.#ways.map((way) => async (turn: AbortSignal) => {
      while (!turn.aborted && !canGo(way)) await this.#reading.wait(LOOK_MS, turn);
      if (!turn.aborted) await way.work(fence, turn);
    });
    const [{ clock }, presence] = [this.#deps, this.#presence];
    const attending = { presence, clock, fault: () => this.#fault };
    await together([...works, (turn) => attend(attending, turn)], signal);
  }
}

/** It knows all that it writes by. */
function canGo({ isWhole, lostAt }: Way): boolean {
  return isWhole && lostAt === undefined;
}
