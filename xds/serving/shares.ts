/**
 * Of what there is a limited number for all, no address takes more than half: the others' clients get some too. Where all
 * of it is taken, whoever has most gives way to whoever has less: a few strangers would keep everybody else out for good.
 */
import { networkOf } from '../../lib/ip.ts';

interface Taken {
  readonly giveWay: (() => void) | undefined;
}

export class Shares {
  readonly #most: number;
  /** Of each address, the newest last. */
  readonly #taken = new Map<string, Set<Taken>>();
  #all = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Undefined where there is none left; else gives it back, once. `giveWay`: has it given back at once, for another. */
  take(from: string, giveWay?: () => void): (() => void) | undefined {
    const address = networkOf(from);
    const has = this.#taken.get(address)?.size ?? 0;
    if (has >= Math.ceil(this.#most / 2)) return undefined;
    if (this.#all >= this.#most) this.#makeRoom(has + 1);
    if (this.#all >= this.#most) return undefined;
    const mine = this.#taken.get(address) ?? new Set();
    const taken = { giveWay };
    this.#all++;
    this.#taken.set(address, mine.add(taken));
    return () => {
      if (!mine.delete(taken)) return;
      this.#all--;
      if (mine.size === 0 && this.#taken.get(address) === mine) this.#taken.delete(address);
    };
  }

  /** Only for whoever will have no more than the one who has most: else they would take it from one another without end. */
  #makeRoom(willHave: number): void {
    let most: ReadonlySet<Taken> = new Set();
    for (const each of this.#taken.values()) if (each.size > most.size) most = each;
    if (willHave >= most.size) return;
    // The others of it may have been there for long.
    [...most].at(-1)?.giveWay?.();
  }
}
