const TOKEN =
  /\s*(?:"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{}:,])\s*/y;

/**
 * The reader's complaint about a JSON text with line and column, which it tells now as a position,
 * now not at all: neither helps in a file of a hundred lines.
 */
export function describeJsonFault(text: string, complaint: string): string {
  const [, position] = / at position (\d+)/.exec(complaint) ?? [];
  // Without the piece of the text that may follow, for it may hold a token.
  const reason = complaint.replace(/, (?:\.\.\.)?"[\s\S]*$|(?: in JSON)? at position \d+.*$/, '');
  const at = position === undefined ? firstStranger(text) : Number(position);
  if (at >= text.length) return reason;
  const before = text.slice(0, at);
  const column = before.length - before.lastIndexOf('\n');
  return `At ${before.split('\n').length}:${column}: ${reason}`;
}

/** Where what stands there is no word of JSON. */
function firstStranger(text: string): number {
  TOKEN.lastIndex = 0;
  let at = 0;
  while (TOKEN.test(text)) at = TOKEN.lastIndex;
  return at;
}
