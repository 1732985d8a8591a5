/** What waits for its turn, in a line by whom it is for: each of them has its next in turn, however much others have. */

/** In which what many need stands: one of them comes to his turn soon. */
export const MOST_LINES = 16;

export class Lines<T extends object> {
  /** The line whose turn is next stands first. */
  readonly #lines = new Map<object, Line<T>>();

  get isEmpty(): boolean {
    return this.#lines.size === 0;
  }

  /** At its end, where it does not stand in it already. */
  add(of: object, each: T): void {
    const line = this.#lines.get(of) ?? new Line<T>();
    line.add(each);
    this.#lines.set(of, line);
  }

  delete(of: object, each: T): void {
    const line = this.#lines.get(of);
    line?.delete(each);
    if (line?.isEmpty === true) this.#lines.delete(of);
  }

  /** Begins the first of the line whose turn it is of which anything is to be done: for the others that is false. */
  next(begin: (each: T) => boolean): void {
    const [first] = this.#lines;
    if (first === undefined) return;
    const [of, line] = first;
    this.#lines.delete(of);
    // It is there meanwhile: what is begun may have something more stand in it.
    this.#lines.set(of, line);
    for (let each = line.shift(); each !== undefined && !begin(each); ) each = line.shift();
    if (line.isEmpty && this.#lines.get(of) === line) this.#lines.delete(of);
  }
}

class Line<T> {
  readonly #items = new Set<T>();
  /** Kept, for a new one would look at the places of all that have gone before it comes to the first. */
  #next = this.#items.values();

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  add(each: T): void {
    this.#items.add(each);
  }

  delete(each: T): void {
    this.#items.delete(each);
  }

  shift(): T | undefined {
    let next = this.#next.next();
    if (next.done === true) {
      // It ends for good where there is nothing at that time.
      this.#next = this.#items.values();
      next = this.#next.next();
    }
    if (next.done === true) return undefined;
    this.#items.delete(next.value);
    return next.value;
  }
}
