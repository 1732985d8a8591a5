/** Work of which so much is done at once. Of what waits, that goes first for which somebody's call waits. */
import { ProconsulError } from '../../lib/errors.ts';

export interface InTurn<T> {
  readonly result: Promise<T>;
  /** From now on a call waits for it. */
  hurry(): void;
}

/** Its turn did not come in time: nothing was begun, and nothing is known of whomever it was to ask. */
export class NoTurn extends ProconsulError {
  constructor() {
    super('busy', 'too much is asked at once');
  }
}

export class Turnstile {
  readonly #most: number;
  #inside = 0;
  readonly #first = new Set<() => void>();
  readonly #others = new Set<() => void>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Rejects with NoTurn where its turn does not come before the signal does. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): InTurn<T> {
    let enter = () => {};
    const result = new Promise<T>((resolve, reject) => {
      const over = () => {
        this.#leaves(enter);
        reject(new NoTurn());
      };
      enter = () => {
        this.#leaves(enter);
        signal.removeEventListener('abort', over);
        resolve(this.#worked(work));
      };
      signal.addEventListener('abort', over, { once: true });
      if (signal.aborted) over();
      else this.#others.add(enter);
    });
    this.#look();
    const hurry = () => {
      if (this.#others.delete(enter)) this.#first.add(enter);
    };
    return { result, hurry };
  }

  async #worked<T>(work: () => Promise<T>): Promise<T> {
    this.#inside++;
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#look();
    }
  }

  #leaves(enter: () => void): void {
    this.#first.delete(enter);
    this.#others.delete(enter);
  }

  #look(): void {
    while (this.#inside < this.#most) {
      const [next] = this.#first.size > 0 ? this.#first : this.#others;
      if (next === undefined) return;
      next();
    }
  }
}
