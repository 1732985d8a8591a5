/** The servers that an agent knows, and in which order it turns to them for a key. */
import type { Clock } from '../../lib/clock.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import { gauge, type Metric, type Reading } from '../../lib/metrics/metric.ts';
import type { Random } from '../../lib/random.ts';
import { Ring } from '../../lib/ring.ts';
import { Breaker } from './breaker.ts';

export class ServerList {
  readonly breaker: Breaker;
  readonly #ring = new Ring();
  readonly #servers = new Map<string, ServerInfo>();
  readonly #gone = new Set<(id: string) => void>();

  constructor(clock: Clock, random: Random) {
    this.breaker = new Breaker(clock, random);
  }

  get all(): readonly ServerInfo[] {
    return [...this.#servers.values()];
  }

  get size(): number {
    return this.#servers.size;
  }

  /** What a server says of the cluster counts; an answer without any says nothing. */
  replace(servers: readonly ServerInfo[]): void {
    if (servers.length === 0) return;
    const ids = new Set(servers.map(({ ID }) => ID));
    const urls = new Set(servers.map(({ Url }) => Url));
    for (const { ID, Url } of this.all) {
      if (ids.has(ID)) continue;
      this.#remove(ID);
      // One that lost its disk has another id, and is where it was.
      if (!urls.has(Url)) for (const listener of this.#gone) listener(ID);
    }
    this.add(servers);
  }

  add(servers: readonly ServerInfo[]): this {
    for (const server of servers) {
      this.#servers.set(server.ID, server);
      this.#ring.add(server.ID);
    }
    return this;
  }

  /**
   * The one that the key belongs to, then those to turn to next. Servers that failed of late come
   * last: when all did, they are still worth a try.
   */
  inOrder(key: string): readonly ServerInfo[] {
    const ready: ServerInfo[] = [];
    const paused: ServerInfo[] = [];
    for (const id of this.#ring.successors(key)) {
      const server = this.#servers.get(id);
      if (server === undefined) continue;
      // Whether a pause is over is asked of those alone whose turn it would be.
      if (ready.length === 0 && this.breaker.isOpen(id)) paused.push(server);
      else ready.push(server);
    }
    return [...ready, ...paused];
  }

  /** The one that the key belongs to, unless it gave no answer the last time. */
  first(key: string): ServerInfo | undefined {
    const [id] = this.#ring.successors(key);
    if (id === undefined || this.breaker.isFailing(id)) return undefined;
    return this.#servers.get(id);
  }

  /** Where the key goes as long as all servers answer, and where it goes from there. */
  placed(key: string): readonly ServerInfo[] {
    return this.#ring.successors(key).flatMap((id) => this.#servers.get(id) ?? []);
  }

  shares(): ReadonlyMap<string, number> {
    return this.#ring.shares();
  }

  metrics(): readonly Metric[] {
    const share = (): readonly Reading[] =>
      [...this.shares()].map(([id, value]) => ({
        labels: { server: this.#servers.get(id)?.Node ?? id },
        value,
      }));
    const failing = () => this.all.filter(({ ID }) => this.breaker.isFailing(ID)).length;
    return [
      gauge('members.servers', 'servers that this agent knows', () => this.size),
      gauge('proconsul.servers.failing', 'servers that gave no answer the last time', failing),
      gauge('proconsul.ring.share', 'which part of all keys goes to each server', share),
    ];
  }

  /** Calls `listener` with the id of each server that the others say is no more. */
  onGone(listener: (id: string) => void): void {
    this.#gone.add(listener);
  }

  #remove(id: string): void {
    this.#servers.delete(id);
    this.#ring.remove(id);
    this.breaker.forget(id);
  }
}
