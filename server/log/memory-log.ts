/** The log of `-dev` and of specs: all promises of a log but to outlive the process. */
import assert from 'node:assert/strict';
import type { Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { LogAccount } from '../../lib/log-account.ts';
import {
  ALONE,
  type EventLog,
  type LogServers,
  type LogSink,
  type LogStatus,
  type Position,
  type Proposal,
  type Snapshot,
  START,
} from './event-log.ts';
import { LogClock } from './log-clock.ts';
import { nextEntries, positionOf, type WrittenEntry } from './next-entry.ts';
import { type PayloadReader, plainPayloads } from './payload.ts';
import { ProposalIds } from './proposal-ids.ts';

/** What a memory log leaves behind; handed to the next log it is what a disk is to a file log. */
export class MemoryStorage {
  snapshot: { readonly position: Position; readonly lines: readonly string[] } | undefined;
  written: WrittenEntry[] = [];
}

export interface MemoryLogDeps {
  readonly clock: Clock;
  readonly storage?: MemoryStorage;
  readonly payloads?: PayloadReader;
}

/** One process's log in memory. Whoever wants to start anew makes a new one on the same storage. */
export class MemoryLog implements EventLog {
  readonly #clock: LogClock;
  readonly #storage: MemoryStorage;
  readonly #payloads: PayloadReader;
  readonly #ids = new ProposalIds();
  #position = START;
  #sink: LogSink | undefined;

  constructor({ clock, storage = new MemoryStorage(), payloads = plainPayloads }: MemoryLogDeps) {
    this.#clock = new LogClock(clock);
    this.#storage = storage;
    this.#payloads = payloads;
  }

  async start(sink: LogSink): Promise<void> {
    assert.equal(this.#sink, undefined, 'a log is started once');
    const { snapshot, written } = this.#storage;
    if (snapshot !== undefined) {
      await sink.restore(snapshot);
      this.#position = snapshot.position;
    }
    const entries = written.map(({ entry, payload }) => {
      const command = this.#payloads.decode({ ...entry, payload });
      return this.#payloads.admit({ ...entry, command }, payload);
    });
    this.#remember(written);
    if (entries.length > 0) sink.apply(entries);
    this.#sink = sink;
  }

  async append(batch: readonly Proposal[]): Promise<void> {
    const sink = this.#started();
    const end = {
      position: this.#position,
      ids: this.#ids,
      nowMs: this.#clock.after(this.#position.t),
    };
    const written = nextEntries(end, batch);
    if (written.length === 0) return;
    for (const each of written) this.#storage.written.push(each);
    this.#remember(written);
    sink.apply(written.map(({ entry, payload }) => this.#payloads.admit(entry, payload)));
  }

  readIndex(): number | Promise<number> {
    return this.#sink === undefined ? Promise.reject(notStarted()) : this.#position.index;
  }

  async saveSnapshot({ position, lines }: Snapshot): Promise<void> {
    this.#started();
    assert(position.index <= this.#position.index, 'a snapshot of what is not in the log yet');
    const kept: string[] = [];
    for await (const line of lines) kept.push(line);
    this.#started();
    const { snapshot, written } = this.#storage;
    if (snapshot !== undefined && snapshot.position.index >= position.index) return;
    this.#storage.snapshot = { position, lines: kept };
    this.#storage.written = written.filter(({ entry }) => entry.index > position.index);
  }

  newestSnapshot(): number {
    return this.#storage.snapshot?.position.index ?? 0;
  }

  status(): LogStatus {
    return { writable: this.#sink !== undefined, lastContactMs: 0 };
  }

  servers(): LogServers {
    return ALONE;
  }

  async account(): Promise<LogAccount> {
    return { kind: 'memory', isSealed: false, epoch: this.#position.epoch };
  }

  async stop(): Promise<void> {
    this.#sink = undefined;
  }

  #started(): LogSink {
    if (this.#sink !== undefined) return this.#sink;
    throw notStarted();
  }

  #remember(written: readonly WrittenEntry[]): void {
    for (const { entry } of written) {
      this.#ids.add(entry.id);
      this.#position = positionOf(entry);
    }
  }
}

function notStarted(): ProconsulError {
  return new ProconsulError('unavailable', 'the memory log is not started');
}
