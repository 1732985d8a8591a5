/**
 * What only one server may do: ending sessions whose leases ran out. Who that is, the log decides:
 * a claim names the term that it replaces, so that of several only one succeeds, and the index of
 * its entry is the new term, which fences off an older leader's expiries.
 */
import type { Cancel, Clock } from '../lib/clock.ts';
import { NS_PER_MS, parseDuration } from '../lib/duration.ts';
import { describeChain } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Command } from './commands.ts';
import type { Leases } from './leases.ts';
import type { Outcome } from './state/outcome.ts';
import type { State } from './state/state.ts';

const TICK_MS = 500;
/** A server that has not been heard of for as long leads no more. */
const SERVER_LEASE_MS = 2500;
/**
 * A TTL is the least that a session lives. Clients renew late when they are busy, and a lock that
 * is lost too early hurts more than one that is free a little late; twice the TTL is the promise.
 */
const TTL_GRACE = 1.5;

const SESSION = 'session/';
const SERVER = 'server/';

export interface LeaderOptions {
  readonly server: string;
  readonly leases: Leases;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Leader {
  readonly #options: LeaderOptions;
  #cancel: Cancel = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  /** The servers with a lease, as of the last tick. */
  #live: ReadonlySet<string> = new Set();

  constructor(options: LeaderOptions) {
    this.#options = options;
  }

  /** Resolves after the first round: a server that is alone leads then. */
  async start(): Promise<void> {
    await this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  get isLeader(): boolean {
    return this.#options.state().leadership.server === this.#options.server;
  }

  /** Whether the server that leads by the log was heard of lately. */
  get knowsLeader(): boolean {
    return this.isLeader || this.#live.has(this.#options.state().leadership.server);
  }

  /** The servers that live, this one included. */
  get liveServers(): ReadonlySet<string> {
    return this.#live;
  }

  async renewSession(id: string): Promise<void> {
    const ttlMs = ttlOf(this.#options.state(), id);
    if (ttlMs === 0) return;
    await this.#options.leases.renew(SESSION + id, ttlMs);
  }

  #tick(): Promise<void> {
    this.#running = this.#round().then(
      () => this.#again(),
      (error: unknown) => {
        this.#options.logger.warn(`leader: ${describeChain(error)}`);
        this.#again();
      },
    );
    return this.#running;
  }

  #again(): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(TICK_MS, () => void this.#tick());
  }

  async #round(): Promise<void> {
    const { leases, server, state } = this.#options;
    await leases.renew(SERVER + server, SERVER_LEASE_MS);
    const remaining = await leases.remaining();
    this.#live = liveServers(remaining);
    if (this.isLeader) {
      await this.#arm(remaining);
      await this.#expire();
    } else if (!this.#live.has(state().leadership.server)) await this.#claim();
  }

  async #claim(): Promise<void> {
    const { propose, server, state, logger } = this.#options;
    const { term } = state().leadership;
    const { applied } = await propose({ type: 'claim-leadership', server, replaces: term });
    if (!applied) return;
    logger.info(`leader: this server leads from entry ${state().leadership.term} on`);
    await this.#arm(await this.#options.leases.remaining());
  }

  /** Leases may be lost, with the process or with Redis: the sessions they were for get new ones. */
  async #arm(remaining: ReadonlyMap<string, number>): Promise<void> {
    for (const { ID, TTL } of this.#options.state().sessions.table.values()) {
      if (TTL !== '' && !remaining.has(SESSION + ID)) await this.renewSession(ID);
    }
  }

  async #expire(): Promise<void> {
    const { leases, propose, state, logger } = this.#options;
    const expired = (await leases.expired())
      .filter((id) => id.startsWith(SESSION))
      .map((id) => id.slice(SESSION.length));
    if (expired.length === 0) return;
    const ids = expired.filter((id) => state().sessions.get(id) !== undefined);
    if (ids.length > 0) {
      const { term } = state().leadership;
      logger.info(`leader: ${ids.length} sessions were not renewed and end: ${ids.join(' ')}`);
      const { applied } = await propose({ type: 'expire-sessions', term, ids });
      if (!applied) return;
    }
    for (const id of expired) await leases.drop(SESSION + id);
  }
}

function liveServers(remaining: ReadonlyMap<string, number>): Set<string> {
  const live = new Set<string>();
  for (const [id, leftMs] of remaining) {
    if (id.startsWith(SERVER) && leftMs > 0) live.add(id.slice(SERVER.length));
  }
  return live;
}

/** How long the session's lease runs; 0 for one without TTL. */
function ttlOf(state: State, id: string): number {
  const ns = parseDuration(state.sessions.get(id)?.TTL ?? '') ?? 0;
  return (ns / NS_PER_MS) * TTL_GRACE;
}
