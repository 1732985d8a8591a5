/**
 * What only one server may do: ending what was not renewed. Who that is, the log decides: a claim
 * names the term that it replaces, so that of several only one succeeds, and the index of its entry
 * is the new term, which fences off what an older leader still proposes.
 */
import type { Cancel, Clock } from '../lib/clock.ts';
import { NS_PER_MS, parseDuration } from '../lib/duration.ts';
import { describeChain } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { DEFAULT_LEASE_MS, MEMBER_STATUS } from '../lib/membership.ts';
import type { Command } from './commands.ts';
import type { Leases } from './leases.ts';
import { agentLease, nodeOfLease } from './members.ts';
import type { Outcome } from './state/outcome.ts';
import type { State } from './state/state.ts';

const TICK_MS = 500;
/** A leader that has not been heard of for as long leads no more. */
const LEADER_LEASE_MS = 2000;
/** How often a leader looks for what has no lease, and for members to forget. */
const TICKS_BETWEEN_ROUNDS = 20;
/**
 * A TTL is the least that a session lives. Clients renew late when they are busy, and a lock that
 * is lost too early hurts more than one that is free a little late; twice the TTL is the promise.
 */
const TTL_GRACE = 1.5;

const SESSION = 'session/';
const LEADER = 'leader/';

export interface LeaderOptions {
  readonly server: string;
  readonly leases: Leases;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a member that left or failed is remembered. */
  readonly reconnectTimeoutMs: number;
}

export class Leader {
  readonly #options: LeaderOptions;
  #cancel: Cancel = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  #ticks = 0;
  /** Whether the leader of the log had a lease at the last tick. */
  #leaderLives = false;

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

  get knowsLeader(): boolean {
    return this.#leaderLives;
  }

  async renewSession(id: string): Promise<void> {
    const ttlMs = ttlOf(this.#options.state(), id);
    if (ttlMs > 0) await this.#options.leases.renew(SESSION + id, ttlMs);
  }

  #tick(): Promise<void> {
    this.#running = this.#round().then(
      () => this.#again(),
      (error: unknown) => {
        this.#leaderLives = false;
        this.#options.logger.debug(`leader: ${describeChain(error)}`);
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
    const { leases, state } = this.#options;
    if (!this.isLeader) {
      this.#leaderLives = ((await leases.left(LEADER + state().leadership.server)) ?? 0) > 0;
      if (this.#leaderLives || !(await this.#claim())) return;
    }
    await leases.renew(LEADER + this.#options.server, LEADER_LEASE_MS);
    this.#leaderLives = true;
    if (this.#ticks++ % TICKS_BETWEEN_ROUNDS === 0) {
      await this.#arm();
      await this.#reap();
    }
    await this.#expire();
  }

  async #claim(): Promise<boolean> {
    const { propose, server, state, logger, leases } = this.#options;
    const { term } = state().leadership;
    // Before the claim: the others look for the lease as soon as they see the entry.
    await leases.renew(LEADER + server, LEADER_LEASE_MS);
    const { applied } = await propose({ type: 'claim-leadership', server, replaces: term });
    if (!applied) return false;
    logger.info(`leader: this server leads from entry ${state().leadership.term} on`);
    this.#ticks = 0;
    return true;
  }

  /** Leases may be lost, with the process or with Redis: whatever they were for gets a new one. */
  async #arm(): Promise<void> {
    const { leases, state } = this.#options;
    const remaining = await leases.remaining();
    for (const { ID, TTL } of state().sessions.table.values()) {
      if (TTL !== '' && !remaining.has(SESSION + ID)) await this.renewSession(ID);
    }
    for (const { Node, Status } of state().members.values()) {
      if (Status !== MEMBER_STATUS.alive || remaining.has(agentLease(Node))) continue;
      await leases.renew(agentLease(Node), DEFAULT_LEASE_MS);
    }
  }

  async #expire(): Promise<void> {
    const expired = await this.#options.leases.expired();
    const sessions = expired.filter((id) => id.startsWith(SESSION));
    if (sessions.length > 0) await this.#expireSessions(sessions);
    const agents = expired.filter((id) => nodeOfLease(id) !== undefined);
    if (agents.length > 0) await this.#failMembers(agents);
  }

  async #expireSessions(leases: readonly string[]): Promise<void> {
    const { state, logger } = this.#options;
    const ids = leases
      .map((lease) => lease.slice(SESSION.length))
      .filter((id) => state().sessions.get(id) !== undefined);
    if (ids.length > 0) {
      logger.info(`leader: sessions were not renewed and end: ${ids.join(' ')}`);
      const { term } = state().leadership;
      if (!(await this.#decide({ type: 'expire-sessions', term, ids }))) return;
    }
    await this.#drop(leases);
  }

  async #failMembers(leases: readonly string[]): Promise<void> {
    const { state, logger } = this.#options;
    const nodes = leases
      .map((lease) => state().members.get(nodeOfLease(lease) ?? ''))
      .filter((known) => known?.Status === MEMBER_STATUS.alive)
      .map((known) => known?.Node ?? '');
    if (nodes.length > 0) {
      logger.warn(`leader: agents do not beat any more: ${nodes.join(' ')}`);
      const { term } = state().leadership;
      if (!(await this.#decide({ type: 'members-failed', term, nodes }))) return;
    }
    await this.#drop(leases);
  }

  async #reap(): Promise<void> {
    const { state, clock, reconnectTimeoutMs, logger } = this.#options;
    const before = clock.now() - reconnectTimeoutMs;
    const nodes = [...state().members.values()]
      .filter(({ Status, since }) => Status !== MEMBER_STATUS.alive && since < before)
      .map(({ Node }) => Node);
    if (nodes.length === 0) return;
    logger.info(`leader: forgets members that went long ago: ${nodes.join(' ')}`);
    await this.#decide({ type: 'reap-members', term: state().leadership.term, nodes });
  }

  /** Whether it was still this server's to decide. */
  async #decide(command: Command): Promise<boolean> {
    return (await this.#options.propose(command)).applied;
  }

  async #drop(leases: readonly string[]): Promise<void> {
    for (const id of leases) await this.#options.leases.drop(id);
  }
}

/** How long the session's lease runs; 0 for one without TTL. */
function ttlOf(state: State, id: string): number {
  const ns = parseDuration(state.sessions.get(id)?.TTL ?? '') ?? 0;
  return (ns / NS_PER_MS) * TTL_GRACE;
}
