import { RedisError } from './reply.ts';

export interface StreamItem {
  readonly ms: number;
  readonly seq: number;
  readonly fields: readonly string[];
}

interface Id {
  readonly ms: number;
  readonly seq: number;
}

/** A stream, as far as a log needs it. */
export class Stream {
  items: StreamItem[] = [];
  last: Id = { ms: 0, seq: 0 };

  add(text: string, fields: readonly string[]): string {
    const id = parseId(text, 0);
    if (compare(id, this.last) <= 0) {
      const why = 'The ID specified in XADD is equal or smaller than the target stream top item';
      throw new RedisError(`ERR ${why}`);
    }
    this.items.push({ ...id, fields });
    this.last = id;
    return formatId(id);
  }

  copy(): Stream {
    const copy = new Stream();
    copy.items = [...this.items];
    copy.last = this.last;
    return copy;
  }

  range(from: string, to: string, count = Number.POSITIVE_INFINITY): StreamItem[] {
    const low = bound(from, 0);
    const high = bound(to, Number.MAX_SAFE_INTEGER);
    const found: StreamItem[] = [];
    for (let i = this.#first(low); i < this.items.length && found.length < count; i++) {
      const item = this.items[i] as StreamItem;
      const order = compare(item, high);
      if (order > 0 || (order === 0 && high.open)) break;
      if (low.open && compare(item, low) === 0) continue;
      found.push(item);
    }
    return found;
  }

  after(text: string, count: number): StreamItem[] {
    return this.range(`(${text}`, '+', count);
  }

  reverse(count: number): StreamItem[] {
    return this.items.slice(-count).reverse();
  }

  delete(ids: readonly string[]): number {
    const before = this.items.length;
    const gone = new Set(ids);
    this.items = this.items.filter((item) => !gone.has(formatId(item)));
    return before - this.items.length;
  }

  trimBefore(text: string): number {
    const from = this.#first({ ...parseId(text, 0) });
    this.items.splice(0, from);
    return from;
  }

  setId(text: string): void {
    const id = parseId(text, 0);
    const top = this.items.at(-1);
    if (top !== undefined && compare(id, top) < 0) {
      const why = 'The ID specified in XSETID is smaller than the target stream top item';
      throw new RedisError(`ERR ${why}`);
    }
    this.last = id;
  }

  /** The place of the first that is not before. */
  #first(id: Id): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(this.items[middle] as StreamItem, id) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function formatId({ ms, seq }: Id): string {
  return `${ms}-${seq}`;
}

function bound(text: string, seq: number): Id & { open: boolean } {
  if (text === '-') return { ms: 0, seq: 0, open: false };
  if (text === '+') return { ms: Number.MAX_SAFE_INTEGER, seq: 0, open: false };
  const open = text.startsWith('(');
  return { ...parseId(open ? text.slice(1) : text, seq), open };
}

function parseId(text: string, seq: number): Id {
  const [, ms = '', rest] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (ms === '') throw new RedisError('ERR Invalid stream ID specified as stream command argument');
  return { ms: Number(ms), seq: rest === undefined ? seq : Number(rest) };
}

function compare(a: Id, b: Id): number {
  return a.ms - b.ms || a.seq - b.seq;
}
