/**
 * Walks the help of a real Consul, and writes every command and flag of its into docs/consul-commands.json:
 * CONSUL=path node --import tsx docs/record-commands.ts
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

// biome-ignore lint/style/noProcessEnv: a command of its own, which nothing imports.
const CONSUL = process.env['CONSUL'] ?? 'consul';

function say(...words: string[]): string {
  const { stdout, stderr } = spawnSync(CONSUL, words, { encoding: 'utf8' });
  return stdout + stderr;
}

/** The names below the heading of a group; none where it is a command. */
function within(help: string): string[] {
  const [, list = ''] = /^(?:Subcommands:|Available commands are:)\n(.*)/ms.exec(help) ?? [];
  return [...list.matchAll(/^ {4}(\S+)/gm)].map(([, name = '']) => name);
}

/** Those of its help, and those that it lists to one that it does not know: some are in one alone. */
function flagsOf(words: readonly string[]): string[] {
  const text = say(...words, '-h') + say(...words, '-no-such-flag');
  const names = [...text.matchAll(/^ {2}-([\w-]+)/gm)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => name !== 'no-such-flag').sort();
}

const found: Record<string, string[]> = {};

function walk(words: readonly string[]): void {
  const names = within(say(...words, '-h'));
  for (const name of names) walk([...words, name]);
  if (names.length === 0) found[words.join(' ')] = flagsOf(words);
}

walk([]);
// A group that is a command as well.
found['connect envoy'] = flagsOf(['connect', 'envoy']);
const lines = Object.keys(found)
  .sort()
  .map((words) => `  ${JSON.stringify(words)}: ${JSON.stringify(found[words])}`);
writeFileSync(new URL('consul-commands.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`);
