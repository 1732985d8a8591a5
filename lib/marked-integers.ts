/**
 * Integers on their way through the built-in reader of JSON, which would round them: each is a string there, with a mark
 * before it that no other text has.
 */

/** What is made of those in a value. In place: a reviver takes ten times as long. */
export function unmarked(value: unknown, mark: string, made: (digits: string) => unknown): unknown {
  if (typeof value === 'string') {
    return value.startsWith(mark) ? made(value.slice(mark.length)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const within = value as Record<string, unknown>;
  for (const name of Object.keys(within)) {
    const before = within[name];
    const after = unmarked(before, mark, made);
    if (after !== before) within[name] = after;
  }
  return value;
}
