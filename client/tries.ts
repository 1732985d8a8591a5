/** The hosts that one call goes to: another each time, as far as the limits of all calls together allow. */
import type { Balancer as Engine, Outcome } from '../lib/balance/balancer.ts';
import type { Circuit } from '../lib/balance/circuit.ts';
import type { Hedging } from '../lib/balance/hedging.ts';
import type { Host } from '../lib/balance/host.ts';
import type { RetryBudget } from '../lib/balance/retry-budget.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import type { ProconsulError } from '../lib/errors.ts';

/** An instance, as the catalog says it. */
export interface Instance {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly zone: string;
  /** Its metadata. */
  readonly labels: ReadonlyMap<string, string>;
}

/** One try at one host. */
export interface Try {
  readonly instance: Instance;
  /** Once; without an outcome it says nothing of the host. What took no `ms` says nothing of how fast it is. */
  end(outcome?: Outcome): void;
}

export interface CallOptions {
  /** Calls of one key go to one instance, by the policies that hash. */
  readonly key?: string;
  /** Only instances with all of these in their metadata. */
  readonly subset?: Readonly<Record<string, string>>;
}

export interface TriesParts {
  readonly engine: Engine;
  readonly circuit: Circuit;
  readonly budget: RetryBudget;
  /** Hosts that are tried for one call. */
  readonly most: number;
  /** Undefined where no second one is begun beside a slow one. */
  readonly hedging: Hedging | undefined;
  readonly clock: Pick<Clock, 'monotonic' | 'after'>;
  /** Why there is no first. */
  readonly why: () => ProconsulError;
  readonly over: () => void;
}

export class Tries {
  readonly #parts: TriesParts;
  readonly #call: Parameters<Engine['choose']>[0];
  readonly #avoid = new Set<Host>();
  readonly #open = new Set<() => void>();
  #isOver = false;

  constructor(parts: TriesParts, { key, subset }: CallOptions) {
    this.#parts = parts;
    this.#call = { key, ...(subset !== undefined && { subset: Object.entries(subset) }) };
    parts.budget.called(parts.clock.monotonic());
  }

  get count(): number {
    return this.#avoid.size;
  }

  /** Why there is no first one. */
  why(): ProconsulError {
    return this.#parts.why();
  }

  /** The first, or another than all before; undefined where there is none, or no more may be tried. */
  next(): Try | undefined {
    const { engine, circuit, budget, most, clock } = this.#parts;
    const isAgain = this.#avoid.size > 0;
    if (this.#isOver || this.#avoid.size >= most) return undefined;
    const host = engine.choose({ ...this.#call, avoid: this.#avoid });
    if (host === undefined) return undefined;
    const give = isAgain ? circuit.take('retries') : () => undefined;
    if (give === undefined) return undefined;
    if (isAgain && !budget.take(clock.monotonic())) {
      give();
      return undefined;
    }
    this.#avoid.add(host);
    return this.#begin(host, give);
  }

  /**
   * `begin` is told, once this call is slow, whom to ask beside; undefined where nobody may be. What is returned calls that
   * off. Undefined where calls are not hedged, or too little is known. For calls that may be repeated alone.
   */
  whenSlow(begin: (beside: Try | undefined) => void): Cancel | undefined {
    const { hedging, clock } = this.#parts;
    if (hedging === undefined) return undefined;
    // Not once more for what is tried again.
    if (this.count === 1) hedging.called(clock.monotonic());
    const { slowMs } = hedging;
    if (slowMs === undefined) return undefined;
    const isOpen = () => !this.#isOver && hedging.take(clock.monotonic());
    return clock.after(slowMs, () => begin(isOpen() ? this.next() : undefined));
  }

  /** Whether a request by that method may be with two instances at once. */
  isHedged(method: string): boolean {
    return this.#parts.hedging?.isFor(method) === true;
  }

  /** How long a try took, or had taken when another was faster. */
  took(ms: number): void {
    this.#parts.hedging?.took(ms);
  }

  /** Whatever goes on says nothing of its host any more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const end of this.#open) end();
    this.#parts.over();
  }

  #begin(host: Host, give: () => void): Try {
    const ended = this.#parts.engine.begin(host);
    const end = (outcome?: Outcome) => {
      this.#open.delete(end);
      give();
      ended(outcome);
    };
    this.#open.add(end);
    const { id, address, port, zone, labels } = host.endpoint;
    return { instance: { id, address, port, zone, labels }, end };
  }
}
