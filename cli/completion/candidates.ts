/** What may stand where the cursor of a shell is: commands of a group, then flags of a command. */
import type { FlagTable } from '../../lib/config/flags.ts';
import { HTTP_FLAGS } from '../api-options.ts';
import { COMMANDS, type CommandEntry, type CommandGroup } from '../command-tree.ts';

/** The line as it was typed up to the cursor, the program's name among it. */
export async function candidates(line: string): Promise<readonly string[]> {
  const words = line.trimStart().split(/\s+/);
  if (words.length < 2) return [];
  const last = words.at(-1) ?? '';
  const { node, rest } = follow(words.slice(1, -1));
  if (node === undefined) return [];
  // A word that stands behind a command's own is an argument: only its user knows it.
  if ('commands' in node) return rest === 0 ? beginning(last, namesOf(node)) : [];
  if (!last.startsWith('-')) return [];
  const dashes = last.startsWith('--') ? '--' : '-';
  const flags = [...(await flagsOf(node)).keys(), 'help'].sort();
  return beginning(
    last,
    flags.map((name) => dashes + name),
  );
}

const AGENT = 'agent';
type Node = CommandGroup | CommandEntry | typeof AGENT_ENTRY;
const AGENT_ENTRY = { agent: true } as const;

function follow(words: readonly string[]): { node: Node | undefined; rest: number } {
  let node: Node = COMMANDS;
  for (const [at, word] of words.entries()) {
    if (!('commands' in node)) return { node, rest: words.length - at };
    const next: Node | undefined =
      node === COMMANDS && word === AGENT ? AGENT_ENTRY : node.commands.get(word);
    if (next === undefined) return { node: undefined, rest: words.length - at };
    node = next;
  }
  return { node, rest: 0 };
}

function namesOf(group: CommandGroup): readonly string[] {
  return [...(group === COMMANDS ? [AGENT] : []), ...group.commands.keys()].sort();
}

async function flagsOf(node: CommandEntry | typeof AGENT_ENTRY): Promise<FlagTable> {
  if ('agent' in node) return (await import('../../lib/config/agent-flags.ts')).AGENT_FLAGS;
  const { http, flags } = await node.load();
  return new Map([...HTTP_FLAGS[http], ...flags]);
}

function beginning(start: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => name.startsWith(start));
}
