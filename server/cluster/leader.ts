/**
 * What only one server may do: ending what was not renewed. Who that is, the log decides: a claim
 * names the term that it replaces, so that of several only one succeeds, and the index of its entry
 * is the new term, which fences off what an older leader still proposes.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Command } from '../commands.ts';
import type { Leases } from '../leases.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';

const TICK_MS = 500;
/** A leader that has not been heard of for as long leads no more. */
const LEADER_LEASE_MS = 2000;

const LEADER = 'leader/';

/** What a leader does, and no other. */
export interface Duty {
  /** A new term begins here. */
  begin?(): Promise<void>;
  /** Every half second from then on, while this server leads. */
  tick(): Promise<void>;
  /** Nothing of it goes on. */
  halt?(): Promise<void>;
}

export interface LeaderDeps {
  /** The id of this server. */
  readonly server: string;
  readonly leases: Pick<Leases, 'renew' | 'left'>;
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Leader {
  readonly #deps: LeaderDeps;
  readonly #duties: readonly Duty[];
  #cancel: Cancel = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;
  /** The term in which the duties have begun. */
  #begun: number | undefined;
  /** Whether another state has come since they began. */
  #isRestored = false;
  /** Whether the leader of the log had a lease at the last tick. */
  #leaderLives = false;
  /** How often this server has begun to lead. */
  elected = 0;

  constructor(deps: LeaderDeps, duties: readonly Duty[]) {
    this.#deps = deps;
    this.#duties = duties;
  }

  /** Resolves after the first round: a server that is alone leads then. */
  async start(): Promise<void> {
    await this.#tick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
    for (const duty of this.#duties) await duty.halt?.();
  }

  get isLeader(): boolean {
    return this.#deps.state().leadership.server === this.#deps.server;
  }

  get knowsLeader(): boolean {
    return this.#leaderLives;
  }

  /** Makes another server the leader; false where somebody else became it meanwhile. */
  async handOverTo(server: string): Promise<boolean> {
    const { propose, state, leases, logger } = this.#deps;
    const { term } = state().leadership;
    // Before the entry: the others look for the lease as soon as they see it.
    await leases.renew(LEADER + server, LEADER_LEASE_MS);
    const { applied } = await propose({ type: 'claim-leadership', server, replaces: term });
    if (applied) logger.info(`leader: ${server} is to lead, as an operator wants it`);
    return applied;
  }

  /**
   * Another state stands in the place of the one that the duties began with: what each of them puts
   * there at the beginning of a term may be missing, and its leases. They begin anew with the next round.
   */
  restored(): void {
    this.#isRestored = true;
  }

  #tick(): Promise<void> {
    this.#running = this.#round().then(
      () => this.#again(),
      (error: unknown) => {
        this.#leaderLives = false;
        this.#deps.logger.debug(`leader: ${describeChain(error)}`);
        this.#again();
      },
    );
    return this.#running;
  }

  #again(): void {
    if (this.#stopped) return;
    this.#cancel = this.#deps.clock.after(TICK_MS, () => void this.#tick());
  }

  async #round(): Promise<void> {
    const { leases, state, server } = this.#deps;
    if (!this.isLeader) {
      this.#leaderLives = ((await leases.left(LEADER + state().leadership.server)) ?? 0) > 0;
      if (this.#leaderLives || !(await this.#claim())) return;
    }
    await leases.renew(LEADER + server, LEADER_LEASE_MS);
    this.#leaderLives = true;
    // It leads all the same where a duty fails: a full disk refuses what is to be written.
    await this.#perform(state().leadership.term).catch((error: unknown) => {
      this.#deps.logger.debug(`leader: a duty fails: ${describeChain(error)}`);
    });
  }

  async #perform(term: number): Promise<void> {
    if (this.#begun !== term || this.#isRestored) {
      this.#isRestored = false;
      this.#begun = undefined;
      for (const duty of this.#duties) await duty.begin?.();
      this.#begun = term;
    }
    for (const duty of this.#duties) await duty.tick();
  }

  async #claim(): Promise<boolean> {
    const { propose, server, state, leases } = this.#deps;
    const { term } = state().leadership;
    // Before the claim: the others look for the lease as soon as they see the entry.
    await leases.renew(LEADER + server, LEADER_LEASE_MS);
    const { applied } = await propose({ type: 'claim-leadership', server, replaces: term });
    if (!applied) return false;
    this.elected++;
    return true;
  }
}
