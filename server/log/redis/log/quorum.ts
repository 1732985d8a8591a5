/**
 * When a write counts: `redis`, when this server has applied what Redis has; `quorum`, when a
 * majority of the servers has. No failover of Redis loses the latter: a new epoch needs a majority too,
 * so one server takes part in both and holds the entry.
 */
import { byDeadline, type Clock, pause } from '../../../../lib/clock.ts';
import type { IndexGate } from '../../index-gate.ts';
import type { CommitPolicy } from '../link/options.ts';
import type { CheckIn, EpochLink, Report } from '../records/check-in.ts';
import { majorityOf } from '../repair/epoch-plan.ts';
import type { Written } from './append.ts';
import type { Told } from './read-index.ts';

/** The others apply within a millisecond or two; each look costs Redis some 20 µs. */
const POLL_MS = 2;
/** A server says many times a second that it is here. */
export const HERE_MS = 10_000;

export interface QuorumDeps {
  readonly policy: CommitPolicy;
  /** How many servers there are to be. */
  readonly servers: number;
  readonly checkIn: CheckIn;
  readonly clock: Clock;
  readonly applied: IndexGate;
  /** The hash of an index in this server's history; undefined when not known. */
  readonly hashAt: (index: number) => string | undefined;
}

export class Quorum {
  readonly #deps: QuorumDeps;
  #index = 0;
  #reporting = false;
  /** Where there is news of this server that it has not begun to say. */
  #due: EpochLink | undefined;

  constructor(deps: QuorumDeps) {
    this.#deps = deps;
  }

  /**
   * False when the link or the time ends before the entry is committed. A Redis that lost it may
   * begin another epoch while this link still reads: then something else comes at its index.
   */
  readonly committed = async (
    epochLink: EpochLink,
    { index, hash }: Written,
    deadline: number,
  ): Promise<boolean> => {
    const { applied, hashAt } = this.#deps;
    if (!(await applied.wait(index, deadline, epochLink.link.signal))) return false;
    if (hashAt(index) !== hash) return false;
    return await this.#agree(epochLink, deadline, (report) => report.applied >= index);
  };

  /**
   * Whether a majority knew of the round when they said that they use this Redis: no other one
   * had begun a later epoch before that round. And has applied the index: or a later epoch may begin
   * without what was read.
   */
  readonly confirmed = async (
    epochLink: EpochLink,
    { round, index }: Told,
    deadline: number,
  ): Promise<boolean> => {
    this.#deps.checkIn.heard(epochLink, round);
    return await this.#agree(epochLink, deadline, (report) => {
      return report.round >= round && report.applied >= index;
    });
  };

  /** Lets the others know how far this server is, and of which round it has heard; one message under way at a time. */
  report(epochLink: EpochLink, index: number): void {
    this.#index = index;
    if (!this.#votes || epochLink.link.closed) return;
    this.#due = epochLink;
    if (!this.#reporting) void this.#sayAll();
  }

  /** The same, of a round that this server has heard of. */
  heard(epochLink: EpochLink): void {
    this.report(epochLink, this.#index);
  }

  /** It is over in the very moment in which nothing is left to say: what comes up then is said by the next. */
  async #sayAll(): Promise<void> {
    this.#reporting = true;
    for (let epochLink = this.#due; epochLink !== undefined; epochLink = this.#due) {
      this.#due = undefined;
      const { link } = epochLink;
      if (link.closed) continue;
      await this.#deps.checkIn.report(epochLink, this.#index).catch(() => link.close());
    }
    this.#reporting = false;
  }

  async #agree(
    epochLink: EpochLink,
    deadline: number,
    agrees: (report: Report) => boolean,
  ): Promise<boolean> {
    if (!this.#votes) return true;
    const { clock, checkIn } = this.#deps;
    while (clock.monotonic() < deadline && !epochLink.link.closed) {
      const asked = checkIn.report(epochLink, this.#index).catch(() => []);
      const reports = await byDeadline(clock, deadline, asked);
      if (reports === 'late') return false;
      if (reports.filter(agrees).length >= this.needed(countHere(reports))) return true;
      await pause(clock, POLL_MS, epochLink.link.signal);
    }
    return false;
  }

  /**
   * How many servers must live for a write to be acknowledged. Where more are here than were
   * announced, their majority is the larger one.
   */
  needed(here: number): number {
    return this.#votes ? majorityOf(Math.max(this.#deps.servers, here)) : 1;
  }

  get #votes(): boolean {
    return this.#deps.policy === 'quorum';
  }
}

function countHere(reports: readonly Report[]): number {
  const last = Math.max(0, ...reports.map(({ seen }) => seen));
  return reports.filter(({ seen }) => seen >= last - HERE_MS).length;
}
