/**
 * Passes clients' reads on to servers and the answers back, byte for byte as they come. What does not go
 * well (no server that answered the last time, no place, an answer of another kind) is not its affair:
 * a read may be asked again, and the long way knows what to do.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import { Sample } from '../../lib/metrics/sample.ts';
import { Line, type Taker } from './line.ts';
import type { Place, Places } from './places.ts';
import type { Reach } from './reach.ts';
import type { ServerList } from './server-list.ts';

/** A server that falls silent in the middle of an answer does not go on with it. */
const SILENT_MS = 5000;
/** So long a client may read nothing of an answer that is there: it keeps a place that others need. */
const SLOW_MS = 60_000;
/** An idle line is closed long before the server closes it under a request. */
const IDLE_MS = 60_000;
const LOOK_MS = 1000;
/** What stands in between may stay there; a server that says with an answer that it ends comes back. */
const STRANGE_MS = 30_000;

export interface RelayOptions {
  readonly servers: ServerList;
  readonly reach: Reach;
  readonly places: Places;
  readonly clock: Clock;
}

export interface Relayed extends Place {
  /** By which the ring chooses the server. */
  readonly key: string;
  /** So long the server may take to begin. */
  readonly beginMs: number;
  /** Asked last, of what nothing else stands against: it is counted. */
  readonly admits?: () => boolean;
  /** As the server is to see it. */
  readonly request: (server: ServerInfo) => Buffer;
}

/** What is under way. */
export interface Relaying {
  /** The client takes more again. */
  resume(): void;
  /** Nobody wants the answer any more; nothing is heard of it but that it is dropped. */
  cancel(): void;
}

export class Relay {
  readonly #options: RelayOptions;
  /** By where the server is; what was used last is the last. */
  readonly #idle = new Map<string, Line[]>();
  readonly #underWay = new Set<Line>();
  /** Where answers came otherwise than a line knows them, and until when it is not tried again. */
  readonly #strange = new Map<string, number>();
  #watch: Cancel | undefined;
  asked = 0;
  /** Until a server began to answer. */
  readonly took = new Sample();

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Undefined where it is to go the long way; so it is when it breaks before `taker` was told to take. */
  begin(relayed: Relayed, taker: Taker): Relaying | undefined {
    const { servers, places, clock } = this.#options;
    const server = servers.first(relayed.key);
    if (server === undefined || this.#isStrange(server)) return undefined;
    if (!places.isFree(relayed) || relayed.admits?.() === false) return undefined;
    const line = this.#lineTo(server);
    const leave = places.take(relayed);
    const from = clock.monotonic();
    let isOver = false;
    const over = () => {
      isOver = true;
      this.#underWay.delete(line);
      leave();
    };
    this.asked++;
    this.#underWay.add(line);
    this.#watchOver();
    line.ask(relayed.request(server), relayed.beginMs, {
      wants: (head) => {
        this.took.observe(clock.monotonic() - from);
        return taker.wants(head);
      },
      takes: (bytes) => taker.takes(bytes),
      ends: () => {
        over();
        taker.ends();
      },
      breaks: () => {
        if (isOver) return;
        over();
        taker.breaks();
      },
    });
    return {
      resume: () => {
        if (!isOver) line.resume();
      },
      cancel: () => {
        if (isOver) return;
        over();
        line.close();
        taker.drops();
      },
    };
  }

  /** Ends what is under way to a server, or to all of them. */
  breakOff(serverId?: string): void {
    for (const line of this.#underWay) {
      if (serverId === undefined || line.server.ID === serverId) line.close();
    }
  }

  /** What is under way breaks off, and nothing stays open. */
  stop(): void {
    this.#watch?.();
    this.breakOff();
    for (const lines of [...this.#idle.values()]) for (const line of [...lines]) line.close();
  }

  #lineTo(server: ServerInfo): Line {
    const { reach } = this.#options;
    const { side } = reach;
    const idle = this.#idle.get(server.Url) ?? [];
    for (let line = idle.pop(); line !== undefined; line = idle.pop()) {
      // After a reload TLS may be spoken otherwise.
      if (line.side === side) return line;
      line.close();
    }
    return new Line({
      socket: reach.connect(server),
      server,
      side,
      onFree: (line) => this.#keep(line),
      onClosed: (line) => this.#forget(line),
    });
  }

  #isStrange({ Url }: ServerInfo): boolean {
    const until = this.#strange.get(Url);
    if (until === undefined) return false;
    if (this.#options.clock.monotonic() < until) return true;
    this.#strange.delete(Url);
    return false;
  }

  #keep(line: Line): void {
    line.quietMs = 0;
    const idle = this.#idle.get(line.server.Url);
    if (idle === undefined) this.#idle.set(line.server.Url, [line]);
    else idle.push(line);
  }

  #forget(line: Line): void {
    const { clock } = this.#options;
    if (line.isStrange) this.#strange.set(line.server.Url, clock.monotonic() + STRANGE_MS);
    const idle = this.#idle.get(line.server.Url);
    const at = idle?.indexOf(line) ?? -1;
    if (idle === undefined || at < 0) return;
    idle.splice(at, 1);
    if (idle.length === 0) this.#idle.delete(line.server.Url);
  }

  /** One timer for all, while there is anything to be looked at. */
  #watchOver(): void {
    this.#watch ??= this.#options.clock.after(LOOK_MS, () => {
      this.#watch = undefined;
      for (const line of [...this.#underWay]) this.#look(line);
      for (const lines of [...this.#idle.values()]) {
        for (const line of [...lines]) {
          line.quietMs += LOOK_MS;
          if (line.quietMs >= IDLE_MS) line.close();
        }
      }
      if (this.#underWay.size > 0 || this.#idle.size > 0) this.#watchOver();
    });
  }

  #look(line: Line): void {
    line.quietMs += LOOK_MS;
    const inTime = line.hasBegun ? SILENT_MS : line.beginMs;
    if (line.quietMs < (line.isPaused ? SLOW_MS : inTime)) return;
    // One that does not even begin is as good as gone.
    if (!line.hasBegun) this.#options.servers.breaker.failed(line.server.ID);
    line.close();
  }
}
