/**
 * The first characters of a text, on their own: a part that is cut off keeps all of the text alive for as long as it
 * lives, and a stranger's may have a megabyte.
 */
export function cut(text: string, most: number): string {
  return text.length <= most ? text : Buffer.from(text.slice(0, most)).toString();
}
