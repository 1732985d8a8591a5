/** Of what there is a limited number for all, no address takes more than half: the others' clients get some too. */
import { networkOf } from '../../lib/ip.ts';

export class Shares {
  readonly #most: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined where there is none left; else gives it back, once. */
  take(from: string): (() => void) | undefined {
    const address = networkOf(from);
    const taken = this.#taken.get(address) ?? 0;
    if (this.#all >= this.#most || taken >= Math.ceil(this.#most / 2)) return undefined;
    this.#all++;
    this.#taken.set(address, taken + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#all--;
      const left = (this.#taken.get(address) ?? 1) - 1;
      if (left > 0) this.#taken.set(address, left);
      else this.#taken.delete(address);
    };
  }
}
