/**
 * What a terminal is shown. Names, values and answers are strangers', and a terminal obeys what stands in
 * them: it sees every control character as text. Colours are marks until then, which are none of those.
 */

/** Stdout, where it is a terminal. */
export interface Terminal {
  readonly columns: number;
  readonly hasColours: boolean;
}

export type Tone = 'heading' | 'good' | 'bad' | 'doubtful';

/** Characters that Unicode keeps out of texts. What a stranger writes of them is a colour, and no more. */
const MARKS = {
  heading: ['\ufdd0', '\x1b[1m'],
  good: ['\ufdd1', '\x1b[32m'],
  bad: ['\ufdd2', '\x1b[31m'],
  doubtful: ['\ufdd3', '\x1b[33m'],
} as const satisfies Record<Tone, readonly [mark: string, sequence: string]>;
const END = '\ufdd4';
const RESET = '\x1b[0m';
const SEQUENCES: ReadonlyMap<string, string> = new Map([...Object.values(MARKS), [END, RESET]]);
const ANY_MARK = /[\ufdd0-\ufdd4]/g;

/** What a terminal obeys, and what turns the order of the characters around; lines and tabs are as they are. */
const OBEYED = /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu;
const SMALL = 0x100;

/** The text in a colour; for `shownOn` alone. */
export function toned(tone: Tone, text: string): string {
  return text === '' ? '' : `${MARKS[tone][0]}${text}${END}`;
}

/** What went wrong stands out from the usage that may follow it; for `shownOn` alone. */
export function failing(text: string): string {
  const [, why = '', rest = ''] = /^(.*?)(\n\n.*|\nUsage:.*|\n?)$/s.exec(text) ?? [];
  return `${toned('bad', why)}${rest}`;
}

/** The text as that terminal may have it. */
export function shownOn({ hasColours }: Pick<Terminal, 'hasColours'>, text: string): string {
  const plain = text.replaceAll('\r\n', '\n').replace(OBEYED, escaped);
  return plain.replace(ANY_MARK, (mark) => (hasColours ? (SEQUENCES.get(mark) ?? '') : ''));
}

/** A name or a value within a line: as wide as it will be seen. */
export function oneLine(text: string): string {
  return text.replace(/[\n\t]/g, escaped).replace(OBEYED, escaped);
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code < SMALL ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
