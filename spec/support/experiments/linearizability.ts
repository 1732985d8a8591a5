/**
 * Whether a history of one key could have come from a single copy of it that does one thing at a
 * time: Wing and Gong's search, with Lowe's memory of where it has been. Values are unique, so that
 * a value tells which write it is of; indexes are checked too: one write has one, and they rise.
 *
 * To say that no order explains a history takes a look at all of them, so none is tried that another one
 * stands for: what changes nothing comes as soon as it may, what was seen comes in the order of the indexes,
 * and of several deletes of which nobody knows the first that was asked for.
 */

export interface Operation {
  readonly kind: 'get' | 'put' | 'cas' | 'delete';
  readonly call: number;
  /** Infinity when nobody knows whether it happened. */
  readonly ret: number;
  /** What a put or cas writes, or a get has seen; null for a missing key. */
  readonly value: string | null;
  /** The index that a get has seen with the value. */
  readonly index?: number;
  /** The value that stood at the index that a cas names; null for cas=0. */
  readonly expects?: string | null;
  /** Whether a cas succeeded. */
  readonly ok?: boolean;
}

/** What was known by then: of a write whose answer came later nobody knew whether it would happen. */
export function upTo(history: readonly Operation[], ms: number): Operation[] {
  return history.flatMap((operation) => {
    const { kind, call, ret, value, expects } = operation;
    if (ret < ms) return [operation];
    if (call >= ms || kind === 'get') return [];
    const asked = { kind, call, ret: Number.POSITIVE_INFINITY, value };
    return [expects === undefined ? asked : { ...asked, expects }];
  });
}

/** Why the history is impossible, or undefined when it is possible. */
export function impossible(history: readonly Operation[]): string | undefined {
  const operations = withoutUnseen(history).sort((a, b) => a.call - b.call);
  const indexes = new Map<string, number>();
  for (const { kind, value, index } of operations) {
    if (kind !== 'get' || value === null || index === undefined) continue;
    const known = indexes.get(value);
    if (known !== undefined && known !== index) {
      return `${value} was seen at index ${known} and at ${index}`;
    }
    indexes.set(value, index);
  }
  return new Search(operations, indexes).run();
}

/**
 * Without the writes of which nobody knows whether they happened and whose value nobody has seen.
 * Each might have happened at any later time, and a search has to try them all; but had one
 * happened, then nobody has looked before the next write, and the history stands without it. Only
 * a CAS that failed may have met such a value: those are left out from then on.
 */
function withoutUnseen(history: readonly Operation[]): Operation[] {
  const seen = new Set<string | null>();
  for (const { kind, value, expects, ok } of history) {
    if (kind === 'get') seen.add(value);
    if (ok === true && expects !== undefined) seen.add(expects);
  }
  const isUnseen = ({ kind, value, ret }: Operation) =>
    ret === Number.POSITIVE_INFINITY && kind !== 'get' && kind !== 'delete' && !seen.has(value);
  const from = Math.min(...history.filter(isUnseen).map(({ call }) => call));
  return history.filter((operation) => {
    const mayHaveMet = operation.ok === false && operation.ret > from;
    return !isUnseen(operation) && !mayHaveMet;
  });
}

interface Standing {
  readonly value: string | null;
  /** The last index that is known to have been passed. */
  readonly index: number;
}

class Search {
  readonly #operations: readonly Operation[];
  readonly #indexes: ReadonlyMap<string, number>;
  /** Of those whose index is known: somebody has seen them, so that each of them happened. */
  readonly #inOrder: readonly number[];
  readonly #done: Uint8Array;
  readonly #seen = new Set<string>();
  #deepest = 0;
  /** Everything before it is done. */
  #first = 0;
  /** How many of `#inOrder` are done. */
  #placed = 0;

