/**
 * Instances that may differ from what the catalog has, and which of them go out together. A transaction fails as a whole: what
 * was refused once goes by itself from then on, with others of its name alone, and keeps nobody else from being written.
 */

export interface Due {
  /** When it was known that something of it may differ. */
  readonly since: number;
  /** When that was seen last. */
  readonly at: number;
}

/** What goes together with whatever else there is. */
const COMMON = '';

export class Pending {
  /** By the name of its service in the catalog. */
  readonly #nameOf: (id: string) => string;
  readonly #queues = new Map<string, Map<string, Due>>();
  /** By id, the queue that it is in. */
  readonly #places = new Map<string, string>();
  /** A transaction that it was in was refused without a word which one it was for. */
  readonly #alone = new Set<string>();
  /** Refused ones: by id their names, and by name the ids. */
  readonly #refused = new Map<string, string>();
  readonly #apart = new Map<string, Set<string>>();

  constructor(nameOf: (id: string) => string) {
    this.#nameOf = nameOf;
  }

  get size(): number {
    return this.#places.size;
  }

  ids(): readonly string[] {
    return [...this.#places.keys()];
  }

  /** What was refused of another turn may be taken in this one. */
  begin(): void {
    this.#alone.clear();
    this.#refused.clear();
    this.#apart.clear();
    this.#move(this.ids());
  }

  /** It has changed: where it is pending already it is so for longer. */
  changed(id: string, at: number): void {
    const known = this.#queues.get(this.#places.get(id) ?? COMMON)?.get(id);
    this.#put(id, { since: known?.since ?? at, at });
  }

  /** It is to be looked at, where it is not pending already. */
  add(id: string, since: number): void {
    if (!this.#places.has(id)) this.#put(id, { since, at: since });
  }

  delete(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    this.#places.delete(id);
    const queue = this.#queues.get(place);
    queue?.delete(id);
    if (queue?.size === 0) this.#queues.delete(place);
  }

  common(): Iterable<readonly [id: string, due: Due]> {
    return this.#queues.get(COMMON) ?? [];
  }

  /** What changed since then, the last first. */
  lately(from: number): Iterable<readonly [id: string, due: Due]> {
    const changed = [...this.common()].filter(([, { at }]) => at >= from);
    return changed.sort(([, a], [, b]) => b.at - a.at);
  }

  /** Of those that go by themselves, each that may go together; whoever was last asked for comes last. */
  *apart(): Iterable<Iterable<readonly [id: string, due: Due]>> {
    for (const [place, queue] of [...this.#queues]) {
      if (place === COMMON || queue.size === 0) continue;
      this.#queues.delete(place);
      this.#queues.set(place, queue);
      yield queue;
    }
  }

  setAlone(id: string): void {
    this.#alone.add(id);
    this.#move([id]);
  }

  /** Others of its name are like it, as where the token may not write that. */
  setApart(refused: readonly string[]): void {
    const names = new Set<string>();
    for (const id of refused) {
      const name = this.#nameOf(id);
      const ids = this.#apart.get(name);
      this.#refused.set(id, name);
      if (ids !== undefined) ids.add(id);
      else this.#apart.set(name, new Set([id]));
      if (ids === undefined) names.add(name);
    }
    if (names.size > 0) this.#move(this.ids().filter((each) => names.has(this.#nameOf(each))));
  }

  /** It was taken, or is as it ought to be. */
  settled(id: string): void {
    this.#alone.delete(id);
    const name = this.#refused.get(id);
    if (name === undefined) return;
    this.#refused.delete(id);
    const ids = this.#apart.get(name);
    ids?.delete(id);
    if (ids?.size !== 0) return;
    this.#apart.delete(name);
    this.#move([...(this.#queues.get(nameQueue(name))?.keys() ?? [])]);
  }

  #put(id: string, due: Due): void {
    const place = this.#places.get(id) ?? this.#placeOf(id);
    const queue = this.#queues.get(place) ?? new Map<string, Due>();
    this.#queues.set(place, queue.set(id, due));
    this.#places.set(id, place);
  }

  #placeOf(id: string): string {
    if (this.#alone.has(id)) return `id ${id}`;
    const name = this.#apart.size === 0 ? COMMON : this.#nameOf(id);
    return this.#apart.has(name) ? nameQueue(name) : COMMON;
  }

  /** Those of them that are pending go where they belong now. */
  #move(ids: readonly string[]): void {
    for (const id of ids) {
      const due = this.#queues.get(this.#places.get(id) ?? COMMON)?.get(id);
      if (due === undefined) continue;
      this.delete(id);
      this.#put(id, due);
    }
  }
}

function nameQueue(name: string): string {
  return `name ${name}`;
}
