/**
 * Places that many callers have together. The last eighth of them is for those who have less than that: one who has all
 * that he can get, by intent or because he is slow, keeps nobody else out.
 */
export class Shares {
  readonly #most: number;
  readonly #kept: number;
  readonly #taken = new Map<string, number>();
  #all = 0;

  constructor(most: number) {
    this.#most = most;
    this.#kept = Math.floor(most / 8);
  }

  /** What gives the place back, once whatever it is called; undefined where there is none for him. */
  take(who: string): (() => void) | undefined {
    const has = this.#taken.get(who) ?? 0;
    const most = has < this.#kept ? this.#most : this.#most - this.#kept;
    if (this.#all >= most) return undefined;
    this.#all++;
    this.#taken.set(who, has + 1);
    let isTaken = true;
    return () => {
      if (isTaken) this.#give(who);
      isTaken = false;
    };
  }

  #give(who: string): void {
    this.#all--;
    const has = (this.#taken.get(who) ?? 0) - 1;
    if (has > 0) this.#taken.set(who, has);
    else this.#taken.delete(who);
  }
}
