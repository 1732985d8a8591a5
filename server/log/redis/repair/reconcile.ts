/**
 * Brings a Redis and this server's history to agree, whatever happened to either, before anything
 * is written: reads on, or puts back what Redis lost, or gives in to a history that counts more.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Clock, pause } from '../../../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Keys } from '../link/keys.ts';
import { READ_MAX_ENTRIES, SETTLE_POLL_MS } from '../link/limits.ts';
import type { Session } from '../link/session.ts';
import type { CheckIn } from '../records/check-in.ts';
import { SnapshotStore } from '../records/snapshot-store.ts';
import { entryAt, type RawEntry, readAfter } from '../records/stream.ts';
import type { Ballot, BallotStore } from './ballot-file.ts';
import type { History, ReadAfter } from './history.ts';
import { describeLost, formatLost, type LostEntry } from './lost-entry.ts';
import { ballotFor, describeWait, endOf, type Plan, planSeal } from './seal-plan.ts';
import { sealKeys, WANT } from './seal-scripts.ts';
import { Sealer } from './sealer.ts';
import { lookAt, type View } from './view.ts';

/** How often one that waits for others says so. */
const WAIT_LOG_MS = 5000;
/** A process that ended is forgotten sooner. */
const RIVAL_MAX_MS = 3000;
/** A restored snapshot that fails this often is damaged, and not just cut off. */
const MAX_FAILED_LOADS = 3;

export interface ReconcilerDeps {
  readonly keys: Keys;
  readonly history: History;
  readonly ballots: BallotStore;
  readonly checkIn: CheckIn;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onLost: (lost: readonly LostEntry[]) => void;
  readonly settleMs: number;
  /** How many servers there are to be, where a seal needs a majority of them. */
  readonly quorumOf: number | undefined;
  /** Servers that were seen alive a moment ago. */
  readonly peers: () => readonly string[];
}

export interface Reconciled {
  /** In which this server may write. */
  readonly epoch: number;
  /** On the monotonic clock: all that Redis had then is applied. */
  readonly lookedAt: number;
}

export class Reconciler {
  readonly #deps: ReconcilerDeps;
  /** Snapshots that could not be loaded, by their id. */
  readonly #failedLoads = new Map<string, number>();
  /** Since when nothing but another server's snapshot helps. */
  #stuckAt: number | undefined;
  /** Since when another process is seen that is this server. */
  #rivalSince: number | undefined;
  #saidAt = Number.NEGATIVE_INFINITY;
  /** The end of the history whose lost entries were reported. */
  #reportedTip: string | undefined;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when this server has applied all that Redis had, and Redis is sealed.
   * Rejects when the session ends first, and 'internal' when the log is damaged and no other server
   * has helped for `patienceMs`.
   */
  async run(session: Session, patienceMs: number): Promise<Reconciled> {
    const { keys, checkIn, history, clock, logger } = this.#deps;
    const redis = session.commands;
    const sealer = new Sealer({ redis, keys, history, logger, lost: this.#report });
    for (;;) {
      const lookedAt = clock.monotonic();
      const view = await lookAt(session, keys, checkIn, history);
      if (view === undefined) {
        await this.#letRivalGo(session);
        continue;
      }
      this.#rivalSince = undefined;
      const plan = this.#plan(view);
      if (await this.#step(session, sealer, view, plan)) {
        if (this.#deps.quorumOf !== undefined) await this.#promise(ballotFor(view, history.ballot));
        history.epoch = view.epoch;
        this.#stuckAt = undefined;
        return { epoch: view.epoch, lookedAt };
      }
      if (this.#stuckMs > patienceMs) {
        throw new ProconsulError('internal', 'the log is damaged and no server has a snapshot');
      }
      if (session.closed)
        throw new ProconsulError('unavailable', 'the connection to Redis is lost');
      if (plan.kind === 'wait') await pause(clock, SETTLE_POLL_MS, session.signal);
    }
  }

  /** It may be what is left of this server's last process; one that goes on is another machine. */
  async #letRivalGo(session: Session): Promise<void> {
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
    await pause(clock, SETTLE_POLL_MS * 4, session.signal);
    if (session.closed) throw new ProconsulError('unavailable', 'the connection to Redis is lost');
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
    const { history, checkIn, settleMs, quorumOf, peers } = this.#deps;
    const holdings = {
      server: checkIn.server,
      epoch: history.epoch,
      position: history.position,
      baseIndex: history.ring.base.index,
      warm: history.warm,
      ballot: history.ballot,
      hashAt: (index: number) => history.ring.at(index)?.hash,
      peers: peers(),
    };
    return planSeal(view, holdings, { settleMs, quorumOf });
  }

  /** On disk first: others may act on it as soon as it is shown. */
  async #promise(ballot: Ballot): Promise<void> {
    const { history, ballots } = this.#deps;
    if (isDeepStrictEqual(ballot, history.ballot)) return;
    await ballots.save(ballot);
    history.ballot = ballot;
  }

  /** True when history and Redis agree. */
  async #step(session: Session, sealer: Sealer, view: View, plan: Plan): Promise<boolean> {
    switch (plan.kind) {
      case 'wait':
        if (plan.promise !== undefined) await this.#promise(plan.promise);
        else if (view.sinceMs > WAIT_LOG_MS) this.#sayNow(describeWait(view, this.#deps.quorumOf));
        return false;
      case 'seal':
        await sealer.seal(view, plan);
        return false;
      case 'yield':
        if (plan.fork) await this.#reportOwn(session, view);
        await this.#restore(session, view, plan.fork);
        return false;
      case 'adopt':
        return await this.#adopt(session, view);
    }
  }

