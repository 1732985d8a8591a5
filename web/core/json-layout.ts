/** JSON laid out, each number, string and key as it was written: to read it and write it again would round large ones. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g;
const STEP = '  ';
/** What is deep grows by its depth with each line: 40 KB of brackets would come to more than there can be. */
const MAX_LENGTH = 1024 * 1024;

/** Of a text that is JSON. Undefined where it would be too long. */
export function laidOut(json: string): string | undefined {
  let text = '';
  let depth = 0;
  let last = '';
  for (const [token] of json.matchAll(TOKEN)) {
    if (isEnd(token)) depth--;
    if (beginsLine(token, last)) text += `\n${STEP.repeat(depth)}`;
    text += token === ':' ? ': ' : token;
    if (isBegin(token)) depth++;
    last = token;
    if (text.length > MAX_LENGTH) return undefined;
  }
  return text;
}

function beginsLine(token: string, last: string): boolean {
  // Of one that is empty the end stands behind its begin.
  return isEnd(token) ? !isBegin(last) : isBegin(last) || last === ',';
}

function isBegin(token: string): boolean {
  return token === '{' || token === '[';
}

function isEnd(token: string): boolean {
  return token === '}' || token === ']';
}
