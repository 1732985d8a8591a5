/** Commands as they are pasted into a shell. */
import type { Command } from './action.ts';

/** Words as a shell reads them: whatever they hold, none becomes a command. */
export function shellText(...words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** Its names may begin with a dash: a flag of theirs would lead the command, and its token, elsewhere. */
export function commandText({ words, args = [] }: Command): string {
  const ends = args.some((each) => each.startsWith('-')) ? ['--'] : [];
  return shellText('proconsul', ...words, ...ends, ...args);
}

/** A shell takes what begins with an equals sign for a program. */
const PLAIN = /^(?!=)[\w@%+=:,./-]+$/;
/** What is a key when it is pasted, or nothing that is seen: lines alone stay what they are. */
const UNSEEN = /[^\P{C}\n]|[\u2028\u2029]/u;

/** For a shell: what is plain stays so, and what it says is what is read. */
export function quoted(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!UNSEEN.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  const letters = Array.from(text, (letter) => {
    // A shell that does not know $'…' reads a plain quote here, which a quote within would end.
    return UNSEEN.test(letter) || /['\\]/.test(letter) ? octal(letter) : letter;
  });
  return `$'${letters.join('').replaceAll('\n', '\\n')}'`;
}

function octal(letter: string): string {
  const bytes = Array.from(new TextEncoder().encode(letter));
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

/** No word of a command holds it, whoever writes it how. */
export function canBeSaid(...texts: readonly string[]): boolean {
  return !texts.some((text) => text.includes('\0'));
}
