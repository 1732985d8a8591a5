/** Finds the command that a command line names, reads its flags and runs it. */

import type { FlagTable } from '../lib/config/flags.ts';
import { ProconsulError } from '../lib/errors.ts';
import { createApiClient, type Resting } from './api-client.ts';
import { apiTarget, HTTP_FLAGS } from './api-options.ts';
import type { Command, CommandHost, Invocation } from './command.ts';
import { COMMANDS, type CommandEntry, type CommandGroup } from './command-tree.ts';
import { type FlagValues, readFlags } from './flag-values.ts';
import { hintFor, NO_AGENT } from './hints.ts';
import { refusalOf } from './refused-words.ts';
import { usageOf } from './usage.ts';

/** What a shell says of a command that it does not know; Consul says it too. */
const UNKNOWN_COMMAND = 127;

/** Resolves with the exit code. Never throws for what a user can do wrong. */
export async function runCommand(words: readonly string[], host: CommandHost): Promise<number> {
  const asksHelp = wantsHelp(words);
  const first = words.findIndex((word) => !word.startsWith('-'));
  const named = first < 0 ? [] : words.slice(first);
  const { path, node, rest } = find(named);
  if (rest.length > 0 && 'commands' in node) host.printError(refusalOf(named));
  if (path.length === 0) return showCommands(host, asksHelp && named.length === 0);
  if ('commands' in node) return showGroup(host, path, node, asksHelp);

  const command = await node.load();
  const name = path.join(' ');
  const usage = usageOf(name, node.summary, command);
  if (asksHelp) {
    host.print(usage);
    return 0;
  }
  if (first > 0) {
    const why = 'Invalid flags before the subcommand. If these flags are for\n';
    host.printError(`${why}the subcommand, please put them after the subcommand.\n\n${usage}`);
    return 1;
  }
  return await run(command, { name, argv: rest, host, usage });
}

/** Help may be asked for anywhere before a `--`, as in Consul. */
function wantsHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  const flags = end < 0 ? words : words.slice(0, end);
  return flags.some((word) => word === '-h' || word === '-help' || word === '--help');
}

interface Found {
  readonly path: readonly string[];
  readonly node: CommandGroup | CommandEntry;
  readonly rest: readonly string[];
}

function find(words: readonly string[]): Found {
  let node: CommandGroup | CommandEntry = COMMANDS;
  let depth = 0;
  while ('commands' in node) {
    const next: CommandGroup | CommandEntry | undefined = node.commands.get(words[depth] ?? '');
    if (next === undefined) break;
    node = next;
    depth++;
  }
  return { path: words.slice(0, depth), node, rest: words.slice(depth) };
}

function showCommands(host: CommandHost, asked: boolean): number {
  const rows = [
    ...[...COMMANDS.commands].map(([name, { summary }]) => [name, summary] as const),
    ['agent', 'Runs an agent, or a server'] as const,
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  const usage = 'Usage: proconsul [--version] [--help] <command> [<args>]\n';
  const more = 'proconsul <command> -h shows its options, with examples.\n';
  const text = `${usage}\nAvailable commands are:\n${list(rows)}\n${more}`;
  if (asked) host.print(text);
  else host.printError(text);
  return asked ? 0 : UNKNOWN_COMMAND;
}

function showGroup(
  host: CommandHost,
  path: readonly string[],
  { summary, commands }: CommandGroup,
  asked: boolean,
): number {
  const rows = [...commands].map(([name, node]) => [name, node.summary] as const);
  const usage = `Usage: proconsul ${path.join(' ')} <subcommand> [options] [args]\n`;
  const text = `${usage}\n  ${summary}.\n\nSubcommands:\n${list(rows)}`;
  if (asked) host.print(text);
  else host.printError(text);
  return asked ? 0 : 1;
}

function list(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `    ${name.padEnd(width)}    ${text}\n`).join('');
}

interface Run {
  readonly name: string;
  readonly argv: readonly string[];
  readonly host: CommandHost;
  readonly usage: string;
}

async function run(command: Command, { name, argv, host, usage }: Run): Promise<number> {
  // What was last read of an agent.
  let answer = '';
  const onJson = (what: string) => {
    answer = what;
  };
  try {
    const table: FlagTable = new Map([...HTTP_FLAGS[command.http], ...command.flags, NAMESPACE]);
    const { flags, args } = readFlags(command.refused === true ? [] : argv, table);
    return await command.run(invocation({ name, flags, args, host, usage, onJson }));
  } catch (error) {
    if (isOfShape(error) && command.http !== 'none') {
      const why = "was answered with something that is no agent's";
      host.fail(`Error! ${answer || 'A request'} ${why}: ${error.message}\n`);
      host.hint(NO_AGENT);
      return 1;
    }
    if (!(error instanceof ProconsulError)) throw error;
    host.fail(error.message.endsWith('\n') ? error.message : `${error.message}\n`);
    const hint = hintFor(error.message);
    if (hint !== undefined) host.hint(hint);
    return 1;
  }
}

/** What comes of an object that is not there, or is of another type: answers are taken as Consul's. */
function isOfShape(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError;
}

/** Sent to the agent, which refuses it as a Consul does that is not Enterprise. */
const NAMESPACE = ['namespace', { kind: 'string', help: "Refused: Enterprise's." }] as const;

interface Parsed extends Pick<Invocation, 'name' | 'flags' | 'args' | 'host'> {
  readonly usage: string;
  readonly onJson: (what: string) => void;
}

function invocation({ name, flags, args, host, usage, onJson }: Parsed): Invocation {
  // Said once, however many clients a command makes.
  const doubted = new Set<string>();
  const resting: Resting = {};
  return {
    name,
    flags,
    args,
    host,
    client: (signal = host.signal) =>
      createApiClient({
        target: connectable(flags, host, doubted),
        query: sharedQuery(flags, host),
        signal,
        onJson,
        progress: host.progress,
        resting,
      }),
    misuse: (complaint, gap = '\n\n') =>
      new ProconsulError('invalid', `${complaint}${gap}${usage}`),
  };
}

function connectable(flags: FlagValues, host: CommandHost, doubted: Set<string>) {
  try {
    const target = apiTarget(flags, host.env);
    for (const doubt of target.doubts ?? []) {
      if (!doubted.has(doubt)) host.printError(`${doubt}\n`);
      doubted.add(doubt);
    }
    return target;
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    throw new ProconsulError('invalid', `Error connecting to Consul agent: ${cause.message}`, {
      cause,
    });
  }
}

function sharedQuery(
  flags: FlagValues,
  { env }: CommandHost,
): readonly (readonly [string, string])[] {
  const dc = flags.text('datacenter');
  const namespace = flags.text('namespace') || env['CONSUL_NAMESPACE'] || '';
  const partition = env['CONSUL_PARTITION'] || '';
  return [
    ...(namespace === '' ? [] : [['ns', namespace] as const]),
    ...(partition === '' ? [] : [['partition', partition] as const]),
    ...(dc === '' ? [] : [['dc', dc] as const]),
    ...(flags.isSet('stale') ? [['stale', ''] as const] : []),
  ];
}
