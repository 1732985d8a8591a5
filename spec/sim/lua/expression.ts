/** Pieces of JavaScript that a script's expressions come to. */

/** `many` may come to several values: a call. */
export interface Expression {
  readonly code: string;
  readonly many?: boolean;
  /** Comes to true or false, of JavaScript too. */
  readonly truth?: boolean;
}

export function single(expression: Expression | undefined): string {
  if (expression === undefined) return 'undefined';
  return expression.many === true ? `V.one(${expression.code})` : expression.code;
}

export function truth(expression: Expression): string {
  return expression.truth === true ? expression.code : `V.isTrue(${single(expression)})`;
}

/** Arguments or items: the last one brings all its values. */
export function spread(list: readonly Expression[]): string[] {
  return list.map((each, i) => {
    const isLast = i === list.length - 1;
    return isLast && each.many === true ? `...V.all(${each.code})` : single(each);
  });
}

export function listOf(list: readonly Expression[]): string {
  return `[${spread(list).join(', ')}]`;
}

/** `target` as it is read, turned into what writes it. */
export function assigned(target: string, value: string): string {
  const [, inner] = /^V\.get\((.*)\)$/s.exec(target) ?? [];
  return inner === undefined ? `${target} = ${value}` : `V.set(${inner}, ${value})`;
}
