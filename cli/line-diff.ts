/** How one text became another, line by line. */

export interface DiffLine {
  /** Of both, of the first alone, of the second alone. */
  readonly op: ' ' | '-' | '+';
  readonly text: string;
}

/** Pairs of lines that are compared; what differs at more places is shown as all new. */
const MAX_PAIRS = 4_000_000;

export function diffLines(before: string, after: string): DiffLine[] {
  const [a, b] = [linesOf(before), linesOf(after)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  const least = Math.min(a.length, b.length) - head;
  while (tail < least && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  return [
    ...marked(' ', a.slice(0, head)),
    ...between(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...marked(' ', a.slice(a.length - tail)),
  ];
}

function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  // The end of the last line is no line of its own, and its lack is seen.
  if (lines.at(-1) === '') return lines.slice(0, -1);
  return [...lines.slice(0, -1), `${lines.at(-1)}\\ no newline at the end`];
}

function marked(op: DiffLine['op'], lines: readonly string[]): DiffLine[] {
  return lines.map((text) => ({ op, text }));
}

/** By the longest common subsequence; what goes stands before what comes. */
function between(a: readonly string[], b: readonly string[]): DiffLine[] {
  if (a.length * b.length > MAX_PAIRS) return [...marked('-', a), ...marked('+', b)];
  const common = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ op: ' ', text: a[i] ?? '' });
      i++;
      j++;
    } else if (common(i + 1, j) >= common(i, j + 1)) lines.push({ op: '-', text: a[i++] ?? '' });
    else lines.push({ op: '+', text: b[j++] ?? '' });
  }
  return [...lines, ...marked('-', a.slice(i)), ...marked('+', b.slice(j))];
}

/** How many lines what follows the two places has in common at most. */
function commonLengths(a: readonly string[], b: readonly string[]) {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const same = a[i] === b[j];
      lengths[i * width + j] = same ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}

export interface Hunk {
  /** Counted from 1; of an empty side the line before it. */
  readonly from: number;
  readonly to: number;
  readonly lines: readonly DiffLine[];
}

/** What changed, with so many lines that did not around it. */
export function hunks(lines: readonly DiffLine[], around = 3): Hunk[] {
  const found: Hunk[] = [];
  let [from, to, end] = [1, 1, -1];
  let open: { from: number; to: number; lines: DiffLine[] } | undefined;
  for (const [i, line] of lines.entries()) {
    if (line.op !== ' ') end = i + around;
    const near = lines.slice(i, i + around + 1).some(({ op }) => op !== ' ');
    if (i > end && !near) open = undefined;
    else {
      if (open === undefined) {
        open = { from, to, lines: [] };
        found.push(open);
      }
      open.lines.push(line);
    }
    if (line.op !== '+') from++;
    if (line.op !== '-') to++;
  }
  return found;
}
