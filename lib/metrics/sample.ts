/**
 * How long something took each time, or how large it was: plain fields, so that to observe costs some
 * ten nanoseconds and no memory. What is asked of it, whoever asks works out.
 */

/** Between a number and its double: a quantile is right to within a tenth of itself. */
const BUCKETS_PER_DOUBLE = 4;
/** From a thousandth up to 2^28 thousandths: in milliseconds, up to four and a half minutes. */
const BUCKETS = 28 * BUCKETS_PER_DOUBLE;
const LOWEST = 0.001;
/** For whoever sends single values on: of more than these in a second, a part. */
const MAX_RAW = 16;

/** What some time came to. */
export class Tally {
  count = 0;
  sum = 0;
  sumOfSquares = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;
  readonly buckets = new Uint32Array(BUCKETS);

  add(other: Tally): void {
    this.count += other.count;
    this.sum += other.sum;
    this.sumOfSquares += other.sumOfSquares;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    for (let i = 0; i < BUCKETS; i++) this.buckets[i] = this.#at(i) + other.#at(i);
  }

  /** NaN where nothing was observed. */
  quantile(q: number): number {
    if (this.count === 0) return Number.NaN;
    const wanted = q * this.count;
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#at(i);
      if (seen >= wanted) return Math.min(Math.max(middleOf(i), this.min), this.max);
    }
    return this.max;
  }

  /** How many were at most so much: a power of two of thousandths. */
  upTo(bound: number): number {
    const end = Math.round(Math.log2(bound / LOWEST) * BUCKETS_PER_DOUBLE);
    let seen = 0;
    for (let i = 0; i < Math.min(end, BUCKETS); i++) seen += this.#at(i);
    return seen;
  }

  #at(i: number): number {
    return this.buckets[i] ?? 0;
  }
}

/** Some values, and of how many. */
export interface Raw {
  readonly values: readonly number[];
  readonly of: number;
}

export class Sample {
  /** Since the last roll. */
  #now = new Tally();
  /** From the roll before to the last one. */
  #last = new Tally();
  #before = new Tally();
  #raw: Float64Array | undefined;
  #rawSeen = 0;

  observe(value: number): void {
    const now = this.#now;
    now.count++;
    now.sum += value;
    now.sumOfSquares += value * value;
    if (value < now.min) now.min = value;
    if (value > now.max) now.max = value;
    const bucket = bucketOf(value);
    now.buckets[bucket] = (now.buckets[bucket] ?? 0) + 1;
    if (this.#raw !== undefined) this.#raw[this.#rawSeen++ % MAX_RAW] = value;
  }

  /** An interval is over. One alone may call it: who keeps the intervals. */
  roll(): void {
    const over = this.#now;
    if (over.count === 0 && this.#last.count === 0) return;
    if (over.count > 0) this.#before.add(over);
    this.#last = over;
    this.#now = new Tally();
  }

  /** The interval that is over. */
  get last(): Tally {
    return this.#last;
  }

  /** The interval that goes on. */
  get current(): Tally {
    return this.#now;
  }

  /** How often anything was observed, ever. */
  get count(): number {
    return this.#before.count + this.#now.count;
  }

  /** From now on the values themselves are kept for `takeRaw`, as far as there is room. */
  keepRaw(): void {
    this.#raw ??= new Float64Array(MAX_RAW);
  }

  /** Of the values since it was last asked. */
  takeRaw(): Raw {
    const of = this.#rawSeen;
    this.#rawSeen = 0;
    return { values: [...(this.#raw ?? []).slice(0, Math.min(of, MAX_RAW))], of };
  }

  /** Of the interval that is over and of the one that goes on: some ten to twenty seconds. */
  recent(): Tally {
    return sumOf([this.#last, this.#now]);
  }

  /** Everything that was ever observed. */
  all(): Tally {
    return sumOf([this.#before, this.#now]);
  }
}

export function sumOf(tallies: Iterable<Tally>): Tally {
  const sum = new Tally();
  for (const tally of tallies) if (tally.count > 0) sum.add(tally);
  return sum;
}

function bucketOf(value: number): number {
  if (!(value > LOWEST)) return 0;
  return Math.min(Math.floor(Math.log2(value / LOWEST) * BUCKETS_PER_DOUBLE), BUCKETS - 1);
}

function middleOf(bucket: number): number {
  return LOWEST * 2 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLE);
}
