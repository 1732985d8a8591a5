/** Names on the wire. */
import { HEADER_BYTES, MAX_LABEL_BYTES, MAX_NAME_BYTES, MAX_POINTER, POINTER } from './wire.ts';

/** A name in full, or undefined when it is none: a label is empty or too long. */
export function wireName(name: string): Buffer | undefined {
  return encode(labels(name), Buffer.from([0]));
}

function labels(name: string): string[] {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare === '' ? [] : bare.split('.');
}

function encode(parts: readonly string[], end: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  let bytes = 1;
  for (const part of parts) {
    const label = Buffer.from(part);
    if (label.length === 0 || label.length > MAX_LABEL_BYTES) return undefined;
    pieces.push(Buffer.from([label.length]), label);
    bytes += label.length + 1;
  }
  return bytes > MAX_NAME_BYTES ? undefined : Buffer.concat([...pieces, end]);
}

/**
 * Names of one answer. They are shortened by pointing into its question and nowhere else, so that
 * a record is the same wherever it comes to stand in the packet.
 */
export class Names {
  readonly #offsets = new Map<string, number>();
  /** The question's own name: what most records belong to. */
  readonly owner: Buffer;

  constructor(question: Buffer, compress: boolean) {
    const end = question.indexOf(0) + 1;
    this.owner = compress ? pointer(HEADER_BYTES) : question.subarray(0, end);
    if (!compress) return;
    const name = question.toString('latin1', 0, end).toLowerCase();
    for (let at = 0; question[at] !== 0; at += (question[at] as number) + 1) {
      this.#offsets.set(name.slice(at), HEADER_BYTES + at);
    }
  }

  /** As short as it can be; undefined when it is no name. */
  encode(name: string): Buffer | undefined {
    const full = wireName(name);
    if (full === undefined || this.#offsets.size === 0) return full;
    const folded = full.toString('latin1').toLowerCase();
    for (let at = 0; full[at] !== 0; at += (full[at] as number) + 1) {
      const offset = this.#offsets.get(folded.slice(at));
      if (offset !== undefined) return Buffer.concat([full.subarray(0, at), pointer(offset)]);
    }
    return full;
  }
}

/** `offset` must not be beyond MAX_POINTER. */
export function pointer(offset: number): Buffer {
  return Buffer.from([POINTER | (offset >> 8), offset & 0xff]);
}

export function canPointTo(offset: number): boolean {
  return offset <= MAX_POINTER;
}
