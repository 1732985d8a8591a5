/**
 * What the log hands to the servers, seen from outside: an index is of one entry for ever, whoever is
 * shown it, no proposal stands twice in what one process is told, and none is pending for longer than was promised.
 */
import type { Entry } from '../../server/commands.ts';
import type { EventLog, LogSink } from '../../server/log/event-log.ts';
import { Violations } from './workloads/workload.ts';
import type { Machine } from './world/machine.ts';
import type { World } from './world/world.ts';

interface Timed {
  readonly what: string;
  readonly machine: Machine;
  readonly mostMs: number;
}

export class History {
  readonly #violations: Violations;
  readonly #world: World;
  /** When each server was handed a whole state, last. */
  readonly #restored = new Map<string, number>();
  readonly #seen = new Map<number, string>();

  constructor(world: World) {
    this.#world = world;
    this.#violations = new Violations(world);
  }

  /** Whether a server has had its state replaced since then: whoever waits there is answered with what there is. */
  isRestored(server: string, since: number): boolean {
    return (this.#restored.get(server) ?? Number.NEGATIVE_INFINITY) >= since;
  }

  verdict(): readonly string[] {
    return this.#violations.all;
  }

  /** The same log, under these eyes. The machine's process is shown the entries; each answer takes so long at most. */
  watched(log: EventLog, machine: Machine, mostMs: number): EventLog {
    const timed = <T>(what: string, settling: Promise<T>) =>
      this.#timed(settling, { what, machine, mostMs });
    return {
      start: (sink) => log.start(this.#sink(sink, machine.name)),
      batchesAtOnce: log.batchesAtOnce,
      append: (batch) => timed('append', log.append(batch)),
      readIndex: (by) => {
        const index = log.readIndex(by);
        return typeof index === 'number' ? index : timed('readIndex', index);
      },
      saveSnapshot: (snapshot) => log.saveSnapshot(snapshot),
      newestSnapshot: () => log.newestSnapshot(),
      status: () => log.status(),
      servers: () => log.servers(),
      account: () => log.account(),
      stop: () => log.stop(),
    };
  }

  async #timed<T>(settling: Promise<T>, { what, machine, mostMs }: Timed): Promise<T> {
    const from = this.#world.now;
    try {
      return await settling;
    } finally {
      const tookMs = this.#world.now - from;
      if (tookMs > mostMs && machine.frozenUntil < from) {
        const took = `${machine.name} ${what}: ${tookMs.toFixed(0)} ms`;
        this.#violations.add('the log keeps its server waiting', took);
      }
    }
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
        this.#restored.set(who, this.#world.now);
        return sink.restore(snapshot, entries && looked(entries));
      },
    };
  }

  #judge({ index, hash, id }: Entry, ids: Set<string>, who: string): void {
    const known = this.#seen.get(index);
    if (known !== undefined && known !== hash) {
      this.#violations.add('an index is of two entries', `${index}, as ${who} is shown it`);
    }
    this.#seen.set(index, hash);
    if (ids.has(id)) this.#violations.add('a proposal is in the log twice', `${who} at ${index}`);
    ids.add(id);
  }
}
