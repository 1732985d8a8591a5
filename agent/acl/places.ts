/** So many at once, and of one address no more than its share. */
export class Places {
  readonly #all: number;
  readonly #perAddress: number;
  readonly #taken = new Map<string, number>();
  #count = 0;

  constructor({ all, perAddress }: { readonly all: number; readonly perAddress: number }) {
    this.#all = all;
    this.#perAddress = perAddress;
  }

  /** What gives the place back, once; undefined where there is none. */
  take(address: string): (() => void) | undefined {
    const taken = this.#taken.get(address) ?? 0;
    if (this.#count >= this.#all || taken >= this.#perAddress) return undefined;
    this.#count++;
    this.#taken.set(address, taken + 1);
    return () => {
      this.#count--;
      const left = (this.#taken.get(address) ?? 1) - 1;
      if (left === 0) this.#taken.delete(address);
      else this.#taken.set(address, left);
    };
  }
}
