/** How lines end: a browser's field of text knows one way alone, and what was written in another must stay so. */

export type LineEnds = 'lf' | 'crlf' | 'mixed';

export function lineEndsOf(text: string): LineEnds {
  const all = text.match(/\r\n|\r|\n/g) ?? [];
  if (all.every((each) => each === '\n')) return 'lf';
  return all.every((each) => each === '\r\n') ? 'crlf' : 'mixed';
}

/** As a field has it. */
export function asTyped(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

/** As what was there before has it; where that had several ways, the field's. */
export function asStored(typed: string, before: string): string {
  return lineEndsOf(before) === 'crlf' ? typed.replaceAll('\n', '\r\n') : typed;
}
