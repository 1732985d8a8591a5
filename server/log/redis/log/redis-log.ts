/** The event log in Redis, shared by several servers. docs/decisions/redis-seal-and-repair.md argues for it. */
import assert from 'node:assert/strict';
import type { Clock } from '../../../../lib/clock.ts';
import { describeChain, noLeader, ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import {
  type EventLog,
  type LogSink,
  type LogStatus,
  type Proposal,
  type Snapshot,
  START,
} from '../../event-log.ts';
import { IndexGate } from '../../index-gate.ts';
import { FailoverWatch } from '../link/failover-watch.ts';
import { findMasters } from '../link/finder.ts';
import { checkSuitable } from '../link/info.ts';
import { type Keys, keysOf } from '../link/keys.ts';
import {
  CHECK_INTERVAL_MS,
  DAMAGE_WAIT_MS,
  FULL_RETRY_MS,
  PRESENT_MS,
  PROMISE_MS,
  QUORUM_CHECK_INTERVAL_MS,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
  SETTLE_MS,
} from '../link/limits.ts';
import {
  type Address,
  describeAddress,
  describeRedis,
  type RedisOptions,
  sameAddress,
} from '../link/options.ts';
import { openSession, type Session } from '../link/session.ts';
import { type BallotStore, forgetfulBallots } from '../repair/ballot-file.ts';
import { History } from '../repair/history.ts';
import { type Live, LiveSession } from '../repair/live.ts';
import type { LostEntry } from '../repair/lost-entry.ts';
import { Quorum } from '../repair/quorum.ts';
import { Reconciler } from '../repair/reconcile.ts';
import type { RingLimits } from '../repair/ring-buffer.ts';
import { Appender } from './append.ts';
import { RedisLeases } from './leases.ts';
import { Monitor, type Peer, sleep } from './monitor.ts';
import { ReadIndex } from './read-index.ts';
import { SnapshotStore } from './snapshot-store.ts';
import { followTail } from './tail.ts';

export interface RedisLogDeps {
  readonly redis: RedisOptions;
  readonly datacenter: string;
  /** This server's id: no two that live may share one. */
  readonly server: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of every entry that a fork took away, in order; it is logged besides. */
  readonly onLost?: (lost: readonly LostEntry[]) => void;
  /**
   * Another server, or Redis itself, needs a snapshot of at least this index: take one soon and
   * hand it to saveSnapshot. Called again and again until there is one.
   */
  readonly onSnapshotNeeded?: (index: number) => void;
  /** How many servers there are to be; `commit: quorum` counts its majority of them. */
  readonly servers?: number;
  /** Where a promise of `commit: quorum` outlives the process. */
  readonly ballots?: BallotStore;
  readonly ringLimits?: RingLimits;
  readonly settleMs?: number;
}

export class RedisLog implements EventLog {
  /** Leases that live in the same Redis. */
  readonly leases: RedisLeases;
  readonly #deps: RedisLogDeps;
  readonly #keys: Keys;
  readonly #live: LiveSession;
  readonly #applied: IndexGate;
  readonly #quorum: Quorum;
  readonly #appender: Appender;
  readonly #readIndex: ReadIndex;
  readonly #readByMajority: ReadIndex;
  readonly #watch: FailoverWatch;
  readonly #stopping = new AbortController();
  /** Ends the present pause or attempt to connect: there is news of the master. */
  #attempt = new AbortController();
  #history: History | undefined;
  #monitor: Monitor | undefined;
  #session: Session | undefined;
  /** Who is or will be the master, as a sentinel has said, and until when that is believed. */
  #promised: { readonly address: Address; readonly until: number } | undefined;
  #complaint = '';
  /** When room may be made again. */
  #roomAt = Number.NEGATIVE_INFINITY;
  #running: Promise<void> | undefined;
  #appending: Promise<void> = Promise.resolve();

  constructor(deps: RedisLogDeps) {
    const { clock, datacenter, redis, servers = 1 } = deps;
    this.#deps = deps;
    this.#keys = keysOf(datacenter);
    this.#live = new LiveSession(clock);
    this.#applied = new IndexGate(clock);
    this.#quorum = new Quorum({
      policy: redis.commit,
      servers,
      server: deps.server,
      keys: this.#keys,
      clock,
      applied: this.#applied,
    });
    const live = this.#live;
    const keys = this.#keys;
    this.#appender = new Appender({
      live,
      keys,
      clock,
      committed: this.#quorum.committed,
      onRefused: () => void this.#makeRoom(),
    });
    this.#readIndex = new ReadIndex({ live, keys, clock, confirmed: async () => true });
    const { confirmed } = this.#quorum;
    this.#readByMajority = new ReadIndex({ live, keys, clock, confirmed });
    this.#watch = new FailoverWatch(redis, {
      onMaster: (address) => this.#masterMoved(address),
      onPromise: (address) => this.#masterPromised(address),
      onSilence: () => void this.#askForMaster(),
    });
    this.leases = new RedisLeases(live, keys);
  }

  async start(sink: LogSink): Promise<void> {
    assert.equal(this.#history, undefined, 'a log is started once');
    const history = new History(sink, this.#deps.ringLimits);
    this.#history = history;
    this.#monitor = this.#newMonitor(history);
    history.ballot = await (this.#deps.ballots ?? forgetfulBallots).load();
    this.#watch.start();
    this.#deps.logger.info(`redis: the log is in ${describeRedis(this.#deps.redis)}`);
    await new Promise<void>((resolve, reject) => {
      let begun = false;
      const started = () => {
        begun = true;
        resolve();
      };
      this.#running = this.#run(history, started, reject);
      this.#running.catch((error) => {
        // A broken invariant fails the start, and ends the process later on.
        if (begun) throw error;
        reject(error);
      });
    });
  }

  async append(batch: readonly Proposal[]): Promise<void> {
    if (this.#stopping.signal.aborted) throw noLeader();
    const appended = this.#appender.append(batch);
    this.#appending = appended.catch(() => undefined);
    await appended;
  }

  async readIndex(by: 'log' | 'majority' = 'log'): Promise<number> {
    return await (by === 'majority' ? this.#readByMajority : this.#readIndex).read();
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    const live = this.#live.current;
    if (live === undefined || this.#history === undefined) throw noLeader();
    const store = new SnapshotStore(live.session.commands, this.#keys);
    const keepAfter = this.#history.ring.base.index;
    await store.save(snapshot, { epoch: live.epoch, keepAfter });
  }

  /** In a Redis that is full: what a snapshot holds may go, and a new snapshot lets more of it go. */
  async #makeRoom(): Promise<void> {
    const live = this.#live.current;
    const { clock, logger, onSnapshotNeeded } = this.#deps;
    const now = clock.monotonic();
    if (live === undefined || now < this.#roomAt) return;
    this.#roomAt = now + FULL_RETRY_MS;
    const { index } = this.#history?.position ?? START;
    logger.error('redis: it takes no writes: it is full, or cannot save; see its own log');
    const store = new SnapshotStore(live.session.commands, this.#keys);
    // Servers keep in memory what the stream then lacks for a repair.
    await store.trim({ epoch: live.epoch, keepAfter: index }).catch(() => undefined);
    onSnapshotNeeded?.(index);
  }

  status(): LogStatus {
    const writable = this.#live.current !== undefined && !this.#stopping.signal.aborted;
    return { writable, lastContactMs: this.#monitor?.lastContactMs ?? Number.MAX_SAFE_INTEGER };
  }

  /** The servers that Redis has heard of, this one among them. */
  peers(): readonly Peer[] {
    return this.#monitor?.peers ?? [];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#appending;
    const { session } = this.#live.current ?? {};
    if (session !== undefined) {
      // The others then need not wait for us at their next seal; when it fails they just do.
      const args = [this.#keys.servers, this.#deps.server];
      await session.commands.call('HDEL', args).catch(() => undefined);
    }
    this.#live.stop();
    this.#attempt.abort();
    this.#session?.close();
    this.#watch.stop();
    await this.#running?.catch(() => undefined);
  }

  /**
   * Session after session until stopped. `started` is called when the first one is live, `failed`
   * when it cannot become so by trying again.
   */
  async #run(
    history: History,
    started: () => void,
    failed: (error: ProconsulError) => void,
  ): Promise<void> {
    const { clock } = this.#deps;
    const reconciler = this.#reconciler(history);
    let pauseMs = RECONNECT_MIN_MS;
    let first = true;
    while (!this.#stopping.signal.aborted) {
      this.#attempt = new AbortController();
      const error = await this.#runSession(history, reconciler, first, () => {
        first = false;
        pauseMs = RECONNECT_MIN_MS;
        started();
      });
      if (first && isFinal(error)) {
        this.#watch.stop();
        return failed(error);
      }
      await sleep(clock, pauseMs, this.#attempt.signal);
      pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS);
    }
    failed(noLeader());
  }

  /** Resolves with the reason when the session has ended, or none came to be. */
  async #runSession(
    history: History,
    reconciler: Reconciler,
    first: boolean,
    onLive: () => void,
  ): Promise<ProconsulError> {
    const { redis, clock, logger } = this.#deps;
    const loops: Promise<never>[] = [];
    let session: Session | undefined;
    try {
      const finder = { options: redis, keys: this.#keys, clock };
      const promised = this.#promised;
      const hint = promised !== undefined && clock.monotonic() < promised.until;
      const find = hint ? async () => [promised.address] : async () => await findMasters(finder);
      session = await openSession({ find, signal: this.#attempt.signal, redis, clock });
      this.#session = session;
      if (this.#stopping.signal.aborted) return noLeader();
      checkSuitable(session.info, first ? logger : undefined);
      const patienceMs = first ? DAMAGE_WAIT_MS : Number.POSITIVE_INFINITY;
      const { epoch, lookedAt } = await reconciler.run(session, patienceMs);
      logger.info(`redis: in epoch ${epoch} on ${describeAddress(session.address)}`);
      this.#promised = undefined;
      this.#complaint = '';
      this.#monitor?.inContact(lookedAt);
      loops.push(...this.#goLive({ session, epoch }, history));
      onLive();
      return await Promise.race(loops);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      this.#complain(describeChain(error));
      return error;
    } finally {
      this.#live.clear();
      session?.close();
      // Nothing of this session may still feed the sink when the next one begins.
      await Promise.allSettled(loops);
    }
  }

  #goLive(live: Live, history: History): Promise<never>[] {
    const monitor = this.#monitor;
    assert(monitor !== undefined);
    this.#applied.moved(history.position.index);
    this.#quorum.report(live, history.position.index);
    this.#live.set(live);
    const onApplied = () => {
      this.#applied.moved(history.position.index);
      monitor.caughtUp();
      this.#quorum.report(live, history.position.index);
    };
    return [followTail(live.session, this.#keys, history, onApplied), monitor.watch(live)];
  }

  /** Only of use where there is no master: a planned failover may yet be called off. */
  #masterPromised(address: Address): void {
    if (this.#session?.closed === false) return;
    this.#promised = { address, until: this.#deps.clock.monotonic() + PROMISE_MS };
    this.#attempt.abort();
  }

  /** Says why there is no session; not again and again while that stays so. */
  #complain(why: string): void {
    if (this.#attempt.signal.aborted || why === this.#complaint) return;
    this.#complaint = why;
    this.#deps.logger.warn(`redis: ${why}`);
  }

  #newMonitor(history: History): Monitor {
    const { clock, server, redis, onSnapshotNeeded } = this.#deps;
    return new Monitor({
      keys: this.#keys,
      history,
      server,
      clock,
      intervalMs: redis.commit === 'quorum' ? QUORUM_CHECK_INTERVAL_MS : CHECK_INTERVAL_MS,
      onWanted: (index) => onSnapshotNeeded?.(index),
    });
  }

  #reconciler(history: History): Reconciler {
    const { server, clock, logger, onLost, settleMs, redis, servers, ballots } = this.#deps;
    return new Reconciler({
      keys: this.#keys,
      history,
      ballots: ballots ?? forgetfulBallots,
      server,
      clock,
      logger,
      onLost: (lost) => onLost?.(lost),
      settleMs: settleMs ?? SETTLE_MS,
      quorumOf: redis.commit === 'quorum' ? (servers ?? 1) : undefined,
      peers: () =>
        this.peers()
          .filter(({ silentMs }) => silentMs < PRESENT_MS)
          .map((peer) => peer.server),
    });
  }

  #masterMoved(address: Address): void {
    const session = this.#session;
    if (session?.closed === false) {
      if (sameAddress(address, session.address)) return;
      this.#deps.logger.info(`redis: the master is now ${describeAddress(address)}`);
      session.close();
    }
    this.#masterPromised(address);
  }

  async #askForMaster(): Promise<void> {
    if (this.#session?.closed !== false) return;
    const { redis, clock } = this.#deps;
    const [master] = await findMasters({ options: redis, keys: this.#keys, clock }).catch(() => []);
    if (master !== undefined) this.#masterMoved(master);
  }
}

/** Trying again does not help: somebody has to change something. */
function isFinal({ code }: ProconsulError): boolean {
  return code === 'invalid' || code === 'internal';
}
