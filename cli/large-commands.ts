/** First words of commands that import packages, or thousands of lines; and of what is asked for all commands. */
const LARGE: ReadonlySet<string> = new Set([
  '-autocomplete-install',
  '-autocomplete-uninstall',
  'agent',
  'connect',
  'debug',
  'event',
  'exec',
  'import-consul',
  'k8s-sync',
  'members',
  'services',
  'snapshot',
  'tls',
  'validate',
]);

/**
 * A built program has its commands twice: those that are not large in its first file, which is small and
 * read at once, and all of them beside it. A large one is run from there (pack/bundle.ts).
 */
export function isLarge(word: string): boolean {
  return LARGE.has(word);
}
