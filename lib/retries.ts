import type { Cancel, Clock } from './clock.ts';
import type { Random } from './random.ts';

/** After a failure soon, then less and less soon. */
const FIRST_MS = 1000;
const MAX_MS = 15_000;

/** Before the next try, after so many failures in a row; up to double, so that agents part. */
export function retryMs(failures: number, random: Pick<Random, 'next'>): number {
  return Math.min(FIRST_MS * 2 ** (failures - 1), MAX_MS) * (1 + random.next());
}

interface Waiting {
  readonly failures: number;
  readonly cancel: Cancel;
}

/** When to try again what failed: each thing by itself, so that none holds up another. */
export class Retries {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #again: (id: string) => void;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock, random: Random, again: (id: string) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#again = again;
  }

  failed(id: string): void {
    const { failures, cancel } = this.#waiting.get(id) ?? { failures: 0, cancel: () => undefined };
    cancel();
    const delay = retryMs(failures + 1, this.#random);
    const next = this.#clock.after(delay, () => this.#again(id));
    this.#waiting.set(id, { failures: failures + 1, cancel: next });
  }

  succeeded(id: string): void {
    this.#waiting.get(id)?.cancel();
    this.#waiting.delete(id);
  }

  stop(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }
}
