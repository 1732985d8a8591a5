/**
 * Brings a Redis and this server's history to agree, whatever happened to either, before anything
 * is written: reads on, or puts back what Redis lost, or gives in to a history that counts more.
 */
import { type Clock, pause } from '../../../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import { SETTLE_POLL_MS } from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import type { CheckIn } from '../records/check-in.ts';
import { SnapshotStore } from '../records/snapshot-store.ts';
import { readAfter } from '../records/stream.ts';
import { ballotFor, describeWait, type Plan, type PlanLimits, planEpoch } from './epoch-plan.ts';
import type { History } from './history.ts';
import { Losses, type OnLost } from './losses.ts';
import { repairKeys, WANT } from './repair-scripts.ts';
import { Repairer } from './repairer.ts';
import { lookAt, type View } from './view.ts';

/** How often one that waits for others says so. */
const WAIT_LOG_MS = 5000;
/** A process that ended is forgotten sooner. */
const RIVAL_MAX_MS = 3000;
/** A restored snapshot that fails this often is damaged, and not just cut off. */
const MAX_FAILED_LOADS = 3;
/** One that can load none, whichever it is given, does not keep the others writing new ones. */
const MAX_WANT_PAUSE_MS = 30_000;

export interface ReconcilerDeps {
  readonly history: History;
  readonly checkIn: CheckIn;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onLost: OnLost;
  readonly rules: EpochRules;
}

export interface EpochRules extends PlanLimits {
  /** Servers that were seen alive a moment ago. */
  readonly peers: () => readonly string[];
}

export interface Reconciled {
  /** In which this server may write. */
  readonly epoch: number;
  /** On the monotonic clock: all that Redis had then is applied. */
  readonly lookedAt: number;
  /** How many entries Redis lacked and got from this server. */
  readonly putBack: number;
}

