/** Reads rows of keys. */

/** Beside what a text of the API can say. */
const MARK = '\0';
/** A quote within a text has a backslash before it: it is never one of these. */
const LARGE = /"Flags":\s*(\d{16,})/g;

/** Flags are of 64 bits, and locks use all of them: beyond 2^53 they are bigint, lest a save rounds them. */
export function readKeyRows(text: string): unknown {
  const marked = text.replace(LARGE, (all, digits: string) =>
    Number.isSafeInteger(Number(digits)) ? all : `"Flags":"\\u0000${digits}"`,
  );
  if (marked === text) return JSON.parse(text);
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(MARK) ? BigInt(value.slice(1)) : value,
  );
}