  async #adopt(session: Session, view: View): Promise<boolean> {
    const { history } = this.#deps;
    if (history.torn) return await this.#restore(session, view, true);
    const beginning = history.position.index === 0;
    if (beginning && view.index > 0 && (await this.#loadNewest(session, view, false))) return false;
    if (await this.#catchUp(session, view.index)) return true;
    return await this.#restore(session, view, false);
  }

  #reader({ commands }: Session): ReadAfter {
    return async (index) => await readAfter(commands, this.#deps.keys, index);
  }

  /** False when the stream does not lead there. */
  async #catchUp(session: Session, index: number): Promise<boolean> {
    const { history, keys } = this.#deps;
    while (history.position.index < index) {
      const entries = await readAfter(session.commands, keys, history.position.index);
      const followed = history.follow(entries);
      if (followed < entries.length || entries.length === 0) return false;
    }
    return true;
  }

  /**
   * Takes Redis's history from its snapshot or, where that is of use, from its beginning; else asks
   * the others for a snapshot.
   */
  async #restore(session: Session, view: View, anew: boolean): Promise<false> {
    const { history, keys, clock } = this.#deps;
    if (await this.#loadNewest(session, view, anew)) return false;
    const { index } = history.position;
    if (anew && view.floor === 0 && view.firstIndex <= 1) {
      await history.restore(undefined, view.index, this.#reader(session));
      return false;
    }
    this.#stuckAt ??= clock.monotonic();
    this.#sayNow(`the log cannot be read on from index ${index}: asking for a snapshot`);
    await session.commands.run(WANT, sealKeys(keys), [index + 1]);
    await pause(clock, SETTLE_POLL_MS * 4, session.signal);
    return false;
  }

  /**
   * False when there is none that leads on. Only where our own history is given up, and what is lost
   * with it was said, may one be older than that: else nobody may have what comes in between.
   */
  async #loadNewest(session: Session, view: View, anew: boolean): Promise<boolean> {
    const { history, keys, logger } = this.#deps;
    const store = new SnapshotStore(session.commands, keys);
    const stored = await store.newest();
    if (stored === undefined) return false;
    const failed = this.#failedLoads.get(stored.id) ?? 0;
    const { position } = history;
    // The very same position leads nowhere, unless it is of another history.
    const same = stored.position.index === position.index && stored.position.hash === position.hash;
    const useless = anew ? same : stored.position.index <= position.index;
    if (failed >= MAX_FAILED_LOADS || (useless && !history.torn)) return false;
    try {
      await history.restore(store.load(stored), view.index, this.#reader(session));
    } catch (error) {
      // A connection that was lost meanwhile says nothing about the snapshot.
      if (!session.closed) this.#failedLoads.set(stored.id, failed + 1);
      logger.error(
        `redis: the snapshot of index ${stored.position.index}: ${describeChain(error)}`,
      );
      throw new ProconsulError('unavailable', 'load a snapshot', { cause: error });
    }
    return true;
  }

  /** What this server has applied and the history that counts does not hold; said once. */
  async #reportOwn(session: Session, { seals }: View): Promise<void> {
    const { ring } = this.#deps.history;
    // The restore may have to wait for a snapshot, and then comes here again and again.
    if (this.#reportedTip === ring.tip.hash) return;
    const common = await ring.newestKnown(async ({ index, hash }) => {
      return (await entryAt(session.commands, this.#deps.keys, index))?.hash === hash;
    });
    const oldest = await this.#oldestId(session);
    let after = (common ?? ring.base).index;
    for (;;) {
      const own = ring.after(after, READ_MAX_ENTRIES, Number.POSITIVE_INFINITY);
      const last = own.at(-1);
      if (last === undefined) break;
      after = last.index;
      const args = [this.#deps.keys.ids, ...own.map(({ id }) => id)];
      const scores = (await session.commands.call('ZMSCORE', args)) as unknown[];
      // Proposed again, and written in the other history too: not lost. Of a time whose ids Redis has
      // forgotten, it may know at which index it went another way; where it does not, we say so.
      const isKept = ({ index, epoch }: RawEntry) => {
        const end = endOf(epoch, seals);
        return index < oldest && end !== Number.POSITIVE_INFINITY && index <= end;
      };
      this.#report(own.filter((entry, i) => scores[i] === null && !isKept(entry)));
    }
    this.#reportedTip = ring.tip.hash;
  }

  /** The index of the oldest entry whose proposal Redis knows. */
  async #oldestId({ commands }: Session): Promise<number> {
    const args = [this.#deps.keys.ids, 0, 0, 'WITHSCORES'];
    const [, score] = (await commands.call('ZRANGE', args)) as string[];
    return Number(score ?? Number.POSITIVE_INFINITY);
  }

  readonly #report = (entries: readonly RawEntry[]): void => {
    if (entries.length === 0) return;
    const lost = entries.map(describeLost);
    for (const each of lost) this.#deps.logger.error(`redis: lost in a fork: ${formatLost(each)}`);
    this.#deps.onLost(lost);
  };
}
