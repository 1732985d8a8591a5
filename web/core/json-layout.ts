/** JSON laid out, each number, string and key as it was written: to read it and write it again would round large ones. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g;
const STEP = '  ';

/** Of a text that is JSON. */
export function laidOut(json: string): string {
  let text = '';
  let depth = 0;
  let last = '';
  for (const [token] of json.matchAll(TOKEN)) {
    if (isEnd(token)) depth--;
    if (beginsLine(token, last)) text += `\n${STEP.repeat(depth)}`;
    text += token === ':' ? ': ' : token;
    if (isBegin(token)) depth++;
    last = token;
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
