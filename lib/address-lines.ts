/** Of each address one thing is done at a time; what else it asks for waits for that, and holds up nobody else. */
import { loop } from './clock.ts';
import { gone, ProconsulError } from './errors.ts';
import { networkOf } from './ip.ts';

export interface Asking {
  readonly remoteAddress: string;
  /** Who goes leaves the line; looked at where he has to wait. */
  readonly signal: AbortSignal;
}

export class AddressLines {
  readonly #most: number;
  /** Who waits, by the address of which something is done. */
  readonly #waiting = new Map<string, Set<() => void>>();

  /** `most` of one address wait. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Rejects as `work` does, 'busy' where too many wait, and as soon as who asks has gone. Begins at once where nobody waits. */
  async run<T>(asking: Asking, work: () => Promise<T>): Promise<T> {
    const address = networkOf(asking.remoteAddress);
    const line = this.#waiting.get(address);
    if (line === undefined) this.#waiting.set(address, new Set());
    else await this.#turn(line, asking);
    try {
      return await work();
    } finally {
      this.#next(address);
    }
  }

  #turn(line: Set<() => void>, { signal }: Asking): Promise<void> {
    if (line.size >= this.#most) {
      throw new ProconsulError('busy', 'too many from your address wait for it already');
    }
    return new Promise((resolve, reject) => {
      const begin = loop.mine(() => {
        signal.removeEventListener('abort', leave);
        resolve();
      });
      const leave = () => {
        line.delete(begin);
        reject(gone());
      };
      line.add(begin);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    });
  }

  /** In another turn: many may wait for what is not long enough to be made in slices. */
  #next(address: string): void {
    loop.nextTurn(() => {
      const line = this.#waiting.get(address);
      const [begin] = line ?? [];
      if (line === undefined || begin === undefined) this.#waiting.delete(address);
      else {
        line.delete(begin);
        begin();
      }
    });
  }
}
