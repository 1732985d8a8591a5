/** Takes a script in Lua apart into words. */

export interface Word {
  readonly kind: 'name' | 'number' | 'text' | 'sign' | 'end';
  readonly text: string;
}

const SIGNS = /^(\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\];:,.])/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

export function scan(source: string): Word[] {
  const words: Word[] = [];
  for (let rest = source; ; ) {
    rest = rest.replace(/^(\s+|--[^\n]*)+/, '');
    if (rest === '') break;
    const { word, length } = first(rest);
    words.push(word);
    rest = rest.slice(length);
  }
  words.push({ kind: 'end', text: '' });
  return words;
}

function first(rest: string): { word: Word; length: number } {
  const [name] = /^[A-Za-z_]\w*/.exec(rest) ?? [];
  if (name !== undefined) return { word: { kind: 'name', text: name }, length: name.length };
  const [number] = /^(\d+\.?\d*([eE][-+]?\d+)?)/.exec(rest) ?? [];
  if (number !== undefined)
    return { word: { kind: 'number', text: number }, length: number.length };
  const [quoted] = /^("([^"\\\n]|\\.)*"|'([^'\\\n]|\\.)*')/.exec(rest) ?? [];
  if (quoted !== undefined) {
    const text = quoted.slice(1, -1).replace(/\\(.)/g, (_, c: string) => ESCAPES[c] ?? c);
    return { word: { kind: 'text', text }, length: quoted.length };
  }
  const [sign] = SIGNS.exec(rest) ?? [];
  if (sign === undefined) throw new Error(`no Lua that is known here: ${rest.slice(0, 40)}`);
  return { word: { kind: 'sign', text: sign }, length: sign.length };
}

/** How tightly an operator binds what is left of it, and what is right. */
export const BINARY: Readonly<Record<string, readonly [left: number, right: number]>> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '==': [3, 3],
  '~=': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
};
export const UNARY = 8;
