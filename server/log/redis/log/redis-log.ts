/** The event log in Redis, shared by several servers. docs/decisions/redis-seal-and-repair.md argues for it. */
import assert from 'node:assert/strict';
import type { Clock } from '../../../../lib/clock.ts';
import { describeChain, noLeader, type ProconsulError } from '../../../../lib/errors.ts';
import type { LogAccount } from '../../../../lib/log-account.ts';
import type { Logger } from '../../../../lib/logger.ts';
import { counter, gauge, type Metric, timing } from '../../../../lib/metrics/metric.ts';
import { Sample } from '../../../../lib/metrics/sample.ts';
import type {
  EventLog,
  LogServers,
  LogSink,
  LogStatus,
  Proposal,
  Snapshot,
} from '../../event-log.ts';
import { IndexGate } from '../../index-gate.ts';
import { knowing, OwnProposals } from '../../own-proposals.ts';
import { type PayloadReader, plainPayloads } from '../../payload.ts';
import { checkSuitable } from '../link/info.ts';
import { keysOf } from '../link/keys.ts';
import { CHECK_INTERVAL_MS, DAMAGE_WAIT_MS, PRESENT_MS, SETTLE_MS } from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import { Links } from '../link/links.ts';
import { describeAddress, describeRedis, type RedisOptions } from '../link/options.ts';
import { CheckIn, type EpochLink, type SeenServer } from '../records/check-in.ts';
import { followTail } from '../records/stream.ts';
import { type BallotStore, forgetfulBallots } from '../repair/ballot-file.ts';
import { History, type RingLimits } from '../repair/history.ts';
import type { OnLost } from '../repair/losses.ts';
import { Reconciler } from '../repair/reconcile.ts';
import { Accounts } from './account.ts';
import { Appender } from './append.ts';
import { Finds } from './finds.ts';
import { RedisLeases } from './leases.ts';
import { LinkGate } from './link-gate.ts';
import { Monitor } from './monitor.ts';
import { HERE_MS, Quorum } from './quorum.ts';
import { ReadIndex } from './read-index.ts';
import { SnapshotKeeper } from './snapshot-keeper.ts';

export interface RedisLogDeps {
  readonly redis: RedisOptions;
  readonly self: LogMember;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly on?: LogEvents;
  /** Specs have little patience and little memory. */
  readonly bounds?: { readonly ring?: RingLimits; readonly settleMs?: number };
}

/** Which of the servers this one is, and what it keeps to itself. */
export interface LogMember {
  readonly datacenter: string;
  /** Its id: no two that live may share one. */
  readonly server: string;
  /** How many there are to be; `commit: quorum` counts its majority of them. */
  readonly servers?: number;
  /** Where a promise of `commit: quorum` outlives the process. */
  readonly ballots?: BallotStore;
  /** Opens what the servers have sealed. */
  readonly payloads?: PayloadReader;
}

export interface LogEvents {
  /** Told of every entry that a fork took away, in order; it is logged besides. */
  readonly lost?: OnLost;
  /**
   * Another server, or Redis itself, needs a snapshot of at least this index: take one soon and
   * hand it to saveSnapshot. Called again and again until there is one.
   */
  readonly snapshotNeeded?: (index: number) => void;
}

export class RedisLog implements EventLog {
  readonly batchesAtOnce = 2;
  /** Leases that live in the same Redis. */
  readonly leases: RedisLeases;
  readonly #deps: RedisLogDeps;
  readonly #checkIn: CheckIn;
  readonly #gate: LinkGate;
  readonly #applied: IndexGate;
  readonly #quorum: Quorum;
  readonly #appender: Appender;
  readonly #own = new OwnProposals();
  readonly #snapshots: SnapshotKeeper;
  readonly #readIndex: ReadIndex;
  readonly #readByMajority: ReadIndex;
  readonly #finds: Finds;
  readonly #accounts: Accounts;
  readonly #stopping = new AbortController();
  readonly #roundTrips = new Sample();
  /** How many connections to Redis came to be of use, and how many entries a fork took away. */
  #linksUsed = 0;
  #lost = 0;
  #history: History | undefined;
  #monitor: Monitor | undefined;
  #links: Links | undefined;
  /** One that was just found may lead to an old master that the others have left: a majority says that it does not. */
  #trusted: Link | undefined;
  /** Whether a link was ever live. */
  #begun = false;
  #onBegun: () => void = () => undefined;
  #running: Promise<void> | undefined;
  #appending: Promise<void> = Promise.resolve();

