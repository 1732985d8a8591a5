/** How texts are ordered: by what they are, alike in all languages. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Each once, in order. */
export function several(texts: Iterable<string>): readonly string[] {
  return [...new Set(texts)].sort(compare);
}
