/** Names that users allow and deny: whole ones, or the beginning of many before a `*`. */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((each) =>
    each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each,
  );
}