export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #losses: Losses;
  /** Snapshots that could not be loaded, by their id. */
  readonly #failedLoads = new Map<string, number>();
  /** How often one could not be loaded since one could; and why, as it was said last. */
  #failedInARow = 0;
  #saidOfLoads: string | undefined;
  /** Since when nothing but another server's snapshot helps. */
  #stuckAt: number | undefined;
  /** Since when another process is seen that is this server. */
  #rivalSince: number | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
    this.#losses = new Losses(deps.history, deps.logger, deps.onLost);
  }

  /**
   * Resolves when this server has applied all that Redis had, and Redis is in an epoch.
   * Rejects when the link ends first, and 'internal' when the log is damaged and no other server
   * has helped for `patienceMs`.
   */
  async run(link: Link, patienceMs: number): Promise<Reconciled> {
    const { checkIn, history, clock, logger } = this.#deps;
    const repairer = new Repairer({ link, history, logger, losses: this.#losses });
    for (;;) {
      const lookedAt = clock.monotonic();
      const view = await lookAt(link, checkIn, history);
      if (view === undefined) {
        await this.#letRivalGo(link);
        continue;
      }
      this.#rivalSince = undefined;
      const plan = this.#plan(view);
      if (await this.#step(link, repairer, view, plan)) {
        await this.#promise(view);
        history.epoch = view.epoch;
        history.epochs = view.epochs;
        this.#stuckAt = undefined;
        return { epoch: view.epoch, lookedAt, putBack: repairer.putBack };
      }
      if (this.#stuckMs > patienceMs) {
        throw new ProconsulError('internal', 'the log is damaged and no server has a snapshot');
      }
      if (link.closed) throw new ProconsulError('unavailable', 'the connection to Redis is lost');
      if (plan.kind === 'wait') await pause(clock, SETTLE_POLL_MS, link.signal);
    }
  }

  /** Before anything of an epoch is shown. Without a quorum nobody waits for a disk that is full. */
  async #promise(view: View): Promise<void> {
    const { history, rules, logger } = this.#deps;
    try {
      await history.promise(ballotFor(view, history.ballot, rules));
    } catch (error) {
      if (rules.quorumOf !== undefined) throw error;
      logger.warn(`redis: ${describeChain(error)}`);
    }
  }

  /** It may be what is left of this server's last process; one that goes on is another machine. */
  async #letRivalGo(link: Link): Promise<void> {
    const { clock, checkIn } = this.#deps;
    const now = clock.monotonic();
    this.#rivalSince ??= now;
    if (now - this.#rivalSince > RIVAL_MAX_MS) {
      const rule = 'each needs a node ID of its own: was its data_dir copied, or its node_id?';
      throw new ProconsulError(
        'invalid',
        `another server lives that uses this Redis as ${checkIn.server}: ${rule}`,
      );
    }
    await pause(clock, SETTLE_POLL_MS * 4, link.signal);
    if (link.closed) throw new ProconsulError('unavailable', 'the connection to Redis is lost');
  }

  /** What keeps us waiting, from time to time. */
  #sayNow(why: string): void {
    const { clock, logger } = this.#deps;
    if (clock.monotonic() - this.#saidAt <= WAIT_LOG_MS) return;
    this.#saidAt = clock.monotonic();
    logger.warn(`redis: ${why}`);
  }

  get #stuckMs(): number {
    return this.#stuckAt === undefined ? 0 : this.#deps.clock.monotonic() - this.#stuckAt;
  }

  #plan(view: View): Plan {
    const { history, checkIn, rules } = this.#deps;
    const holdings = {
      server: checkIn.server,
      epoch: history.epoch,
      epochs: history.epochs,
      position: history.position,
      baseIndex: history.ring.base.index,
      warm: history.warm,
      ballot: history.ballot,
      hashAt: (index: number) => history.ring.at(index)?.hash,
      peers: rules.peers(),
    };
    return planEpoch(view, holdings, rules);
  }

  /** True when history and Redis agree. */
  async #step(link: Link, repairer: Repairer, view: View, plan: Plan): Promise<boolean> {
    switch (plan.kind) {
      case 'wait':
        if (plan.promise !== undefined) await this.#deps.history.promise(plan.promise);
        else if (view.sinceMs > WAIT_LOG_MS)
          this.#sayNow(describeWait(view, this.#deps.rules.quorumOf));
        return false;
      case 'begin':
        await repairer.begin(view, plan);
        return false;
      case 'yield':
        if (plan.fork) await this.#losses.reportOwn(link, view);
        await this.#restore(link, view, plan.fork);
        return false;
      case 'adopt':
        return await this.#adopt(link, view);
    }
  }

  async #adopt(link: Link, view: View): Promise<boolean> {
    const { history } = this.#deps;
    if (history.torn) return await this.#restore(link, view, true);
    const beginning = history.position.index === 0;
    if (beginning && view.index > 0 && (await this.#loadNewest(link, view, false))) return false;
    if (await this.#catchUp(link, view.index)) return true;
    return await this.#restore(link, view, false);
  }

  /** False when the stream does not lead there. */
  async #catchUp(link: Link, index: number): Promise<boolean> {
    const { history } = this.#deps;
    while (history.position.index < index) {
      const entries = await readAfter(link, history.position.index);
      const followed = history.follow(entries);
      if (followed < entries.length || entries.length === 0) return false;
    }
    return true;
  }

  /**
   * Takes Redis's history from its snapshot or, where that is of use, from its beginning; else asks
   * the others for a snapshot.
   */
  async #restore(link: Link, view: View, anew: boolean): Promise<false> {
    const { history, clock } = this.#deps;
    if (await this.#loadNewest(link, view, anew)) return false;
    const { index } = history.position;
    if (anew && view.floor === 0 && view.firstIndex <= 1) {
      await history.restore(undefined, view, (after) => readAfter(link, after));
      return false;
    }
    this.#stuckAt ??= clock.monotonic();
    this.#sayNow(`the log cannot be read on from index ${index}: asking for a snapshot`);
    await link.commands.run(WANT, repairKeys(link.keys), [index + 1]);
    const doubled = SETTLE_POLL_MS * 4 * 2 ** Math.min(this.#failedInARow, 16);
    await pause(clock, Math.min(doubled, MAX_WANT_PAUSE_MS), link.signal);
    return false;
  }

  /**
   * False when there is none that leads on. Only where our own history is given up, and what is lost
   * with it was said, may one be older than that: else nobody may have what comes in between.
   */
  async #loadNewest(link: Link, view: View, anew: boolean): Promise<boolean> {
    const { history } = this.#deps;
    const store = new SnapshotStore(link);
    const stored = await store.newest();
    if (stored === undefined) return false;
    const failed = this.#failedLoads.get(stored.id) ?? 0;
    const { position } = history;
    // The very same position leads nowhere, unless it is of another history.
    const same = stored.position.index === position.index && stored.position.hash === position.hash;
    const useless = anew ? same : stored.position.index <= position.index;
    if (failed >= MAX_FAILED_LOADS || (useless && !history.torn)) return false;
    try {
      await history.restore(store.load(stored), view, (after) => readAfter(link, after));
    } catch (error) {
      // A connection that was lost meanwhile says nothing about the snapshot.
      if (!link.closed) {
        this.#failedLoads.set(stored.id, failed + 1);
        this.#failedInARow++;
      }
      this.#sayOfLoads(stored.position.index, describeChain(error));
      throw new ProconsulError('unavailable', 'load a snapshot', { cause: error });
    }
    this.#failedInARow = 0;
    this.#saidOfLoads = undefined;
    return true;
  }

  /** Each time that it is another reason: what goes on failing in the same way is no news. */
  #sayOfLoads(index: number, why: string): void {
    if (this.#saidOfLoads === why) return;
    this.#saidOfLoads = why;
    this.#deps.logger.error(`redis: the snapshot of index ${index}: ${why}`);
  }
}
