/**
 * A proposal is retried within seconds or not at all, and this many are minutes of the heaviest
 * load; they take about 20 MB.
 */
const MIN_REMEMBERED_PROPOSALS = 100_000;

/** The ids of the newest entries: at least the last `limit`, at most twice as many. */
export class ProposalIds {
  readonly #limit: number;
  #newer = new Set<string>();
  #older = new Set<string>();

  constructor(limit = MIN_REMEMBERED_PROPOSALS) {
    this.#limit = limit;
  }

  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id);
  }

  add(id: string): void {
    // Two generations: to take the oldest out of one Set gets slow, since V8 walks over the holes.
    if (this.#newer.size >= this.#limit) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(id);
  }
}
