/**
 * Entries of health as they were written lately. A service changes by one instance at a time, and it is
 * asked for in several ways: all the others are written as they were. Rows are immutable, so that an entry
 * of the same rows reads the same, whoever asks: what a caller may not see is not among his rows.
 */
import { Written } from '../../lib/json-bytes.ts';
import type { Check, Instance, Node } from '../../lib/model.ts';
import type { InstanceChecks } from './listed.ts';

/** Room for texts and for rows that may be gone: twice as much, for the older half goes at once. */
const MAX_HALF_BYTES = 8 * 1024 * 1024;
/** What is longer is rare, and would put out many. */
const MAX_TEXT = 16 * 1024;
/** Beside a text: its rows, and its place. */
const EACH_BYTES = 1024;

export interface Entry {
  readonly instance: Instance;
  readonly Node: Node | undefined;
  readonly checks: InstanceChecks;
}

interface Kept {
  readonly entry: Entry;
  readonly written: Written;
}

export class EntryTexts {
  readonly #maxHalfBytes: number;
  #newer = new Map<Instance, Kept>();
  #older = new Map<Instance, Kept>();
  #bytes = 0;

  constructor(maxHalfBytes = MAX_HALF_BYTES) {
    this.#maxHalfBytes = maxHalfBytes;
  }

  /** How many are kept. */
  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  /** `show` is the same for all. */
  of<E extends Entry>(entry: E, show: (entry: E) => object): Written {
    const { instance } = entry;
    const newer = this.#newer.get(instance);
    const known = newer ?? this.#older.get(instance);
    if (known !== undefined && isSame(known.entry, entry)) {
      if (newer === undefined) this.#keep(instance, known);
      return known.written;
    }
    const written = new Written(() => show(entry));
    if (written.text.length <= MAX_TEXT) this.#keep(instance, { entry, written });
    return written;
  }

  #keep(instance: Instance, kept: Kept): void {
    this.#bytes += kept.written.text.length + EACH_BYTES;
    if (this.#bytes > this.#maxHalfBytes) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#bytes = kept.written.text.length + EACH_BYTES;
    } else this.#older.delete(instance);
    this.#newer.set(instance, kept);
  }
}

function isSame(a: Entry, b: Entry): boolean {
  const [x, y] = [a.checks, b.checks];
  return a.Node === b.Node && areSame(x.own, y.own) && areSame(x.ofNode, y.ofNode);
}

function areSame(a: readonly Check[], b: readonly Check[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
