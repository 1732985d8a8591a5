import { noLeader } from '../../../lib/errors.ts';
import type { LogAccount } from '../../../lib/log-account.ts';
import type {
  EventLog,
  LogServers,
  LogSink,
  LogStatus,
  Proposal,
  Snapshot,
} from '../../../server/log/event-log.ts';

interface Held {
  readonly promise: Promise<number>;
  readonly refuse: () => void;
  readonly answer: (index: number | Promise<number>) => void;
}

/** A log whose readIndex a spec can keep waiting, and then refuse or answer: Redis is away. */
export class HeldLog implements EventLog {
  readonly #log: EventLog;
  #held: Held | undefined;
  /** How many reads wait, or have waited, since it was held. */
  waiting = 0;

  constructor(log: EventLog) {
    this.#log = log;
  }

  hold(): void {
    let refuse = () => {};
    let answer = (_: number | Promise<number>) => {};
    const promise = new Promise<number>((resolve, reject) => {
      answer = resolve;
      refuse = () => reject(noLeader());
    });
    promise.catch(() => undefined);
    this.#held = { promise, refuse, answer };
  }

  /** Holds no others back from now on; the function that it gives back lets those go on that wait. */
  pass(): () => void {
    const held = this.#held;
    this.#held = undefined;
    return () => held?.answer(this.#log.readIndex());
  }

  refuse(): void {
    this.#held?.refuse();
    this.#held = undefined;
  }

  readIndex(): number | Promise<number> {
    if (this.#held === undefined) return this.#log.readIndex();
    this.waiting++;
    return this.#held.promise;
  }

  start(sink: LogSink): Promise<void> {
    return this.#log.start(sink);
  }

  append(batch: readonly Proposal[]): Promise<void> {
    return this.#log.append(batch);
  }

  saveSnapshot(snapshot: Snapshot): Promise<void> {
    return this.#log.saveSnapshot(snapshot);
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

  account(): Promise<LogAccount> {
    return this.#log.account();
  }

  stop(): Promise<void> {
    return this.#log.stop();
  }
}
