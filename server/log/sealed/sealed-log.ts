/** Any event log, sealed: the log inside orders what it cannot read. See README.md. */
import type { LogAccount } from '../../../lib/log-account.ts';
import type { Metric } from '../../../lib/metrics/metric.ts';
import type { Entry } from '../../commands.ts';
import type { EventLog, LogServers, LogSink, LogStatus, Proposal, Snapshot } from '../event-log.ts';
import type { SealedPayloads } from './sealed-payloads.ts';
import { openSnapshot, sealSnapshot } from './sealed-snapshot.ts';

export class SealedLog implements EventLog {
  readonly #log: EventLog;
  readonly #payloads: SealedPayloads;

  /** The log must read by the same payloads. */
  constructor(log: EventLog, payloads: SealedPayloads) {
    this.#log = log;
    this.#payloads = payloads;
  }

  start(sink: LogSink): Promise<void> {
    return this.#log.start(new OpeningSink(sink, this.#payloads));
  }

  get batchesAtOnce(): number | undefined {
    return this.#log.batchesAtOnce;
  }

  append(batch: readonly Proposal[]): Promise<void> {
    return this.#log.append(this.#payloads.seal(batch));
  }

  readIndex(by?: 'log' | 'majority'): number | Promise<number> {
    return this.#log.readIndex(by);
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    const { seals } = this.#payloads;
    return this.#log.saveSnapshot(seals ? sealSnapshot(snapshot, this.#payloads) : snapshot);
  }

  newestSnapshot(): number {
    return this.#log.newestSnapshot();
  }

  status(): LogStatus {
    return this.#log.status();
  }

  servers(): LogServers {
    return this.#log.servers();
  }

  async account(): Promise<LogAccount> {
    return { ...(await this.#log.account()), isSealed: this.#payloads.seals };
  }

  metrics(): readonly Metric[] {
    return this.#log.metrics?.() ?? [];
  }

  stop(): Promise<void> {
    return this.#log.stop();
  }
}

/** Entries come opened by the log's reader; a snapshot comes as it was saved. */
class OpeningSink implements LogSink {
  readonly #sink: LogSink;
  readonly #payloads: SealedPayloads;

  constructor(sink: LogSink, payloads: SealedPayloads) {
    this.#sink = sink;
    this.#payloads = payloads;
  }

  apply(entries: readonly Entry[]): void {
    this.#sink.apply(entries);
  }

  async restore(snapshot?: Snapshot, entries?: AsyncIterable<readonly Entry[]>): Promise<void> {
    const opened = snapshot && (await openSnapshot(snapshot, this.#payloads));
    this.#payloads.restored(opened?.keyring);
    await this.#sink.restore(opened, entries);
  }
}
