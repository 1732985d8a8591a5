/** Whether a request may be tried once more: after what it was tried already, and by what all requests may cost together. */
import type { Clock } from '../../lib/clock.ts';
import type { Body } from './body.ts';
import type { Called } from './exchange-parts.ts';
import type { Head } from './head.ts';
import {
  type Failure,
  isUntouched,
  mayRepeat,
  type RetryRules,
  retriesFailure,
  retriesStatus,
} from './retry-rules.ts';

/** A host that leaves says so on each of its connections, of which a request may come upon one after the other. */
const MAX_STALE = 16;

export interface RepeatsOptions {
  readonly head: Pick<Head, 'method' | 'upgrade'>;
  /** Undefined where it has none. */
  readonly body: Pick<Body, 'canRepeat'> | undefined;
  readonly budget: Pick<Called['budget'], 'take'>;
  readonly circuit: Pick<Called['circuit'], 'hasRoom'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Hosts that are tried for a request that nobody has seen. */
  readonly most: number;
}

export class Repeats {
  readonly #options: RepeatsOptions;
  tries = 0;
  #asked = 0;
  /** Of the tries, those that came upon a connection at its end. */
  #stale = 0;

  constructor(options: RepeatsOptions) {
    this.#options = options;
  }

  /** Undefined where it is not to be tried again; `same`: by the same host too, where there is no other. */
  after(failure: Failure, rules: RetryRules): 'other' | 'same' | undefined {
    const { head, most, circuit } = this.#options;
    if (head.upgrade !== '' || !circuit.hasRoom('retries')) return undefined;
    if (retriesFailure(rules, failure) && this.#isAsked(rules)) return 'same';
    if (isUntouched(failure) && failure.isStale && this.#stale < MAX_STALE) this.#stale++;
    if (!this.#canRepeat || this.tries - this.#stale >= most) return undefined;
    // Who refuses is there, and may have room by then.
    if (isUntouched(failure)) return failure.kind === 'refused' ? 'same' : 'other';
    if (!mayRepeat(head, failure) || !this.#isAffordable()) return undefined;
    return failure.isStale || failure.isBusy ? 'same' : 'other';
  }

  afterStatus(status: number, grpcStatus: string | undefined, rules: RetryRules): boolean {
    if (!retriesStatus(rules, status, grpcStatus)) return false;
    return this.#options.circuit.hasRoom('retries') && this.#isAsked(rules);
  }

  get #canRepeat(): boolean {
    const { body } = this.#options;
    return body === undefined || body.canRepeat;
  }

  /** The route asks for it. */
  #isAsked({ times }: RetryRules): boolean {
    if (this.#asked >= times || !this.#isAffordable()) return false;
    this.#asked++;
    return true;
  }

  #isAffordable(): boolean {
    const { budget, clock } = this.#options;
    return this.#canRepeat && budget.take(clock.monotonic());
  }
}
