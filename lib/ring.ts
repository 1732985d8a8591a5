/**
 * The consistent-hash ring: which server an agent asks about a service, and whom next when that one
 * does not answer. Agents know the same servers but never agree on anything else, so all that
 * decides is the servers' ids and the key.
 */
import { createHash } from 'node:crypto';
import ConsistentHash from 'consistent-hash';
import { hash32 } from './hash32.ts';

/**
 * The package takes a key's position from a hash of 24 bits, times 32, so the whole circle has this
 * length. On its default of 100,003 the points of five servers would meet some thirty times.
 */
const CIRCLE = 2 ** 29;
const KEY_BITS = 24;

/**
 * How often each server stands on the circle. A share's standard deviation is 1 / √points of the
 * mean, here 4 %; the package's default of 40 makes it 16 %.
 */
const POINTS_PER_SERVER = 512;

const POINT_BYTES = 4;

/** A place on the circle where a server stands, and now and then another behind it. */
interface Place {
  readonly ids: readonly string[];
  readonly point: number;
  /** Which one it is, in the order of the circle. */
  readonly at: number;
}

export class Ring {
  readonly #points = new Map<string, readonly number[]>();
  #circle: Circle | undefined;

  constructor(servers: Iterable<string> = []) {
    for (const id of servers) this.add(id);
  }

  get size(): number {
    return this.#points.size;
  }

  has(id: string): boolean {
    return this.#points.has(id);
  }

  /** A server that is on the ring already stays as it is. With fewer points it has a smaller share. */
  add(id: string, points = POINTS_PER_SERVER): void {
    if (this.#points.has(id)) return;
    this.#points.set(id, controlPoints(id, points));
    this.#circle = undefined;
  }

  remove(id: string): void {
    if (this.#points.delete(id)) this.#circle = undefined;
  }

  /** All servers, each once: first the one that the key belongs to, then those to turn to next. */
  successors(key: string): readonly string[] {
    return this.#built().successors(key);
  }

  /** The first of them that is accepted, where the others do not matter: nothing is kept for them. */
  owner(key: string, accepts: (id: string) => boolean): string | undefined {
    return this.#built().owner(key, accepts);
  }

  /** Which part of all keys belongs to each server. The parts sum up to 1. */
  shares(): Map<string, number> {
    return this.#built().shares();
  }

  /** Several servers may come and go before the next lookup: only then it is built. */
  #built(): Circle {
    this.#circle ??= new Circle(this.#points);
    return this.#circle;
  }
}

/** The ring of one set of servers; when they change, another takes its place. */
class Circle {
  /** A place is a node to the package, so that a lookup tells which it is, and not just the server. */
  readonly #hash = new ConsistentHash<Place>({ range: CIRCLE });
  readonly #places: readonly Place[];
  /** By place, made at its first lookup: to walk the circle each time would halve the speed. */
  readonly #successors: (readonly string[] | undefined)[];
  readonly #ids: readonly string[];

  constructor(points: ReadonlyMap<string, readonly number[]>) {
    this.#ids = [...points.keys()];
    this.#places = placesOf(points);
    this.#successors = new Array(this.#places.length);
    for (const place of this.#places) this.#hash.add(place, 1, [place.point]);
  }

  successors(key: string): readonly string[] {
    const place = this.#hash.get(position(key));
    if (place === null) return [];
    this.#successors[place.at] ??= this.#walk(place.at);
    return this.#successors[place.at] ?? [];
  }

  owner(key: string, accepts: (id: string) => boolean): string | undefined {
    const from = this.#hash.get(position(key))?.at ?? 0;
    for (let i = 0; i < this.#places.length; i++) {
      const place = this.#places[(from + i) % this.#places.length];
      const id = place?.ids.find(accepts);
      if (id !== undefined) return id;
    }
    return undefined;
  }

  #walk(from: number): readonly string[] {
    const found = new Set<string>();
    for (let i = 0; i < this.#places.length && found.size < this.#ids.length; i++) {
      const place = this.#places[(from + i) % this.#places.length];
      for (const id of place?.ids ?? []) found.add(id);
    }
    return Object.freeze([...found]);
  }

  shares(): Map<string, number> {
    const shares = new Map(this.#ids.map((id) => [id, 0]));
    let before = (this.#places.at(-1)?.point ?? 0) - CIRCLE;
    for (const { ids, point } of this.#places) {
      const [owner = ''] = ids;
      shares.set(owner, (shares.get(owner) ?? 0) + (point - before) / CIRCLE);
      before = point;
    }
    return shares;
  }
}

/**
 * All places in the circle's order. Servers that have a point in common stand there in the order of
 * their ids: left to the package, the one that was added last would stand there alone, and two
 * agents that met the servers in another order would differ.
 */
function placesOf(points: ReadonlyMap<string, readonly number[]>): readonly Place[] {
  const idsAt = new Map<number, string[]>();
  for (const id of [...points.keys()].sort()) {
    for (const point of points.get(id) ?? []) {
      const ids = idsAt.get(point);
      if (ids === undefined) idsAt.set(point, [id]);
      else ids.push(id);
    }
  }
  return [...idsAt].sort(([a], [b]) => a - b).map(([point, ids], at) => ({ ids, point, at }));
}

/**
 * Where a server stands: derived from its id alone, so that every agent puts it at the same places. Fewer
 * points are the first of more: whose share grows takes keys, and gives none away.
 */
function controlPoints(id: string, points: number): readonly number[] {
  const bytes = createHash('shake256', { outputLength: points * POINT_BYTES })
    .update(id)
    .digest();
  return Array.from({ length: points }, (_, i) => bytes.readUInt32BE(i * POINT_BYTES) % CIRCLE);
}

/**
 * A name for the key that the package's hash, which is weak for names that look alike, turns into
 * the 24 bits of ours digit by digit: it shifts by four bits and adds the next character's code.
 */
function position(key: string): string {
  const hash = hash32(key) >>> (32 - KEY_BITS);
  return String.fromCharCode(
    hash >>> 20,
    (hash >>> 16) & 15,
    (hash >>> 12) & 15,
    (hash >>> 8) & 15,
    (hash >>> 4) & 15,
    hash & 15,
  );
}
