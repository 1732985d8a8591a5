/** Strings of HPACK that are written by its Huffman code (RFC 7541, appendix B): they are read here, and never written. */

/** In bits, of each byte and of the end of a string: the codes follow from them. */
const LENGTHS: readonly number[] = [
  ...[13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28],
  ...[28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28],
  ...[6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6],
  ...[5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10],
  ...[13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
  ...[7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6],
  ...[15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5],
  ...[6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28],
  ...[20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23],
  ...[24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24],
  ...[22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23],
  ...[21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23],
  ...[26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25],
  ...[19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27],
  ...[20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23],
  ...[26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26],
  30,
];
const END_OF_STRING = 256;
/** A code of 257 symbols has so many inner nodes. */
const NODES = 256;
const NIBBLES = 16;

/** Where four bits more lead from a node: the next node, with the symbol that they came past. */
const next = new Uint16Array(NODES * NIBBLES);
/** -1 for none, -2 for what may not come. No code is so short that there could be two. */
const symbols = new Int16Array(NODES * NIBBLES).fill(-1);
/** Nodes at which a string may end: behind less than a byte of ones. */
const mayEnd = new Uint8Array(NODES);

build();

function build(): void {
  /** Of each node its two children: a node, or a symbol as what is left of -1. */
  const children: number[] = [0, 0];
  for (const { symbol, code, length } of codes()) {
    let node = 0;
    for (let bit = length - 1; bit >= 0; bit--) {
      const place = node * 2 + ((code >> bit) & 1);
      if (bit === 0) children[place] = -1 - symbol;
      else {
        if (children[place] === 0) {
          children[place] = children.length / 2;
          children.push(0, 0);
        }
        node = children[place] as number;
      }
    }
  }
  for (let node = 0, depth = 0; depth < 8; depth++, node = children[node * 2 + 1] as number) {
    mayEnd[node] = 1;
  }
  for (let node = 0; node < NODES; node++) {
    for (let nibble = 0; nibble < NIBBLES; nibble++) step(children, node, nibble);
  }
}

function step(children: readonly number[], from: number, nibble: number): void {
  const place = from * NIBBLES + nibble;
  let node = from;
  for (let bit = 3; bit >= 0; bit--) {
    const child = children[node * 2 + ((nibble >> bit) & 1)] as number;
    if (child < 0) symbols[place] = -1 - child === END_OF_STRING ? -2 : -1 - child;
    node = Math.max(child, 0);
  }
  next[place] = node;
}

/** Shorter ones first, of equal length in the order of what they stand for: each is the one before and one. */
export function* codes() {
  const order = LENGTHS.map((length, symbol) => ({ length, symbol })).sort(
    (a, b) => a.length - b.length || a.symbol - b.symbol,
  );
  let [code, before] = [0, order[0]?.length ?? 0];
  for (const { length, symbol } of order) {
    code <<= length - before;
    yield { symbol, code, length };
    code++;
    before = length;
  }
}

let scratch = Buffer.allocUnsafe(1024);

/** Undefined for what is none. */
export function huffmanText(bytes: Buffer, from: number, to: number): string | undefined {
  // No symbol has fewer than five bits.
  const most = Math.ceil(((to - from) * 8) / 5);
  if (scratch.length < most) scratch = Buffer.allocUnsafe(most * 2);
  const out = scratch;
  let [node, length] = [0, 0];
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const place = node * NIBBLES + ((byte >> shift) & 15);
      const symbol = symbols[place] as number;
      if (symbol >= 0) out[length++] = symbol;
      else if (symbol === -2) return undefined;
      node = next[place] as number;
    }
  }
  return mayEnd[node] === 1 ? out.toString('latin1', 0, length) : undefined;
}
