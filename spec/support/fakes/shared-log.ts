/** One log of several servers in one process, each of which may be kept behind. */
import type { LogAccount } from '../../../lib/log-account.ts';
import type {
  EventLog,
  LogServers,
  LogSink,
  LogStatus,
  Proposal,
} from '../../../server/log/event-log.ts';
import { ALONE, START } from '../../../server/log/event-log.ts';
import { nextEntries, positionOf, type WrittenEntry } from '../../../server/log/next-entry.ts';
import { ProposalIds } from '../../../server/log/proposal-ids.ts';

export class SharedLog {
  readonly #written: WrittenEntry[] = [];
  readonly #ids = new ProposalIds();
  readonly #members = new Set<SharedLogMember>();
  #position = START;

  /** The log as one more server has it. */
  member(): SharedLogMember {
    const member = new SharedLogMember(this);
    this.#members.add(member);
    return member;
  }

  get index(): number {
    return this.#position.index;
  }

  after(index: number): readonly WrittenEntry[] {
    return this.#written.filter(({ entry }) => entry.index > index);
  }

  write(batch: readonly Proposal[]): void {
    const end = { position: this.#position, ids: this.#ids, nowMs: this.#position.t + 1 };
    for (const each of nextEntries(end, batch)) {
      this.#written.push(each);
      this.#ids.add(each.entry.id);
      this.#position = positionOf(each.entry);
    }
    for (const member of this.#members) if (!member.isBehind) member.follow();
  }
}

export class SharedLogMember implements EventLog {
  /** Whether it hears of nothing but what comes before its own. */
  isBehind = false;
  readonly #log: SharedLog;
  #sink: LogSink | undefined;
  #index = 0;

  constructor(log: SharedLog) {
    this.#log = log;
  }

  async start(sink: LogSink): Promise<void> {
    this.#sink = sink;
    this.follow();
  }

  async append(batch: readonly Proposal[]): Promise<void> {
    this.#log.write(batch);
    this.follow();
  }

  /** Hears of all that there is. */
  follow(): void {
    const entries = this.#log.after(this.#index).map(({ entry }) => entry);
    if (this.#sink === undefined || entries.length === 0) return;
    this.#index = this.#log.index;
    this.#sink.apply(entries);
  }

  readIndex(): number {
    return this.#log.index;
  }

  async saveSnapshot(): Promise<void> {
    // Nobody starts anew.
  }

  newestSnapshot(): number {
    return 0;
  }

  status(): LogStatus {
    return { writable: this.#sink !== undefined, lastContactMs: 0 };
  }

  servers(): LogServers {
    return ALONE;
  }

  async account(): Promise<LogAccount> {
    return { kind: 'memory', isSealed: false, epoch: START.epoch };
  }

  async stop(): Promise<void> {
    this.#sink = undefined;
  }
}
