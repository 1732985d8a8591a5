/**
 * What the log hands to the servers, seen from outside: an index is of one entry for ever, whoever is
 * shown it, and no proposal stands twice in what one process is told.
 */
import type { Entry } from '../../server/commands.ts';
import type { EventLog, LogSink } from '../../server/log/event-log.ts';
import { Violations } from './workloads/workload.ts';
import type { World } from './world/world.ts';

export class History {
  readonly #violations: Violations;
  readonly #world: World;
  #hasForgotten = false;
  /** When the first new entry was shown after that. */
  #firstSince: number | undefined;
  readonly #seen = new Map<number, { readonly hash: string; readonly at: number }>();

  constructor(world: World) {
    this.#world = world;
    this.#violations = new Violations(world);
  }

  /**
   * Nobody remembers the last so many milliseconds. Where that is all since the time before that nobody did,
   * the epoch in between is known to nobody, and its indexes may come again.
   */
  forget(ms: number): void {
    const since = this.#world.now - ms;
    const isEpochLost = this.#firstSince !== undefined && this.#firstSince >= since;
    for (const [index, { at }] of this.#seen) {
      if (isEpochLost && at >= since) this.#seen.delete(index);
    }
    this.#hasForgotten = true;
    this.#firstSince = undefined;
  }

  verdict(): readonly string[] {
    return this.#violations.all;
  }

  /** The same log, under these eyes. `who` is shown the entries. */
  watched(log: EventLog, who: string): EventLog {
    return {
      start: (sink) => log.start(this.#sink(sink, who)),
      append: (batch) => log.append(batch),
      readIndex: (by) => log.readIndex(by),
      saveSnapshot: (snapshot) => log.saveSnapshot(snapshot),
      status: () => log.status(),
      servers: () => log.servers(),
      stop: () => log.stop(),
    };
  }

  #sink(sink: LogSink, who: string): LogSink {
    let ids = new Set<string>();
    const look = (entries: readonly Entry[]) => {
      for (const entry of entries) this.#judge(entry, ids, who);
    };
    async function* looked(batches: AsyncIterable<readonly Entry[]>) {
      for await (const entries of batches) {
        look(entries);
        yield entries;
      }
    }
    return {
      apply: (entries) => {
        look(entries);
        sink.apply(entries);
      },
      restore: (snapshot, entries) => {
        // Another history, or what is known already: both are told from where it begins.
        ids = new Set();
        return sink.restore(snapshot, entries && looked(entries));
      },
    };
  }

  #judge({ index, hash, id }: Entry, ids: Set<string>, who: string): void {
    const known = this.#seen.get(index);
    if (known !== undefined && known.hash !== hash) {
      this.#violations.add('an index is of two entries', `${index}, as ${who} is shown it`);
    }
    const at = this.#world.now;
    if (known?.hash !== hash) this.#seen.set(index, { hash, at });
    if (known === undefined && this.#hasForgotten) this.#firstSince ??= at;
    if (ids.has(id)) this.#violations.add('a proposal is in the log twice', `${who} at ${index}`);
    ids.add(id);
  }
}
