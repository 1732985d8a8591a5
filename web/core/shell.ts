/** Commands as they are pasted into a shell. */

/** Words as a shell reads them: whatever they hold, none becomes a command. */
export function shellText(...words: readonly string[]): string {
  return words.map(quoted).join(' ');
}

/** For a shell: what is plain stays so. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
