/** The commands in docs/compat.md: each of Consul's and of ours, with its flags, and what differs. */
import { readFileSync } from 'node:fs';
import { HTTP_FLAGS } from '../cli/api-options.ts';
import { COMMANDS, type CommandEntry, type CommandNode } from '../cli/command-tree.ts';
import { AGENT_FLAGS } from '../lib/config/agent-flags.ts';

/** What a real Consul lists: docs/record-commands.ts. */
const CONSULS: Readonly<Record<string, readonly string[]>> = JSON.parse(
  readFileSync(new URL('consul-commands.json', import.meta.url), 'utf8'),
);

/** Why a command of Consul's is not there. */
const REASONS: Readonly<Record<string, string>> = {
  'connect envoy pipe-bootstrap': 'a part of `connect envoy`',
};

interface Row {
  readonly flags: readonly string[];
  readonly http: string;
}

export async function commandsTable(): Promise<string> {
  const ours = new Map([['agent', agentRow()], ...(await rowsOf(COMMANDS))]);
  const words = [...new Set([...Object.keys(CONSULS), ...ours.keys()])].sort();
  return [
    '## The command line',
    `Consul 1.8.7 has ${Object.keys(CONSULS).length} commands; its help was walked by docs/record-commands.ts. The flags of the HTTP API`,
    '(`-http-addr`, `-token`, `-token-file`, `-ca-file`, `-ca-path`, `-client-cert`, `-client-key`, `-tls-server-name`) are written',
    'as *agent*; as *query*, with `-datacenter` and `-stale`. `-namespace` is sent, and refused as by 1.8.',
    '',
    '| command | flags | beside Consul |',
    '| --- | --- | --- |',
    ...words.map((each) => line(each, ours.get(each))),
    '',
  ].join('\n');
}

function line(words: string, row: Row | undefined): string {
  const theirs = CONSULS[words];
  if (row === undefined)
    return `| \`${words}\` | | **not there**: ${REASONS[words] ?? 'unknown'} |`;
  const flags = row.flags.map((name) => `\`-${name}\``).join(' ');
  const shared = row.http === 'none' ? '' : ` *${row.http}*`;
  return `| \`${words}\` | ${`${flags}${shared}`.trim()} | ${difference(row, theirs)} |`;
}

function difference({ flags, http }: Row, theirs: readonly string[] | undefined): string {
  if (theirs === undefined) return 'its own';
  const all = new Set([...flags, ...HTTP_FLAGS[http as keyof typeof HTTP_FLAGS].keys()]);
  const missing = theirs.filter((name) => !all.has(name) && name !== 'namespace');
  const more = [...all].filter((name) => !theirs.includes(name));
  return [
    ...missing.map((name) => `**not \`-${name}\`**`),
    ...more.map((name) => `also \`-${name}\``),
  ].join(', ');
}

function agentRow(): Row {
  return { flags: [...AGENT_FLAGS.keys()].sort(), http: 'none' };
}

async function rowsOf(node: CommandNode, words: readonly string[] = []): Promise<[string, Row][]> {
  if (!('commands' in node)) return await rowOf(node, words.join(' '));
  const below = [...node.commands].map(([name, next]) => rowsOf(next, [...words, name]));
  return (await Promise.all(below)).flat();
}

/** None of a command that is there only to say that it is not. */
async function rowOf(entry: CommandEntry, words: string): Promise<[string, Row][]> {
  const { flags, http, refused } = await entry.load();
  return refused === true ? [] : [[words, { flags: [...flags.keys()].sort(), http }]];
}
