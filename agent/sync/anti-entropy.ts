/**
 * Keeps the catalog true to the local state: at once on a change, in full from time to time. Only
 * what differs is sent. The agent always wins, so a catalog that lost everything is rebuilt from
 * the agents alone.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { CheckDefinition, ServiceDefinition } from '../../lib/model.ts';
import type { Random } from '../../lib/random.ts';
import type { LocalState } from '../state/local-state.ts';
import type { Catalog, NodeDefinition } from './catalog.ts';
import { findDrift } from './drift.ts';

/** Full comparisons are this far apart, or up to twice as far. */
const FULL_SYNC_MS = 60_000;
/** After a failure sooner, then less and less soon. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 15_000;
/** While no server answers, a client that registers waits no longer than this to be told so. */
const AWAY_WAIT_MS = 500;
/** How many changes may be on their way at once in a full sync; the servers commit in groups. */
const MAX_IN_FLIGHT = 64;
/** Outputs that changed without a status go out together, this many to a command. */
const MAX_OUTPUTS_A_COMMAND = 128;

export interface AntiEntropyOptions {
  readonly local: LocalState;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Asked anew each time: its metadata and addresses may change on a reload. */
  readonly node: () => NodeDefinition;
  /** What a server registers of itself beside its local services. */
  readonly ownService?: ServiceDefinition;
  /** Says in the catalog that this agent lives. */
  readonly aliveCheck: CheckDefinition;
  /** The token for what was registered without one. */
  readonly token: () => string;
  /** How long an output that changed without a status may wait; 0: not at all. */
  readonly checkUpdateIntervalMs: number;
  /** By how much the size of the cluster stretches the time between full comparisons; at least 1. */
  readonly scale?: () => number;
}

/** What of one service the catalog has yet to hear; of the node's own checks under ''. */
interface Dirt {
  service: boolean;
  readonly checks: Set<string>;
}

export class AntiEntropy {
  readonly #options: AntiEntropyOptions;
  #dirt = new Map<string, Dirt>();
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #deferred = new Set<string>();
  /** Services whose checks changed during a full comparison. */
  readonly #late = new Set<string>();
  readonly #stopObserving: () => void;
  #cancelNext: Cancel = () => undefined;
  #cancelOutputs: Cancel | undefined;
  #nodeKnown = false;
  #running: Promise<void> | undefined;
  #again = false;
  /** Full comparisons in a row that no server took part in. */
  #failures = 0;
  /** No server was there since the last comparison began. */
  #away = false;
  #stopped = false;

