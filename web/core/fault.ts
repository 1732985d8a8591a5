/** A place at which a text is not what it is taken for. */
export interface Fault {
  /** From 1; 0 where nobody knows. */
  readonly line: number;
  readonly column: number;
  readonly says: string;
}

export function placeOf(text: string, offset: number): Pick<Fault, 'line' | 'column'> {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
