/** The names of binding rules, in which `${...}` stands for what a method tells of whoever logs in. */

/** Text, or what is put in its place and where it stands, counted from 1. */
type Part = string | { readonly variable: string; readonly column: number };

const PLACE = /\$\{\s*([A-Za-z_][\w.-]*)\s*\}/g;

/** Undefined where it cannot be read. */
function parseBindName(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: whole, 1: variable = '', index } of text.matchAll(PLACE)) {
    // `$${` is how the language says `${`, which no name holds.
    if (index > 0 && text[index - 1] === '$') continue;
    parts.push(text.slice(end, index), { variable, column: index + whole.indexOf(variable) + 1 });
    end = index + whole.length;
  }
  parts.push(text.slice(end));
  const isBroken = parts.some((part) => typeof part === 'string' && /(^|[^$])\$\{/.test(part));
  return isBroken ? undefined : parts;
}

/** What is wrong with it where only these may be named; undefined when nothing is. */
export function bindNameComplaint(text: string, known: readonly string[]): string | undefined {
  const parts = parseBindName(text);
  if (parts === undefined) return 'parse error: syntax error';
  for (const part of parts) {
    if (typeof part === 'string' || known.includes(part.variable)) continue;
    return `1:${part.column}: unknown variable accessed: ${part.variable}`;
  }
  return undefined;
}

/** What it comes to; what nobody tells is nothing. */
export function filledIn(text: string, variables: ReadonlyMap<string, string>): string {
  const parts = parseBindName(text) ?? [];
  return parts
    .map((part) => (typeof part === 'string' ? part : (variables.get(part.variable) ?? '')))
    .join('');
}
