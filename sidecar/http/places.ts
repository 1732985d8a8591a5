/** How many connections there are to all hosts of an upstream, and who waits for one. */
import type { Circuit } from '../../lib/balance/circuit.ts';
import { ProconsulError } from '../../lib/errors.ts';

interface Waiting<C> {
  readonly isWanted: () => boolean;
  readonly has: (connection: C | Promise<C>) => void;
  readonly give: () => void;
}

/** Of one upstream. */
export class Places {
  readonly #circuit: Circuit;
  /** Hosts for whose connections somebody waits, the one that waits longest first. */
  readonly #waiting = new Set<Leases<unknown>>();

  constructor(circuit: Circuit) {
    this.#circuit = circuit;
  }

  /** What gives it back; undefined where there is none, and one may wait. */
  connection(): (() => void) | undefined {
    return this.#circuit.hasRoom('connections') ? this.#circuit.take('connections') : undefined;
  }

  get hasRoomToWait(): boolean {
    return this.#circuit.hasRoom('pending');
  }

  /** What ends the waiting; undefined where there is no room for it. */
  wait(): (() => void) | undefined {
    return this.#circuit.take('pending');
  }

  waits(leases: Leases<unknown>): void {
    this.#waiting.add(leases);
  }

  forget(leases: Leases<unknown>): void {
    this.#waiting.delete(leases);
  }

  /** A connection has closed: another may be opened. */
  freed(): void {
    for (const leases of [...this.#waiting]) leases.look();
  }
}

export interface LeaseWays<C> {
  /** One that can take a request now. */
  readonly found: () => C | undefined;
  /** Another. It is told of by `gone` when it is not there any more; rejects where there is none. */
  readonly open: () => Promise<C>;
}

/** Of one host. A host has one connection in any case: else it could never be called while others have them all. */
export class Leases<C> {
  readonly #places: Places;
  readonly #ways: LeaseWays<C>;
  readonly #waiting: Waiting<C>[] = [];
  /** What gives the place of each back: any of them is as good as another. */
  readonly #taken: (() => void)[] = [];
  #open = 0;

  constructor(places: Places, ways: LeaseWays<C>) {
    this.#places = places;
    this.#ways = ways;
  }

  lease(isWanted: () => boolean): C | Promise<C> {
    return this.#ways.found() ?? this.#opened() ?? this.#waits(isWanted);
  }

  /** One of them can take a request again, or another may be opened. */
  look(): void {
    if (this.#waiting.length === 0) return;
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const found = first.isWanted() ? (this.#ways.found() ?? this.#opened()) : undefined;
      if (found === undefined && first.isWanted()) return;
      this.#waiting.shift();
      first.give();
      if (found !== undefined) first.has(found);
    }
    this.#places.forget(this as Leases<unknown>);
  }

  gone(): void {
    this.#open--;
    this.#taken.pop()?.();
    this.look();
    this.#places.freed();
  }

  #opened(): Promise<C> | undefined {
    const give = this.#places.connection();
    if (give === undefined && this.#open > 0) return undefined;
    this.#open++;
    if (give !== undefined) this.#taken.push(give);
    return this.#ways.open().catch((error: unknown) => {
      this.gone();
      throw error;
    });
  }

  #waits(isWanted: () => boolean): Promise<C> {
    const place = this.#place();
    if (place === undefined) {
      return Promise.reject(new ProconsulError('busy', 'too many wait for a connection'));
    }
    this.#places.waits(this as Leases<unknown>);
    return new Promise((has) => this.#waiting.push({ isWanted, has, give: place }));
  }

  #place(): (() => void) | undefined {
    if (!this.#places.hasRoomToWait) {
      // Whoever has left meanwhile does not wait any more.
      for (const each of this.#waiting.filter(({ isWanted }) => !isWanted())) {
        this.#waiting.splice(this.#waiting.indexOf(each), 1);
        each.give();
      }
    }
    return this.#places.wait();
  }
}
