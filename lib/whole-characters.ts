/**
 * What a text of JSON says by `\ud800` and the like: half a character, of which no UTF-8 can be made, so that a
 * name with one could stand in no path and no certificate. Go reads U+FFFD; so do we, names of fields too.
 */

/** Nearly no text has one, and to look for this takes next to nothing. */
const MAYBE_HALF = /\\u[dD][89a-fA-F]/;

/**
 * A whole character in two halves, or half of one, whose backslash is no other's end. It is looked back from there
 * alone: of a text of backslashes each place would take as long as the text.
 */
const HALVES =
  /\\u(?<=(?<!\\)(?:\\\\)*\\u)(?:[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|([dD][89a-fA-F][\da-fA-F]{2}))/g;

export function wholeCharacters(json: string): string {
  if (!MAYBE_HALF.test(json)) return json;
  return json.replace(HALVES, (both, half?: string) => (half === undefined ? both : '\\ufffd'));
}