  constructor(operations: readonly Operation[], indexes: ReadonlyMap<string, number>) {
    this.#operations = operations;
    this.#indexes = indexes;
    this.#done = new Uint8Array(operations.length);
    const rows = operations.map((operation, i) => ({ i, index: this.#indexOf(operation) ?? 0 }));
    const seen = rows.filter(({ index }) => index > 0).sort((a, b) => a.index - b.index);
    this.#inOrder = seen.map(({ i }) => i);
  }

  run(): string | undefined {
    if (this.#from({ value: null, index: 0 }, 0)) return undefined;
    const at = this.#operations.filter(({ ret }) => ret !== Number.POSITIVE_INFINITY)[
      this.#deepest
    ];
    return `no order explains it; the search came as far as ${JSON.stringify(at)}`;
  }

  #from(standing: Standing, count: number): boolean {
    this.#deepest = Math.max(this.#deepest, count);
    const open = this.#open();
    // What nobody knows of may never have happened.
    if (open.length === 0) return true;
    const key = `${standing.value} ${this.#fingerprint()}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    const [first, placed] = [this.#first, this.#placed];
    for (const i of this.#worthTrying(open, standing)) {
      const operation = this.#operations[i] as Operation;
      const next = step(standing, operation, this.#indexes);
      if (next === undefined) continue;
      this.#done[i] = 1;
      if (i === this.#inOrder[placed]) this.#placed++;
      while (this.#done[this.#first] === 1) this.#first++;
      const sure = isUnknown(operation) ? 0 : 1;
      if (this.#from(next, count + sure)) return true;
      this.#done[i] = 0;
      this.#first = first;
      this.#placed = placed;
    }
    return false;
  }

  #indexOf({ kind, value, ok }: Operation): number | undefined {
    if (kind === 'get' || ok === false || value === null) return undefined;
    return this.#indexes.get(value);
  }

  #worthTrying(open: readonly number[], standing: Standing): readonly number[] {
    const neutral = open.find((i) => changesNothing(standing, this.#operations[i] as Operation));
    if (neutral !== undefined) return [neutral];
    let deletes = 0;
    return open.filter((i) => {
      const operation = this.#operations[i] as Operation;
      if (this.#indexOf(operation) !== undefined) return i === this.#inOrder[this.#placed];
      if (operation.kind !== 'delete' || !isUnknown(operation)) return true;
      return standing.value !== null && ++deletes === 1;
    });
  }

  /** What may come next: it began before the first of the rest had ended. Empty when all is done. */
  #open(): number[] {
    let firstReturn = Number.POSITIVE_INFINITY;
    let sure = false;
    const open: number[] = [];
    for (let i = this.#first; i < this.#operations.length; i++) {
      const { call, ret } = this.#operations[i] as Operation;
      if (call > firstReturn) break;
      if (this.#done[i] === 1) continue;
      if (ret !== Number.POSITIVE_INFINITY) sure = true;
      firstReturn = Math.min(firstReturn, ret);
      open.push(i);
    }
    return sure ? open : [];
  }

  #fingerprint(): string {
    const last = this.#done.lastIndexOf(1);
    const left: number[] = [];
    for (let i = this.#first; i < last; i++) if (this.#done[i] !== 1) left.push(i);
    return `${last}:${left.join()}`;
  }
}

function isUnknown({ ret }: Operation): boolean {
  return ret === Number.POSITIVE_INFINITY;
}

/** Whatever comes later could come as well with this before it. */
function changesNothing({ value: now }: Standing, operation: Operation): boolean {
  const { kind, value, expects, ok } = operation;
  if (kind === 'get') return value === now;
  return kind === 'cas' && ok === false && expects !== now;
}

/** What stands after the operation; undefined when it cannot happen now. */
function step(
  standing: Standing,
  { kind, value, expects, ok }: Operation,
  indexes: ReadonlyMap<string, number>,
): Standing | undefined {
  if (kind === 'get') return standing.value === value ? standing : undefined;
  if (kind === 'delete') return { value: null, index: standing.index };
  if (kind === 'cas') {
    const matches = standing.value === expects;
    if (ok === false) return matches ? undefined : standing;
    if (!matches) return undefined;
  }
  const index = value === null ? undefined : indexes.get(value);
  if (index === undefined) return { value, index: standing.index };
  return index > standing.index ? { value, index } : undefined;
}
