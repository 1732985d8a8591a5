/**
 * The one port to the state for whoever answers others: HTTP, DNS, events. A server that has not
 * seen its whole log yet hands out no state at all, so that nobody can say "there is none" of what
 * was only not read yet.
 */
import type { Clock } from '../lib/clock.ts';
import { noLeader, ProconsulError } from '../lib/errors.ts';
import type { EventLog } from './log/event-log.ts';
import type { IndexGate } from './log/index-gate.ts';
import type { State } from './state/state.ts';

export type Consistency = 'leader' | 'stale' | 'consistent';

/** What a read asks for. What it gets, Readiness says. */
export interface Demand {
  readonly consistency: Consistency;
  /** Where stale will do: so old may be what this server knows. */
  readonly maxStaleMs: number;
}

/** As long as Consul's servers hold a read back while there is no leader. */
const READ_BUDGET_MS = 7000;

const NOTHING = { seenIndex: 0, waitMs: 0 };

export interface ReadinessDeps {
  readonly log: Pick<EventLog, 'readIndex' | 'status'>;
  readonly applied: IndexGate;
  readonly state: () => State;
  readonly knowsLeader: () => boolean;
  readonly clock: Clock;
}

export class Readiness {
  readonly #deps: ReadinessDeps;
  #begun = false;

  constructor(deps: ReadinessDeps) {
    this.#deps = deps;
  }

  /** The state was brought up to the end of the log once. */
  begin(): void {
    this.#begun = true;
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** Throws 'unavailable' before the log was read. It is replaced by a restore: don't keep it. */
  readonly state = (): State => {
    if (!this.#begun) throw noLeader();
    return this.#deps.state();
  };

  /** How a read is to be answered now: stale will not do where it would be older than it may be. */
  consistency({ consistency, maxStaleMs }: Demand): Consistency {
    const isTooOld = consistency === 'stale' && this.ageMs('stale') > maxStaleMs;
    return isTooOld ? 'leader' : consistency;
  }

  /**
   * What `evaluate` comes to, or throws, by a state that is as new as a read of this kind wants it, once that may be
   * told; at once where it may be. It is called again where nobody can confirm what it came to. Rejects 'unavailable'
   * when that cannot be known within some seconds. `seen` is what the client saw last, here or elsewhere, and how long
   * it waits: a stale read too takes it back in time only where this server does not get as far meanwhile.
   */
  read<T>(
    consistency: Consistency,
    evaluate: () => T | Promise<T>,
    seen = NOTHING,
  ): T | Promise<T> {
    if (this.isAgreed(consistency)) return this.#agreed(evaluate);
    const ready = this.#ready(consistency, seen);
    return ready === undefined ? evaluate() : ready.then(evaluate);
  }

  /** Whether it may be told only once a majority has agreed to what it came to. */
  isAgreed(consistency: Consistency): boolean {
    return consistency === 'consistent' && this.#deps.log.status().epoch !== undefined;
  }

  /** As `read`, of what is not of one moment alone: it may be newer than what was agreed on. */
  ready(consistency: 'leader' | 'stale', seen = NOTHING): Promise<void> | undefined {
    return this.#ready(consistency, seen);
  }

  /**
   * Who is parted from the others with Redis's old master applies what they never will. So what is told was first
   * evaluated, no older than the log was by then, and then a majority said that it goes on from there: after what this
   * server has applied, in the epoch in which that was.
   */
  async #agreed<T>(evaluate: () => T | Promise<T>): Promise<T> {
    const { log, clock, state } = this.#deps;
    const deadline = clock.monotonic() + READ_BUDGET_MS;
    do {
      const { epoch } = log.status();
      await this.#ready('leader', NOTHING);
      const tell = await outcomeOf(evaluate);
      const { position } = state();
      const agreed = await log.readIndex('majority');
      if (agreed >= position && log.status().epoch === epoch) return tell();
    } while (clock.monotonic() < deadline);
    throw noLeader();
  }

  #ready(consistency: Consistency, seen: typeof NOTHING): Promise<void> | undefined {
    if (!this.#begun) return Promise.reject(noLeader());
    const { log, clock, applied } = this.#deps;
    const now = clock.monotonic();
    if (consistency === 'stale') {
      if (seen.seenIndex <= applied.index) return undefined;
      const until = now + Math.min(seen.waitMs, READ_BUDGET_MS);
      return applied.wait(seen.seenIndex, until).then(() => undefined);
    }
    const deadline = now + READ_BUDGET_MS;
    if (!log.status().writable) return Promise.reject(noLeader());
    const index = log.readIndex(consistency === 'consistent' ? 'majority' : 'log');
    if (typeof index !== 'number') return index.then((read) => this.#reached(read, deadline));
    return index <= applied.index ? undefined : this.#reached(index, deadline);
  }

  /** Resolves once what was acknowledged by now is here too; with false where nobody can say whether it is. */
  async caughtUp(): Promise<boolean> {
    try {
      await this.ready('leader');
      return true;
    } catch (error) {
      if (error instanceof ProconsulError && error.code === 'unavailable') return false;
      throw error;
    }
  }

  get knownLeader(): boolean {
    return this.#deps.log.status().writable && this.#deps.knowsLeader();
  }

  /**
   * How old an answer may be, in whole milliseconds: a read that is not stale was confirmed just now, whenever
   * the log was last known to be read to its end.
   */
  ageMs(consistency: Consistency): number {
    return consistency === 'stale' ? Math.round(this.#deps.log.status().lastContactMs) : 0;
  }

  async #reached(index: number, deadline: number): Promise<void> {
    if (!(await this.#deps.applied.wait(index, deadline))) throw noLeader();
  }
}

/** Gives or throws what a function has come to: that nothing is there is as much an answer as what is there. */
async function outcomeOf<T>(evaluate: () => T | Promise<T>): Promise<() => T> {
  try {
    const value = await evaluate();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
