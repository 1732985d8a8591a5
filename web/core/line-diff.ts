/** What became of a text, line by line. */

export interface Line {
  readonly text: string;
  readonly was: 'kept' | 'added' | 'removed';
}

/** Beyond so many lines on either side both texts are shown whole, one after the other. */
const MAX_LINES = 1000;

export function linesBetween(before: string, after: string): readonly Line[] {
  const [a, b] = [before.split('\n'), after.split('\n')];
  if (a.length > MAX_LINES || b.length > MAX_LINES) {
    return [...a.map(line('removed')), ...b.map(line('added'))];
  }
  const longest = longestBetween(a, b);
  const found: Line[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length; ) {
    const [x, y] = [a[i], b[j]];
    if (x !== undefined && x === y) {
      found.push({ text: x, was: 'kept' });
      i++;
      j++;
    } else if (
      y === undefined ||
      (x !== undefined && at(longest, i + 1, j) >= at(longest, i, j + 1))
    ) {
      found.push({ text: x ?? '', was: 'removed' });
      i++;
    } else {
      found.push({ text: y, was: 'added' });
      j++;
    }
  }
  return found;
}

type Lengths = readonly (readonly number[])[];

/** How many lines are the same, in order, from each pair of lines on. */
function longestBetween(a: readonly string[], b: readonly string[]): Lengths {
  const found = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const row = found[i];
      if (row === undefined) continue;
      row[j] =
        a[i] === b[j]
          ? at(found, i + 1, j + 1) + 1
          : Math.max(at(found, i + 1, j), at(found, i, j + 1));
    }
  }
  return found;
}

function at(lengths: Lengths, i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}

function line(was: Line['was']) {
  return (text: string): Line => ({ text, was });
}
