/**
 * When a write counts: `redis`, when this server has applied what Redis has; `quorum`, when a
 * majority of the servers has. No failover of Redis loses the latter: a seal needs a majority too,
 * so one server takes part in both and holds the entry.
 */
import { byDeadline, type Clock, pause } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { IndexGate } from '../../index-gate.ts';
import type { Keys } from '../link/keys.ts';
import type { CommitPolicy } from '../link/options.ts';
import { type CheckIn, REPORT } from '../records/check-in.ts';
import { dailyKeys } from '../records/scripts.ts';
import { majorityOf } from '../repair/seal-plan.ts';
import type { Written } from './append.ts';
import type { Live } from './live.ts';

/** The others apply within a millisecond or two; each look costs Redis some 20 µs. */
const POLL_MS = 2;
/** A server says many times a second that it is here. */
const HERE_MS = 10_000;

export interface QuorumDeps {
  readonly policy: CommitPolicy;
  /** How many servers there are to be. */
  readonly servers: number;
  readonly checkIn: CheckIn;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly applied: IndexGate;
  /** The hash of an index in this server's history; undefined when not known. */
  readonly hashAt: (index: number) => string | undefined;
}

export class Quorum {
  readonly #deps: QuorumDeps;
  #index = 0;
  #reporting = false;

  constructor(deps: QuorumDeps) {
    this.#deps = deps;
  }

  /**
   * False when the session or the time ends before the entry is committed. A Redis that lost it may
   * be sealed anew while this session still reads: then something else comes at its index.
   */
  readonly committed = async (
    live: Live,
    { index, hash }: Written,
    deadline: number,
  ): Promise<boolean> => {
    const { applied, hashAt } = this.#deps;
    if (!(await applied.wait(index, deadline, live.session.signal))) return false;
    if (hashAt(index) !== hash) return false;
    return await this.#agree(live, deadline, (report) => report.applied >= index);
  };

  /**
   * Whether a majority knew of the round when they said that they use this Redis: no other one was
   * sealed before it began.
   */
  readonly confirmed = async (live: Live, round: number, deadline: number): Promise<boolean> =>
    await this.#agree(live, deadline, (report) => report.round >= round);

  /** Lets the others know how far this server is; one message under way at a time. */
  report(live: Live, index: number): void {
    this.#index = index;
    if (!this.#votes || this.#reporting) return;
    this.#reporting = true;
    const send = async () => {
      for (let sent = -1; sent < this.#index && !live.session.closed; ) {
        sent = this.#index;
        await this.#exchange(live);
      }
    };
    send()
      .catch(() => live.session.close())
      .finally(() => {
        this.#reporting = false;
      });
  }

  async #agree(
    live: Live,
    deadline: number,
    agrees: (report: Report) => boolean,
  ): Promise<boolean> {
    if (!this.#votes) return true;
    const { clock } = this.#deps;
    while (clock.monotonic() < deadline && !live.session.closed) {
      const asked = this.#exchange(live).catch(() => []);
      const reports = await byDeadline(clock, deadline, asked);
      if (reports === 'late') return false;
      if (reports.filter(agrees).length >= this.#needed(reports)) return true;
      await pause(clock, POLL_MS, live.session.signal);
    }
    return false;
  }

  get #votes(): boolean {
    return this.#deps.policy === 'quorum';
  }

  /** Where there are more servers than were announced, their majority is the larger one. */
  #needed(reports: readonly Report[]): number {
    const last = Math.max(0, ...reports.map(({ seen }) => seen));
    const here = reports.filter(({ seen }) => seen >= last - HERE_MS);
    return majorityOf(Math.max(this.#deps.servers, here.length));
  }

  async #exchange(live: Live): Promise<Report[]> {
    const { keys, checkIn } = this.#deps;
    const args = checkIn.argsOf(live, this.#index);
    const reply = await live.session.commands.run(REPORT, dailyKeys(keys), args);
    const [answer, round, flat = []] = reply as [string, string?, string[]?];
    if (answer !== 'OK') throw new ProconsulError('unavailable', 'Redis is to be sealed');
    checkIn.heard(live, Number(round));
    return parseReports(flat);
  }
}

interface Report {
  /** By Redis's clock. */
  readonly seen: number;
  readonly applied: number;
  /** The newest that it had heard of. */
  readonly round: number;
}

function parseReports(flat: readonly string[]): Report[] {
  const reports: Report[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const [seen, applied, round] = flat.slice(i, i + 3).map(Number);
    reports.push({ seen: seen ?? 0, applied: applied ?? 0, round: round ?? 0 });
  }
  return reports;
}
