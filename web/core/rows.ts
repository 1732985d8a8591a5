/** Lists of which the API tells what has changed (`?since`), once all of it was told. */
import type { Manner } from './live-query.ts';

/** How a list is asked for whose rows have names. */
export type Rows<Row> = Required<Pick<Manner<readonly Row[]>, 'merged'>>;

interface Changes<Row> {
  readonly Changed: readonly Row[];
  readonly Gone: readonly string[];
}

export function rowsBy<Row>(nameOf: (row: Row) => string): Rows<Row> {
  return { merged: (before, answer) => merged(before, answer as Answered<Row>, nameOf) };
}

/** All of them come where the server does not know what has changed. */
type Answered<Row> = readonly Row[] | Changes<Row>;

function merged<Row>(
  before: readonly Row[],
  answer: Answered<Row>,
  nameOf: (row: Row) => string,
): readonly Row[] {
  if (!('Changed' in answer)) return answer;
  const { Changed, Gone } = answer;
  if (Changed.length + Gone.length === 0) return before;
  const changed = new Map(Changed.map((row) => [nameOf(row), row]));
  // What went and came back is among the changed.
  const gone = new Set(Gone.filter((name) => !changed.has(name)));
  const kept = before.flatMap((row) => {
    const name = nameOf(row);
    if (gone.has(name)) return [];
    const now = changed.get(name);
    changed.delete(name);
    return now ?? row;
  });
  return [...kept, ...changed.values()];
}
