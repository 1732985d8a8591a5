/**
 * Where this agent stands in the network, by the round trips of its beats. Those go to a server of its own; now and
 * then two of them go to another, for one distance alone says nothing of the direction. Nothing is sent for it that
 * would not be sent anyway.
 */
import type { Clock } from '../../lib/clock.ts';
import type { Coordinate } from '../../lib/model.ts';
import type { PlaceAnswered, PlaceTold } from '../../lib/place.ts';
import type { Random } from '../../lib/random.ts';
import { Vivaldi } from '../../lib/vivaldi.ts';
import type { ServerList } from './server-list.ts';

/** Of the last round trips to a server the least counts: the others waited for a processor. */
const TRIPS = 4;
/** Beats from one visit to the next, until each server was heard of so often; and from then on. */
const VISITS_AFTER = 6;
const HEARD = 8;
const VISITS_LATER = 20;
/** One visit of so many may go to a server that gave no answer the last time: nothing else may ever ask it. */
const FAILING_EACH = 4;
/** Keys that are tried until one leads to the server that is meant. */
const KEYS = 64;

export interface OwnPlaceOptions {
  readonly servers: Pick<ServerList, 'all' | 'placed' | 'first' | 'breaker'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: Pick<Random, 'next'>;
}

interface Trips {
  readonly last: number[];
  count: number;
  /** Where the server stood, as it said last. */
  at: Coordinate;
}

export class OwnPlace {
  readonly #options: OwnPlaceOptions;
  readonly #vivaldi: Vivaldi;
  /** By server. */
  readonly #trips = new Map<string, Trips>();
  /** The second beat of a visit: for the first a connection may have to be opened, and it measures nothing. */
  #again: string | undefined;
  #nextVisit: number | undefined;
  #visits = 0;

  constructor(options: OwnPlaceOptions) {
    this.#options = options;
    this.#vivaldi = new Vivaldi(options.random);
  }

  get coordinate(): Coordinate {
    return this.#vivaldi.coordinate;
  }

  /** By which the server of the next beat is chosen; `own`: by which it is, mostly. */
  keyOf(own: string, everyMs: number): string {
    const again = this.#again;
    this.#again = undefined;
    if (again !== undefined && this.#options.servers.first(again) !== undefined) return again;
    const now = this.#options.clock.monotonic();
    this.#nextVisit ??= now + VISITS_AFTER * everyMs;
    // Servers of before there were coordinates say nothing by which to move.
    if (now < this.#nextVisit || this.#trips.size === 0) return own;
    this.#nextVisit = now + (this.#isSettled ? VISITS_LATER : VISITS_AFTER) * everyMs;
    this.#again = this.#keyElsewhere(own);
    return this.#again ?? own;
  }

  /** What goes with a beat that this key leads. */
  told(key: string): PlaceTold {
    const [server] = this.#options.servers.placed(key);
    const trips = server && this.#trips.get(server.ID);
    return {
      Coord: this.coordinate,
      Server: server?.ID ?? '',
      Seconds: trips === undefined ? 0 : Math.min(...trips.last),
    };
  }

  /** The server of this id has answered after so long. */
  heard({ Server, Coord, TookMs }: PlaceAnswered, ms: number): void {
    const seconds = (ms - TookMs) / 1000;
    if (!(seconds > 0)) return;
    const known = new Set(this.#options.servers.all.map(({ ID }) => ID));
    for (const id of this.#trips.keys()) if (!known.has(id)) this.#trips.delete(id);
    if (!known.has(Server)) return;
    const trips = this.#trips.get(Server) ?? { last: [], count: 0, at: Coord };
    // Behind the others: what is new is heeded last.
    this.#trips.delete(Server);
    this.#trips.set(Server, trips);
    trips.last[trips.count++ % TRIPS] = seconds;
    trips.at = Coord;
    // Others are heard now and then: by its own alone it would go round that, and find its place within an hour.
    for (const { at, last } of this.#trips.values()) this.#vivaldi.observe(at, Math.min(...last));
  }

  get #isSettled(): boolean {
    return this.#options.servers.all.every(({ ID }) => (this.#trips.get(ID)?.count ?? 0) >= HEARD);
  }

  /** To the server that was heard of least of those that answer; undefined where there is no other. */
  #keyElsewhere(own: string): string | undefined {
    const { servers, random } = this.#options;
    const home = servers.placed(own)[0]?.ID;
    const mayFail = ++this.#visits % FAILING_EACH === 0;
    const [other] = servers.all
      .filter(({ ID }) => ID !== home && (mayFail || !servers.breaker.isFailing(ID)))
      .sort((a, b) => this.#countOf(a.ID) - this.#countOf(b.ID));
    if (other === undefined) return undefined;
    for (let i = 0; i < KEYS; i++) {
      const key = `place:${random.next()}`;
      if (servers.placed(key)[0]?.ID === other.ID) return key;
    }
    return undefined;
  }

  #countOf(id: string): number {
    return this.#trips.get(id)?.count ?? 0;
  }
}
