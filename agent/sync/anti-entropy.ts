/**
 * Keeps the catalog true to the local state: at once on a change, in full from time to time. Only
 * what differs is sent. The agent always wins, so a catalog that lost everything is rebuilt from
 * the agents alone.
 */
import { type Cancel, type Clock, pause } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { counter, gauge, type Metric, timing } from '../../lib/metrics/metric.ts';
import { Sample } from '../../lib/metrics/sample.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { Retries, retryMs } from '../../lib/retries.ts';
import { Slots } from '../../lib/slots.ts';
import type { LocalCheck, LocalState } from '../state/local-state.ts';
import { Changes } from './changes.ts';
import { Outputs } from './outputs.ts';
import { isAway, type OwnCatalog } from './own-catalog.ts';
import { sayTaken } from './say-taken.ts';

/** Full comparisons are this far apart, or up to twice as far. */
const FULL_SYNC_MS = 60_000;
/** By each time that the size of the cluster stretches the time between beats. */
const RESUME_MS = 2000;
/** While no server answers, a client that registers waits no longer than this to be told so. */
const AWAY_WAIT_MS = 500;
/** An agent that ends does not wait longer for servers that do not answer. */
const STOP_MS = 1500;
/** How many changes may be on their way at once; the servers commit in groups. */
const MAX_IN_FLIGHT = 64;
/** What failures are said of, beside services. */
const NODE = 'the node';
const AWAY = 'servers';

export interface AntiEntropyOptions {
  readonly own: OwnCatalog;
  readonly local: LocalState;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly pace: Pace;
}

export interface Pace {
  /** How long an output that changed without a status may wait; 0: not at all. */
  readonly checkUpdateIntervalMs: number;
  /** By how much the size of the cluster stretches the time between full comparisons; at least 1. */
  readonly scale: () => number;
}

export class AntiEntropy {
  readonly #options: AntiEntropyOptions;
  readonly #changes = new Changes();
  readonly #outputs: Outputs;
  readonly #retries: Retries;
  readonly #notices: Notices;
  readonly #slots = new Slots(MAX_IN_FLIGHT);
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Services whose checks changed during a full comparison. */
  readonly #late = new Set<string>();
  readonly #stopObserving: () => void;
  readonly #stopping = new AbortController();
  #cancelNext: Cancel = () => undefined;
  #running: Promise<void> | undefined;
  #hasCompared = false;
  #again = false;
  /** Full comparisons in a row that failed as a whole. */
  #failures = 0;
  /** No server was there since the last comparison began. */
  #away = false;
  /** Comparisons that came to an end, how many things the last one found to differ, and pushes. */
  readonly #compared = new Sample();
  #drift = 0;
  #told = 0;
  #notTold = 0;

