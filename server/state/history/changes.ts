/**
 * What became of things, change by change: a few numbers each, in columns. There may be millions, and as
 * objects they would be walked through by each collection of garbage.
 */
import { CONDITIONS, type Condition } from '../../../lib/history.ts';

const CODES = new Map<string, number>(CONDITIONS.map((name, code) => [name, code]));

/** A catalog takes whatever status it is told; what is none of Consul's counts as none that passes. */
export function conditionOf(status: string): Condition {
  return status === 'passing' || status === 'warning' || status === 'critical' ? status : 'other';
}

export interface Change {
  /** By the log's clock. */
  readonly t: number;
  readonly from: Condition;
  readonly to: Condition;
  /** 0 for none: see Texts. */
  readonly text: number;
}

/** The changes of one thing: the oldest, from which each leads to the next, the newest, and how many. */
export interface Track {
  first: number;
  last: number;
  count: number;
}

export const NONE = -1;
const ROWS = 4096;
const SHIFT = 12;
/** `from` above, `to` below. */
const CODE_BITS = 3;

export function codeOf({ from, to }: Pick<Change, 'from' | 'to'>): number {
  return ((CODES.get(from) ?? 0) << CODE_BITS) | (CODES.get(to) ?? 0);
}

export function ofCode(code: number): Pick<Change, 'from' | 'to'> {
  const from = CONDITIONS[code >> CODE_BITS] ?? 'other';
  return { from, to: CONDITIONS[code & ((1 << CODE_BITS) - 1)] ?? 'other' };
}

interface Chunk {
  /** Others read it, as it is: whoever writes into it makes a copy first. */
  isShared: boolean;
  readonly t: Float64Array;
  readonly next: Int32Array;
  readonly text: Int32Array;
  readonly code: Uint8Array;
}

export class Changes {
  readonly #chunks: Chunk[];
  #free = NONE;
  #used = 0;
  #size = 0;
  /** Told of each track before it changes. */
  onChange: (track: Track) => void = () => undefined;

  constructor(chunks: Chunk[] = []) {
    this.#chunks = chunks;
  }

  get size(): number {
    return this.#size;
  }

  /** As they are now, whatever becomes of these: from now on a chunk is copied before it is written into. */
  copy(): Changes {
    for (const chunk of this.#chunks) chunk.isShared = true;
    return new Changes([...this.#chunks]);
  }

  append(track: Track, change: Change): void {
    this.onChange(track);
    const row = this.#take();
    const chunk = this.#ownChunkOf(row);
    const at = row & (ROWS - 1);
    chunk.t[at] = change.t;
    chunk.next[at] = NONE;
    chunk.text[at] = change.text;
    chunk.code[at] = codeOf(change);
    if (track.last === NONE) track.first = row;
    else this.#ownChunkOf(track.last).next[track.last & (ROWS - 1)] = row;
    track.last = row;
    track.count++;
    this.#size++;
  }

  /** Forgets the oldest; returns its text. */
  dropFirst(track: Track): number {
    this.onChange(track);
    const row = track.first;
    const chunk = this.#ownChunkOf(row);
    const at = row & (ROWS - 1);
    track.first = chunk.next[at] ?? NONE;
    if (track.first === NONE) track.last = NONE;
    track.count--;
    this.#size--;
    chunk.next[at] = this.#free;
    this.#free = row;
    return chunk.text[at] ?? 0;
  }

  /** The row after this one of the same track. */
  next(row: number): number {
    return this.#chunkOf(row).next[row & (ROWS - 1)] ?? NONE;
  }

  t(row: number): number {
    return this.#chunkOf(row).t[row & (ROWS - 1)] ?? 0;
  }

  to(row: number): Condition {
    return ofCode(this.#chunkOf(row).code[row & (ROWS - 1)] ?? 0).to;
  }

  at(row: number): Change {
    const { t, text, code } = this.#chunkOf(row);
    const at = row & (ROWS - 1);
    const { from, to } = ofCode(code[at] ?? 0);
    return { t: t[at] ?? 0, from, to, text: text[at] ?? 0 };
  }

  /** From this row on, the oldest first. */
  *from(first: number): Generator<Change> {
    for (let row = first; row !== NONE; row = this.next(row)) yield this.at(row);
  }

  #take(): number {
    if (this.#free === NONE) {
      if (this.#used % ROWS === 0) this.#chunks.push(newChunk());
      return this.#used++;
    }
    const row = this.#free;
    this.#free = this.next(row);
    return row;
  }

  #ownChunkOf(row: number): Chunk {
    const chunk = this.#chunkOf(row);
    if (!chunk.isShared) return chunk;
    const { t, next, text, code } = chunk;
    const own = {
      isShared: false,
      ...{ t: t.slice(), next: next.slice(), text: text.slice(), code: code.slice() },
    };
    this.#chunks[row >> SHIFT] = own;
    return own;
  }

  #chunkOf(row: number): Chunk {
    return this.#chunks[row >> SHIFT] as Chunk;
  }
}

function newChunk(): Chunk {
  return {
    isShared: false,
    t: new Float64Array(ROWS),
    next: new Int32Array(ROWS),
    text: new Int32Array(ROWS),
    code: new Uint8Array(ROWS),
  };
}
