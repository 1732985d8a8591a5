/** Whether a request may be tried once more: after what it was tried already, and by what all requests may cost together. */
import type { Hedging } from '../../lib/balance/hedging.ts';
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
  readonly body: Pick<Body, 'canRepeat' | 'isWhole'> | undefined;
  readonly budget: Pick<Called['budget'], 'take' | 'hasRoom'>;
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
  /** The last one is a further try of what nobody had seen: it costs something where it is in vain too. */
  #isOwing = false;

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
    if (isUntouched(failure)) return this.#elsewhere(failure);
    if (!mayRepeat(head, failure) || !this.#isAffordable()) return undefined;
    return failure.isStale || failure.isBusy ? 'same' : 'other';
  }

  /** Whether a second host may be asked beside one that is slow: it is counted then. */
  mayHedge(hedging: Hedging): boolean {
    const { body, circuit, clock, most } = this.#options;
    if (this.tries >= most || body?.isWhole === false || !circuit.hasRoom('retries')) return false;
    return this.#canRepeat && hedging.take(clock.monotonic()) && this.#isAffordable();
  }

  /** Whether it may ever be asked of two at once. */
  isHedgedBy(hedging: Hedging): boolean {
    const { head } = this.#options;
    return head.upgrade === '' && hedging.isFor(head.method);
  }

  afterStatus(status: number, grpcStatus: string | undefined, rules: RetryRules): boolean {
    if (!retriesStatus(rules, status, grpcStatus)) return false;
    return this.#options.circuit.hasRoom('retries') && this.#isAsked(rules);
  }

  /**
   * A request that another host takes then costs nothing, so that one who has gone keeps no call from the others. Where all
   * refuse, each would be tried as often as may be.
   */
  #elsewhere({ kind, isStale }: Failure): 'other' | 'same' | undefined {
    const { budget, clock } = this.#options;
    const now = clock.monotonic();
    // At its connection's end nobody has been asked.
    if (!isStale) {
      const isOpen = this.#isOwing ? budget.take(now) : budget.hasRoom(now);
      this.#isOwing = true;
      if (!isOpen) return undefined;
    }
    // Who refuses is there, and may have room by then.
    return kind === 'refused' ? 'same' : 'other';
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
