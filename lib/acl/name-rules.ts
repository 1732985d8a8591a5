/**
 * What is said of the names of one resource: of single names, and of all that begin so. The exact
 * name wins, else the longest beginning. A lookup takes as long as the name is, however many rules
 * there are.
 */

/** How much is allowed: 0 is nothing, not even what the default would allow. */
export type Rank = 0 | 1 | 2 | 3;

interface Place {
  /** What has to follow behind the place above. */
  label: string;
  /** Of this very name, and of all names that begin so. */
  exact: Rank | undefined;
  prefix: Rank | undefined;
  /** The least, and the most, that anything from here on allows. */
  least: Rank;
  most: Rank;
  /** By the first character of their labels. */
  below: Map<number, Place> | undefined;
}

/** By the name, so that nothing is said twice of one. */
export interface Said {
  readonly exact: ReadonlyMap<string, Rank>;
  readonly prefix: ReadonlyMap<string, Rank>;
}

const MOST = 3;

export class NameRules {
  readonly #root: Place = placed('', MOST, 0);
  #most: Rank = 0;

  constructor({ exact, prefix }: Said) {
    for (const [name, rank] of exact) this.#add(name, rank).exact = rank;
    for (const [name, rank] of prefix) this.#add(name, rank).prefix = rank;
  }

  /** Undefined where nothing is said of it. */
  rankOf(name: string): Rank | undefined {
    let place = this.#root;
    let at = 0;
    let rank = place.prefix;
    while (at < name.length) {
      const next = place.below?.get(name.charCodeAt(at));
      if (next === undefined || !name.startsWith(next.label, at)) return rank;
      at += next.label.length;
      place = next;
      if (place.prefix !== undefined) rank = place.prefix;
    }
    return place.exact ?? rank;
  }

  /**
   * What is said of everything that begins so: the least of what applies there as a whole, and of
   * each rule about a part of it. Undefined where nothing is said that would forbid, and nothing of
   * the whole.
   */
  rankUnder(prefix: string, needed: Rank): Rank | undefined {
    let place = this.#root;
    let at = 0;
    let whole = place.prefix;
    while (at < prefix.length) {
      const next = place.below?.get(prefix.charCodeAt(at));
      if (next === undefined) return whole;
      const common = commonLength(next.label, prefix, at);
      if (common < next.label.length && at + common < prefix.length) return whole;
      at += next.label.length;
      place = next;
      if (at <= prefix.length && place.prefix !== undefined) whole = place.prefix;
    }
    if (place.least < needed) return place.least;
    return whole;
  }

  /** Whether some name that begins so is allowed as much by a rule; undefined where only the default could say so. */
  allowsUnder(prefix: string, needed: Rank): boolean | undefined {
    let place = this.#root;
    let at = 0;
    let whole = place.prefix;
    while (at < prefix.length) {
      const next = place.below?.get(prefix.charCodeAt(at));
      const common = next === undefined ? 0 : commonLength(next.label, prefix, at);
      if (next === undefined || (common < next.label.length && at + common < prefix.length))
        return whole === undefined ? undefined : whole >= needed;
      at += next.label.length;
      place = next;
      if (at <= prefix.length && place.prefix !== undefined) whole = place.prefix;
    }
    if (place.most >= needed) return true;
    return whole === undefined ? undefined : whole >= needed;
  }

  /** Whether some name is allowed as much by a rule. */
  allowsAny(needed: Rank): boolean {
    return this.#most >= needed;
  }

  /** What is said of all names as a whole. */
  get ofAll(): Rank | undefined {
    return this.#root.prefix;
  }

  #add(name: string, rank: Rank): Place {
    let place = this.#root;
    let at = 0;
    if (rank > this.#most) this.#most = rank;
    widen(place, rank);
    while (at < name.length) {
      const code = name.charCodeAt(at);
      const next = place.below?.get(code);
      if (next === undefined) {
        const leaf = placed(name.slice(at), rank, rank);
        return putBelow(place, leaf);
      }
      place = split(place, next, commonLength(next.label, name, at));
      widen(place, rank);
      at += place.label.length;
    }
    return place;
  }
}

function placed(label: string, least: Rank, most: Rank): Place {
  return { label, exact: undefined, prefix: undefined, least, most, below: undefined };
}

function widen(place: Place, rank: Rank): void {
  if (rank < place.least) place.least = rank;
  if (rank > place.most) place.most = rank;
}

/** Makes a place of the first characters of a label, if it is longer; returns that. */
function split(above: Place, place: Place, length: number): Place {
  if (length === place.label.length) return place;
  const middle = placed(place.label.slice(0, length), place.least, place.most);
  putBelow(above, middle);
  place.label = place.label.slice(length);
  putBelow(middle, place);
  return middle;
}

/** Most places have none below, which then need no map. */
function putBelow(above: Place, place: Place): Place {
  above.below ??= new Map();
  above.below.set(place.label.charCodeAt(0), place);
  return place;
}

function commonLength(label: string, name: string, at: number): number {
  const most = Math.min(label.length, name.length - at);
  let length = 0;
  while (length < most && label.charCodeAt(length) === name.charCodeAt(at + length)) length++;
  return length;
}
