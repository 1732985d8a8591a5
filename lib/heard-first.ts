import type { Cancel, Clock } from './clock.ts';

export interface Asking<T> {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Asks whoever it comes to; calls `heard` with each sign of an answer. */
  readonly ask: (signal: AbortSignal, heard: () => void) => Promise<T>;
  /** Whether one more may be asked now. */
  readonly mayAsk?: () => boolean;
}

/** Of silence, before one more is asked; then twice as long each time, for all may only have much to do. */
const SILENT_MS = 2000;

/**
 * Asks, and where nothing is heard asks once more beside it, of another as a rule: somebody who takes connections and never
 * answers does not hold it up. Whoever is heard is listened to, and the others end, so that no large answer comes twice.
 * Rejects as the last one that was asked does.
 */
export function heardFirst<T>(asking: Asking<T>): Promise<T> {
  return new Promise((resolve, reject) => new Questions(asking, resolve, reject).begin());
}

class Questions<T> {
  readonly #asking: Asking<T>;
  readonly #resolve: (answer: T) => void;
  readonly #reject: (error: unknown) => void;
  readonly #running = new Set<AbortController>();
  #silentMs = SILENT_MS;
  #cancel: Cancel = () => undefined;
  /** What is under way rejects by that. */
  readonly #end = () => {
    this.#cancel();
    for (const each of this.#running) each.abort();
  };

  constructor(asking: Asking<T>, resolve: (answer: T) => void, reject: (error: unknown) => void) {
    this.#asking = asking;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { signal } = this.#asking;
    signal.addEventListener('abort', this.#end, { once: true });
    this.#ask();
    if (signal.aborted) this.#end();
  }

  #ask(): void {
    const one = new AbortController();
    this.#running.add(one);
    this.#waitFor();
    const asked = this.#asking.ask(one.signal, () => this.#heard(one));
    asked.then(
      (answer) => {
        if (!this.#running.delete(one)) return;
        this.#over();
        this.#resolve(answer);
      },
      (error: unknown) => {
        // Another may still answer.
        if (!this.#running.delete(one) || this.#running.size > 0) return;
        this.#over();
        this.#reject(error);
      },
    );
  }

  #waitFor(): void {
    this.#cancel();
    this.#cancel = this.#asking.clock.after(this.#silentMs, () => {
      this.#silentMs *= 2;
      if (this.#asking.mayAsk?.() === false) this.#waitFor();
      else this.#ask();
    });
  }

  #heard(one: AbortController): void {
    if (!this.#running.has(one)) return;
    this.#endOthers(one);
    this.#waitFor();
  }

  #endOthers(one?: AbortController): void {
    for (const each of [...this.#running]) {
      if (each === one) continue;
      this.#running.delete(each);
      each.abort();
    }
  }

  #over(): void {
    this.#cancel();
    this.#asking.signal.removeEventListener('abort', this.#end);
    this.#endOthers();
  }
}