  constructor(options: AntiEntropyOptions) {
    const { local, clock, random, logger, pace } = options;
    this.#options = options;
    this.#notices = new Notices((text) => logger.warn(`agent: ${text}`));
    this.#retries = new Retries(clock, random, (serviceId) => {
      // A comparison may have brought it meanwhile.
      if (this.#changes.has(serviceId)) void this.push(serviceId);
      else this.#retries.succeeded(serviceId);
    });
    this.#outputs = new Outputs({
      local,
      clock,
      random,
      intervalMs: pace.checkUpdateIntervalMs,
      tell: (checks) => this.#tellOutputs(checks),
    });
    this.#stopObserving = local.observe({
      serviceChanged: (id) => this.#changes.addService(id),
      checkChanged: (id, serviceId) => {
        this.#outputs.forget(id);
        this.#changes.addCheck(serviceId, id);
        this.#pushSoon(serviceId);
      },
      outputChanged: (id, serviceId) => this.#outputChanged(id, serviceId),
    });
  }

  /** Compares in full now; from then on from time to time. */
  start(): void {
    this.syncSoon();
  }

  /** Whether the catalog has once had all that was registered here. */
  get hasCompared(): boolean {
    return this.#hasCompared;
  }

  metrics(): readonly Metric[] {
    return [
      gauge(
        'proconsul.sync.owed',
        'services whose change the catalog lacks',
        () => this.#changes.size,
      ),
      gauge(
        'proconsul.sync.drift',
        'things that the last comparison found to differ',
        () => this.#drift,
      ),
      timing('proconsul.sync.compared', 'to compare with the catalog in full', this.#compared),
      counter('proconsul.sync.told', 'services whose change the catalog took', () => this.#told),
      counter(
        'proconsul.sync.not_told',
        'services whose change it did not take',
        () => this.#notTold,
      ),
    ];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopObserving();
    this.#cancelNext();
    this.#outputs.stop();
    this.#retries.stop();
    const ended = new AbortController();
    const all = Promise.all([this.#running, ...this.#inFlight.values()]);
    await Promise.race([all, pause(this.#options.clock, STOP_MS, ended.signal)]);
    ended.abort();
  }

  /** A full comparison as soon as the one under way is over. */
  syncSoon(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#cancelNext();
    this.#running = this.#fullSync().finally(() => this.#schedule());
  }

  /**
   * The catalog has nothing of this agent, which each beat says anew for as long as that is so. One that begins is
   * unknown until its first comparison is over: to compare again behind it would find nothing.
   */
  unknown(): void {
    if (this.#running === undefined) this.syncSoon();
  }

  /**
   * A server is back: brings what was kept for it, if there is any. Where agents are so many that they beat
   * less often, at any moment of as long as that takes more: tens of thousands come back at once.
   */
  resume(): void {
    if (this.#failures === 0 && this.#changes.size === 0) return;
    const { clock, random, pace } = this.#options;
    const spreadMs = (pace.scale() - 1) * RESUME_MS * random.next();
    if (spreadMs === 0 || this.#running !== undefined) {
      this.syncSoon();
      return;
    }
    this.#cancelNext();
    this.#cancelNext = clock.after(spreadMs, () => this.syncSoon());
  }

  /** Whether the catalog has yet to hear something of this service ('' for the node's own checks). */
  owes(serviceId: string): boolean {
    return this.#changes.has(serviceId) || this.#inFlight.has(serviceId);
  }

  /**
   * Tells the catalog what changed of this service ('' for the node's own checks). Resolves when it
   * has heard, or when that failed or takes long: then it is tried again by itself. Never rejects.
   */
  async push(serviceId: string): Promise<void> {
    if (!this.owes(serviceId)) return;
    const run = this.#pushAfterOthers(serviceId);
    if (this.#failures === 0) return run;
    const enough = new AbortController();
    await Promise.race([run, pause(this.#options.clock, AWAY_WAIT_MS, enough.signal)]);
    enough.abort();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #pushAfterOthers(serviceId: string, push = () => this.#pushNow(serviceId)): Promise<void> {
    // What is under way may have begun before the caller's change.
    for (let run = this.#inFlight.get(serviceId); run !== undefined; ) {
      await run;
      run = this.#inFlight.get(serviceId);
    }
    if (!this.#changes.has(serviceId) || this.#stopped) return;
    const run = this.#slots.run(push).finally(() => this.#inFlight.delete(serviceId));
    this.#inFlight.set(serviceId, run);
    await run;
  }

  /**
   * A check that found something else than before waits for nobody to push it. Not in this turn:
   * what is registered with its checks goes out together.
   */
  #pushSoon(serviceId: string): void {
    queueMicrotask(() => {
      // A comparison that is under way may have read the status before.
      if (this.#running !== undefined) this.#late.add(serviceId);
      else void this.push(serviceId);
    });
  }

  #outputChanged(id: string, serviceId: string): void {
    if (this.#options.pace.checkUpdateIntervalMs === 0) {
      this.#changes.addCheck(serviceId, id);
      this.#pushSoon(serviceId);
    } else if (!this.#changes.hasCheck(serviceId, id)) this.#outputs.changed(id);
  }

  async #tellOutputs(checks: readonly LocalCheck[]): Promise<void> {
    try {
      await this.#options.own.tellChecks(checks);
    } catch (error) {
      for (const { definition } of checks) {
        this.#changes.addCheck(definition.ServiceID, definition.CheckID);
        // Each with its service, so that one that is refused holds up no other.
        if (!isAway(error)) this.#pushSoon(definition.ServiceID);
      }
      if (isAway(error)) this.#failed('outputs of checks', error);
    }
  }

  async #pushNow(serviceId: string): Promise<void> {
    const change = this.#changes.take(serviceId);
    if (change === undefined || this.#stopped) return;
    const what = nameOf(serviceId);
    try {
      const refused = await this.#options.own.tell(serviceId, change);
      sayTaken(this.#options, { serviceId, change, refused: refused?.change });
      if (refused === undefined) {
        this.#hasHeard(serviceId);
        return;
      }
      this.#changes.putBack(serviceId, refused.change);
      this.#failed(what, refused.error);
      this.#retries.failed(serviceId);
    } catch (error) {
      this.#changes.putBack(serviceId, change);
      this.#failed(what, error);
      // Where no server is there, the comparison that comes then brings it.
      if (!isAway(error)) this.#retries.failed(serviceId);
    }
  }

  #hasHeard(serviceId: string): void {
    this.#told++;
    this.#retries.succeeded(serviceId);
    this.#notices.clear(nameOf(serviceId));
  }

  /** With one of its services, where that may go along: an agent that begins is one entry then, and not two. */
  async #bringNode(services: readonly string[]): Promise<void> {
    const { own, logger, local } = this.#options;
    const first = services.find((id) => local.services.has(id));
    let failure: unknown;
    let hasGone = false;
    if (first !== undefined) {
      await this.#pushAfterOthers(first, async () => {
        const change = this.#changes.take(first);
        if (change === undefined || this.#stopped) return;
        try {
          hasGone = await own.registerWith(first, change);
        } catch (error) {
          failure = error;
        }
        if (!hasGone) this.#changes.putBack(first, change);
        else {
          sayTaken(this.#options, { serviceId: first, change, refused: undefined });
          this.#hasHeard(first);
        }
      });
    }
    if (failure !== undefined) throw failure;
    if (!hasGone) await own.registerSelf();
    logger.info('agent: Synced node info');
  }

  async #fullSync(): Promise<void> {
    const { local, own } = this.#options;
    this.#away = false;
    // What was left over is judged anew: after a restart hardly any of it differs.
    const leftOver = this.#changes.takeAll();
    const from = this.#options.clock.monotonic();
    try {
      const drift = await own.compare(this.#outputs.waiting);
      this.#drift = Number(drift.node) + drift.services.length + drift.checks.length;
      for (const [id, tags] of drift.tags) local.adoptTags(id, tags);
      for (const id of drift.services) this.#changes.addService(id);
      for (const [id, serviceId] of drift.checks) this.#changes.addCheck(serviceId, id);
      if (drift.node) await this.#bringNode(drift.services);
      this.#notices.clear(NODE);
      await this.#pushAll();
      this.#compared.observe(this.#options.clock.monotonic() - from);
    } catch (error) {
      for (const [id, change] of leftOver) this.#changes.putBack(id, change);
      this.#failed(NODE, error);
      this.#failures++;
      return;
    }
    this.#failures = this.#away ? this.#failures + 1 : 0;
    if (this.#away) return;
    this.#notices.clear(AWAY);
    this.#hasCompared = true;
  }

  async #pushAll(): Promise<void> {
    const ids = [...this.#changes.services];
    const worker = async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
        await this.#pushAfterOthers(id);
        // No server took this one: the others would fail too, each after its own time.
        if (this.#away) return;
      }
    };
    await Promise.all(Array.from({ length: Math.min(MAX_IN_FLIGHT, ids.length) }, worker));
  }

  #schedule(): void {
    this.#running = undefined;
    if (this.#stopped) return;
    for (const id of this.#late) this.#pushSoon(id);
    this.#late.clear();
    if (this.#again) {
      this.#again = false;
      this.syncSoon();
      return;
    }
    const { clock, random, pace } = this.#options;
    // Up to double, so that agents that started together do not stay together.
    const delay =
      this.#failures === 0
        ? FULL_SYNC_MS * pace.scale() * (1 + random.next())
        : retryMs(this.#failures, random);
    this.#cancelNext();
    this.#cancelNext = clock.after(delay, () => this.syncSoon());
  }

  #failed(what: string, error: unknown): void {
    if (this.#stopped) return;
    this.#notTold++;
    const away = isAway(error);
    const why = describeChain(error);
    // That no server is there is said once, and not the first time: an agent that starts has yet to
    // join. A refusal concerns this one thing.
    if (!away) this.#notices.tell(what, `could not sync ${what}: ${why}`);
    else if (!this.#away && this.#failures === 1) {
      this.#notices.tell(AWAY, `could not sync ${what}: ${why}`);
    }
    if (!away || this.#away) return;
    this.#away = true;
    if (this.#running !== undefined || this.#failures > 0) return;
    // The change is kept, and the comparison that is due now brings it.
    this.#failures = 1;
    this.#schedule();
  }
}

/** As it is said of what failed. */
function nameOf(serviceId: string): string {
  return serviceId === '' ? 'checks of the node' : `service "${serviceId}"`;
}