  constructor(deps: RedisLogDeps) {
    const { clock, self, redis, on, logger } = deps;
    this.#deps = deps;
    this.#checkIn = new CheckIn(self.server, (epochLink) => this.#quorum.heard(epochLink));
    this.#finds = new Finds(clock, logger);
    this.#accounts = new Accounts(clock, redis.commit, this.#finds);
    const gate = new LinkGate(clock);
    this.#gate = gate;
    this.#applied = new IndexGate(clock);
    this.#quorum = new Quorum({
      policy: redis.commit,
      servers: self.servers ?? 1,
      checkIn: this.#checkIn,
      clock,
      applied: this.#applied,
      hashAt: (index) => this.#history?.ring.at(index)?.hash,
    });
    const { committed, confirmed } = this.#quorum;
    const onRefused = () => void (this.#history && this.#snapshots.makeRoom(this.#history));
    this.#appender = new Appender({ gate, clock, committed, onRefused });
    const onNeeded = (index: number) => on?.snapshotNeeded?.(index);
    this.#snapshots = new SnapshotKeeper({ gate, clock, logger, onNeeded });
    this.#readIndex = new ReadIndex({ gate, clock });
    this.#readByMajority = this.#votes
      ? new ReadIndex({ gate, clock, confirmed })
      : this.#readIndex;
    this.leases = new RedisLeases(gate, clock);
  }

  async start(sink: LogSink): Promise<void> {
    assert.equal(this.#history, undefined, 'a log is started once');
    const { redis, self, clock, logger, bounds } = this.#deps;
    const payloads = self.payloads ?? knowing(this.#own, plainPayloads);
    const history = await History.open({
      sink,
      ballots: self.ballots ?? forgetfulBallots,
      payloads,
      onRefused: (error) => logger.error(`redis: ${describeChain(error)}`),
      limits: bounds?.ring,
    });
    this.#history = history;
    this.#monitor = this.#newMonitor(history);
    const reconciler = this.#reconciler(history);
    const use = async (link: Link) => await this.#use(link, history, reconciler);
    const keys = keysOf(self.datacenter);
    this.#links = new Links({ redis, keys, clock, logger, roundTrips: this.#roundTrips, use });
    logger.info(`redis: the log is in ${describeRedis(redis)}`);
    const begun = new Promise<void>((resolve) => {
      this.#onBegun = resolve;
    });
    const ended = this.#links.run((reason) => !this.#begun && isFinal(reason));
    this.#running = ended.then(() => undefined);
    this.#running.catch((error) => {
      // A broken invariant fails the start, and ends the process later on.
      if (this.#begun) throw error;
    });
    const failure = await Promise.race([begun, ended]);
    if (failure !== undefined) throw failure;
  }

  async append(batch: readonly Proposal[]): Promise<void> {
    if (this.#stopping.signal.aborted) throw noLeader();
    // What is sealed knows its own by itself.
    if (this.#deps.self.payloads === undefined) this.#own.appending(batch);
    const appended = this.#appender.append(batch);
    this.#appending = appended.catch(() => undefined);
    await appended;
  }

  async readIndex(by: 'log' | 'majority' = 'log'): Promise<number> {
    const { link } = this.#gate.current ?? {};
    const isTrusted = link !== undefined && link === this.#trusted;
    if (by === 'log' && isTrusted) return await this.#readIndex.read();
    const index = await this.#readByMajority.read();
    if (this.#gate.current?.link === link) this.#trusted = link;
    return index;
  }

  async saveSnapshot(snapshot: Snapshot): Promise<void> {
    if (this.#history === undefined) throw noLeader();
    await this.#snapshots.save(snapshot, this.#history);
  }

  newestSnapshot(): number {
    return this.#monitor?.newestSnapshot ?? 0;
  }

  status(): LogStatus {
    const writable = this.#gate.current !== undefined && !this.#stopping.signal.aborted;
    const lastContactMs = this.#monitor?.lastContactMs ?? Number.MAX_SAFE_INTEGER;
    return {
      writable,
      lastContactMs,
      epoch: this.#votes ? (this.#history?.epoch ?? 0) : undefined,
    };
  }

  servers(): LogServers {
    const seen = this.#monitor?.servers ?? [];
    const here = seen.filter(({ silentMs }) => silentMs <= HERE_MS).length;
    return { seen, needed: this.#quorum.needed(here) };
  }

  account(): Promise<LogAccount> {
    return this.#accounts.of(this.#gate.current?.link, this.#history?.epoch ?? 0);
  }

  metrics(): readonly Metric[] {
    const live = () => this.peers().filter(({ silentMs }) => silentMs < PRESENT_MS).length;
    return [
      timing('proconsul.redis.round_trip', 'how long Redis took to answer', this.#roundTrips, {
        buckets: true,
      }),
      gauge(
        'proconsul.redis.epoch',
        'the epoch that the log is in',
        () => this.#history?.epoch ?? 0,
      ),
      gauge('proconsul.redis.servers', 'servers that this Redis has just heard of', live),
      counter('proconsul.redis.links', 'times that a Redis was found', () => this.#linksUsed),
      counter('proconsul.redis.lost_entries', 'entries that a fork took away', () => this.#lost),
    ];
  }

  /** The servers that Redis has heard of, this one among them. */
  peers(): readonly SeenServer[] {
    return this.#monitor?.peers ?? [];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#appending;
    const { link } = this.#gate.current ?? {};
    if (link !== undefined) {
      // The others then need not wait for us at their next epoch; when it fails they just do.
      const args = [link.keys.servers, this.#deps.self.server];
      await link.commands.call('HDEL', args).catch(() => undefined);
    }
    this.#gate.stop();
    this.#links?.stop();
    await this.#running?.catch(() => undefined);
  }

  /** A link's whole life: agreement, then reading and watching; rejects when it is over. */
  async #use(link: Link, history: History, reconciler: Reconciler): Promise<never> {
    const { logger } = this.#deps;
    const loops: Promise<never>[] = [];
    try {
      checkSuitable(link.info, this.#begun ? undefined : logger);
      const patienceMs = this.#begun ? Number.POSITIVE_INFINITY : DAMAGE_WAIT_MS;
      const [before, lostBefore] = [this.#begun ? history.epoch : undefined, this.#lost];
      const { epoch, lookedAt, putBack } = await reconciler.run(link, patienceMs);
      const lost = this.#lost - lostBefore;
      const address = describeAddress(link.address);
      this.#finds.found({ epoch, before, putBack, lost, address });
      this.#links?.succeeded();
      this.#linksUsed++;
      this.#monitor?.inContact(lookedAt);
      loops.push(...this.#goLive({ link, epoch }, history));
      this.#begun = true;
      this.#onBegun();
      return await Promise.race(loops);
    } finally {
      this.#gate.close();
      if (this.#begun) this.#finds.gone();
      link.close();
      // Nothing of this link may still feed the sink when the next one begins.
      await Promise.allSettled(loops);
    }
  }

  #goLive(epochLink: EpochLink, history: History): Promise<never>[] {
    const monitor = this.#monitor;
    assert(monitor !== undefined);
    this.#applied.moved(history.position.index);
    this.#quorum.report(epochLink, history.position.index);
    this.#gate.open(epochLink);
    const onApplied = () => {
      this.#applied.moved(history.position.index);
      monitor.caughtUp();
      this.#quorum.report(epochLink, history.position.index);
    };
    const onRound = (round: number) => this.#checkIn.heard(epochLink, round);
    const on = { onApplied, onRound: this.#votes ? onRound : undefined };
    return [followTail(epochLink, history, on), monitor.watch(epochLink)];
  }

  /** Whether a majority says what counts. */
  get #votes(): boolean {
    return this.#deps.redis.commit === 'quorum';
  }

  #newMonitor(history: History): Monitor {
    const { clock, on } = this.#deps;
    return new Monitor({
      history,
      checkIn: this.#checkIn,
      clock,
      intervalMs: CHECK_INTERVAL_MS,
      onWanted: (index) => on?.snapshotNeeded?.(index),
    });
  }

  #reconciler(history: History): Reconciler {
    const { clock, logger, on, bounds, self } = this.#deps;
    return new Reconciler({
      history,
      checkIn: this.#checkIn,
      clock,
      logger,
      onLost: (lost) => {
        this.#lost += lost.length;
        on?.lost?.(lost);
      },
      rules: {
        settleMs: bounds?.settleMs ?? SETTLE_MS,
        quorumOf: this.#votes ? (self.servers ?? 1) : undefined,
        peers: () => {
          const present = this.peers().filter(({ silentMs }) => silentMs < PRESENT_MS);
          return present.map(({ server }) => server);
        },
      },
    });
  }
}

/** Trying again does not help: somebody has to change something. */
function isFinal({ code }: ProconsulError): boolean {
  return code === 'invalid' || code === 'internal';
}
