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

/** For a shell: what is plain stays so. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
