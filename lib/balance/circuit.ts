/** Limits of what is under way to one upstream: beyond them a call is refused at once, and does not queue. */

export interface CircuitLimits {
  /** Connections that come in. */
  readonly callers: number;
  /** Connections to hosts. */
  readonly connections: number;
  /** Calls that wait for a connection. */
  readonly pending: number;
  readonly requests: number;
  /** Second and further tries that are under way. */
  readonly retries: number;
}

export type CircuitKind = keyof CircuitLimits;

export const CIRCUIT_KINDS: readonly CircuitKind[] = [
  'callers',
  'connections',
  'pending',
  'requests',
  'retries',
];

export class Circuit {
  readonly #limits: CircuitLimits;
  readonly #taken = { callers: 0, connections: 0, pending: 0, requests: 0, retries: 0 };
  readonly #refused = { callers: 0, connections: 0, pending: 0, requests: 0, retries: 0 };

  constructor(limits: CircuitLimits) {
    this.#limits = limits;
  }

  /** What gives the place back, once whatever it is called; undefined where there is none. */
  take(kind: CircuitKind): (() => void) | undefined {
    if (this.#taken[kind] >= this.#limits[kind]) {
      this.#refused[kind]++;
      return undefined;
    }
    this.#taken[kind]++;
    let isTaken = true;
    return () => {
      if (isTaken) this.#taken[kind]--;
      isTaken = false;
    };
  }

  /** Who finds none may wait: nobody is refused by this. */
  hasRoom(kind: CircuitKind): boolean {
    return this.#taken[kind] < this.#limits[kind];
  }

  /** Under way. */
  taken(kind: CircuitKind): number {
    return this.#taken[kind];
  }

  /** Since the beginning. */
  refused(kind: CircuitKind): number {
    return this.#refused[kind];
  }
}
