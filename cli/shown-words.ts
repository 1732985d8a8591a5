/** What `ps` shows, to everybody on the machine, of the words that an agent was started with. */

/** Flags whose value is a secret as it stands, or may hold one. */
const SECRET_FLAG = /^(--?encrypt)(=|$)/;
const MAY_HOLD_ONE = /encrypt|token|password|secret|:\/\/[^/\s]*@/i;
const FRAGMENT = /^(--?(?:hcl|redis))(=|$)/;
const HIDDEN = 'hidden';

/** Undefined where there is nothing to hide: the words stay as they are then. */
export function shownWords(words: readonly string[]): string | undefined {
  const shown: string[] = [];
  let isNextHidden: ((word: string) => boolean) | undefined;
  for (const word of words) {
    if (isNextHidden !== undefined) {
      shown.push(isNextHidden(word) ? HIDDEN : word);
      isNextHidden = undefined;
      continue;
    }
    const [, flag = '', sign] = SECRET_FLAG.exec(word) ?? FRAGMENT.exec(word) ?? [];
    const hides = SECRET_FLAG.test(word) ? () => true : (text: string) => MAY_HOLD_ONE.test(text);
    if (sign === '=' && hides(word.slice(flag.length + 1))) shown.push(`${flag}=${HIDDEN}`);
    else shown.push(word);
    if (sign === '') isNextHidden = hides;
  }
  const differs = shown.some((word, at) => word !== words[at]);
  return differs ? shown.join(' ') : undefined;
}