  constructor(options: AntiEntropyOptions) {
    this.#options = options;
    this.#stopObserving = options.local.observe({
      serviceChanged: (id) => this.#soil(id).add(),
      checkChanged: (id, serviceId) => {
        this.#deferred.delete(id);
        this.#soil(serviceId).add(id);
        this.#pushSoon(serviceId);
      },
      outputChanged: (id, serviceId) => this.#outputChanged(id, serviceId),
    });
  }

  /** Compares in full now; from then on from time to time. */
  start(): void {
    this.syncSoon();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopObserving();
    this.#cancelNext();
    this.#cancelOutputs?.();
    await this.#running;
    await Promise.all(this.#inFlight.values());
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

  /** A server is back: brings what was kept for it, if there is any. */
  resume(): void {
    if (this.#failures > 0 || this.#dirt.size > 0) this.syncSoon();
  }

  /** Whether the catalog has yet to hear something of this service ('' for the node's own checks). */
  owes(serviceId: string): boolean {
    return this.#dirt.has(serviceId) || this.#inFlight.has(serviceId);
  }

  /**
   * Tells the catalog what changed of this service ('' for the node's own checks). Resolves when it
   * has heard, or when that failed or takes long: then the next full comparison brings it. Never
   * rejects.
   */
  async push(serviceId: string): Promise<void> {
    if (!this.owes(serviceId)) return;
    const run = this.#pushAfterOthers(serviceId);
    if (this.#failures === 0) return run;
    let cancel: Cancel = () => undefined;
    const enough = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(AWAY_WAIT_MS, resolve);
    });
    await Promise.race([run, enough]);
    cancel();
  }

  async #pushAfterOthers(serviceId: string): Promise<void> {
    // What is under way may have begun before the caller's change.
    for (let run = this.#inFlight.get(serviceId); run !== undefined; ) {
      await run;
      run = this.#inFlight.get(serviceId);
    }
    if (!this.#dirt.has(serviceId) || this.#stopped) return;
    const run = this.#pushNow(serviceId).finally(() => this.#inFlight.delete(serviceId));
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

  #soil(serviceId: string): { add(check?: string): void } {
    let dirt = this.#dirt.get(serviceId);
    if (dirt === undefined) {
      dirt = { service: false, checks: new Set() };
      this.#dirt.set(serviceId, dirt);
    }
    const { checks } = dirt;
    return {
      add: (check) => {
        if (check === undefined) dirt.service = true;
        else checks.add(check);
      },
    };
  }

  #soilAgain(serviceId: string, dirt: Dirt): void {
    const soil = this.#soil(serviceId);
    if (dirt.service) soil.add();
    for (const check of dirt.checks) soil.add(check);
  }

  #outputChanged(id: string, serviceId: string): void {
    const interval = this.#options.checkUpdateIntervalMs;
    if (interval === 0) {
      this.#soil(serviceId).add(id);
      this.#pushSoon(serviceId);
    } else if (!this.#dirt.get(serviceId)?.checks.has(id)) this.#deferred.add(id);
    if (this.#deferred.size === 0 || this.#cancelOutputs !== undefined) return;
    const { clock, random } = this.#options;
    const delay = interval / 2 + random.next() * interval;
    this.#cancelOutputs = clock.after(delay, () => void this.#pushOutputs());
  }

  async #pushOutputs(): Promise<void> {
    this.#cancelOutputs = undefined;
    const ids = [...this.#deferred];
    this.#deferred.clear();
    const { local, catalog, node, token } = this.#options;
    for (let at = 0; at < ids.length; at += MAX_OUTPUTS_A_COMMAND) {
      const checks = ids
        .slice(at, at + MAX_OUTPUTS_A_COMMAND)
        .flatMap((id) => local.checks.get(id)?.definition ?? []);
      try {
        await catalog.register({ node: node(), skipNodeUpdate: true, checks }, token());
      } catch (error) {
        // The next full comparison finds them.
        this.#failed('outputs of checks', error);
      }
    }
  }

  async #pushNow(serviceId: string): Promise<void> {
    const dirt = this.#dirt.get(serviceId);
    if (dirt === undefined) return;
    this.#dirt.delete(serviceId);
    try {
      await this.#tell(serviceId, dirt);
    } catch (error) {
      this.#soilAgain(serviceId, dirt);
      this.#failed(serviceId === '' ? 'checks of the node' : `service "${serviceId}"`, error);
    }
  }

  async #tell(serviceId: string, dirt: Dirt): Promise<void> {
    const { local, catalog, node, token } = this.#options;
    const definition = node();
    const service = local.services.get(serviceId);
    const secret = service?.token || token();
    const gone: string[] = [];
    const checks: CheckDefinition[] = [];
    for (const id of dirt.checks) {
      const check = local.checks.get(id);
      if (check?.definition.ServiceID === serviceId) checks.push(check.definition);
      else if (check === undefined) gone.push(id);
    }
    if (serviceId !== '' && service === undefined) {
      // Its checks go with it, in the same entry.
      await catalog.deregister({ node: definition.Node, serviceId }, secret);
      return;
    }
    if (service !== undefined || checks.length > 0) {
      await catalog.register(
        {
          node: definition,
          skipNodeUpdate: this.#nodeKnown,
          ...(service !== undefined && { service: service.definition }),
          checks,
        },
        secret || token(),
      );
      this.#nodeKnown = true;
    }
    for (const checkId of gone) {
      await catalog.deregister({ node: definition.Node, checkId }, secret);
    }
  }

  async #fullSync(): Promise<void> {
    const { local, catalog, node, token, logger } = this.#options;
    this.#away = false;
    // What was left over is judged anew: after a restart hardly any of it differs.
    const leftOver = this.#dirt;
    this.#dirt = new Map();
    try {
      const definition = node();
      const known = await catalog.node(definition.Node, token());
      const drift = await findDrift({ ...this.#options, node: definition }, known, this.#deferred);
      this.#nodeKnown = !drift.node;
      for (const [id, tags] of drift.tags) local.adoptTags(id, tags);
      if (drift.node) {
        await this.#registerSelf(definition);
        logger.info('agent: Synced node info');
      }
      for (const id of drift.services) this.#soil(id).add();
      for (const [id, serviceId] of drift.checks) this.#soil(serviceId).add(id);
      await this.#pushAll();
    } catch (error) {
      for (const [id, dirt] of leftOver) this.#soilAgain(id, dirt);
      this.#failed('the node', error);
    }
    this.#failures = this.#away ? this.#failures + 1 : 0;
  }

  async #registerSelf(definition: NodeDefinition): Promise<void> {
    const { catalog, ownService, aliveCheck, token } = this.#options;
    await catalog.register(
      {
        node: definition,
        skipNodeUpdate: false,
        ...(ownService !== undefined && { service: ownService }),
        checks: [aliveCheck],
      },
      token(),
    );
    this.#nodeKnown = true;
  }

  async #pushAll(): Promise<void> {
    const ids = [...this.#dirt.keys()];
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
    const { clock, random, scale } = this.#options;
    const base =
      this.#failures === 0
        ? FULL_SYNC_MS * (scale?.() ?? 1)
        : Math.min(RETRY_MS * 2 ** (this.#failures - 1), MAX_RETRY_MS);
    // Up to double, so that agents that started together do not stay together.
    this.#cancelNext();
    this.#cancelNext = clock.after(base * (1 + random.next()), () => this.syncSoon());
  }

  #failed(what: string, error: unknown): void {
    const { logger } = this.#options;
    const line = `agent: could not sync ${what}: ${describeChain(error)}`;
    const away =
      error instanceof ProconsulError && (error.code === 'unavailable' || error.code === 'unknown');
    // While no server is there, saying it once is enough; a refusal concerns this one thing.
    if (away && (this.#away || this.#failures > 0)) logger.debug(line);
    else logger.warn(line);
    if (!away || this.#away) return;
    this.#away = true;
    if (this.#running !== undefined || this.#failures > 0) return;
    // The change is kept, and the comparison that is due now brings it.
    this.#failures = 1;
    this.#schedule();
  }
}
