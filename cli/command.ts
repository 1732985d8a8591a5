/** What a command of the command line is, and what it is given. */

import type { FlagTable } from '../lib/config/flags.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { readWhole } from '../lib/read-whole.ts';
import type { ApiClient } from './api-client.ts';
import type { FlagValues } from './flag-values.ts';
import type { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** The process around a command; specs put a made-up one in its place. */
export interface CommandHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string | Buffer) => void;
  /** Of what was printed, how many bytes nobody has read yet. */
  readonly unread: () => number;
  /** What was printed and could not be written, in writes. */
  readonly unwritten: () => number;
  readonly printError: (text: string) => void;
  /** Says why the command fails; a person sees that it does. */
  readonly fail: (text: string) => void;
  /** Where what is printed is read by a person; undefined in a pipe. */
  readonly terminal: Terminal | undefined;
  /** A line that is written over by the next, and taken away by an empty one; seen on a terminal alone. */
  readonly progress: Progress;
  /** What somebody may do about a failure; seen on a terminal alone. */
  readonly hint: (text: string) => void;
  /** To its end, or until the signal is aborted: a process that still reads does not end. */
  readonly readStdin: (signal?: AbortSignal) => Promise<Buffer>;
  /** Aborted when the user or the system asks the process to end. */
  readonly signal: AbortSignal;
  /** Told each time when another process is to take this one's place; until then that ends the process. */
  readonly onRenewal: (tell: () => void) => void;
}

export interface Invocation {
  /** The command's words, as they were typed. */
  readonly name: string;
  readonly flags: FlagValues;
  /** What follows the flags. */
  readonly args: readonly string[];
  readonly host: CommandHost;
  /**
   * Throws for an address or a token file that is no good. Its requests end with the signal; without
   * one, when the process is asked to end.
   */
  readonly client: (signal?: AbortSignal) => ApiClient;
  /** An error that shows the command's usage after the complaint, below a line left empty or not. */
  readonly misuse: (complaint: string, gap?: '\n' | '\n\n') => ProconsulError;
}

export interface Command {
  /** What follows the command's name in the first line of its usage. */
  readonly synopsis: string;
  /** What its usage says beyond the summary in the tree. */
  readonly details?: string;
  /** What may follow the command's name, as a user would type it. */
  readonly examples?: readonly string[];
  /** Whose flags it takes beside its own: `query` is `agent` with -datacenter and -stale. */
  readonly http: 'none' | 'agent' | 'query';
  readonly flags: FlagTable;
  /** It refuses whatever it is given: that is said first, not which flag it does not know. */
  readonly refused?: true;
  /** Resolves with the exit code. A ProconsulError is printed by the caller, and exits with 1. */
  run(invocation: Invocation): Promise<number> | number;
}

/** Prefixes what went wrong, as Consul does: 'Error listing nodes: …'. */
export async function explained<T>(prefix: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    throw new ProconsulError(cause.code, `${prefix}: ${cause.message}`, { cause });
  }
}

export function refuseArguments(args: readonly string[], most = 0): void {
  if (args.length <= most) return;
  throw new ProconsulError('invalid', `Too many arguments (expected ${most}, got ${args.length})`);
}

/** What a server takes at most, some times over: an export of many keys is the largest. */
const MAX_INPUT_BYTES = 1024 * 1024 * 1024;

/** `@file` is the file's content, `-` is stdin, and all else is meant as it stands. */
export async function readInput(
  argument: string,
  host: CommandHost,
  prefix = 'Error! ',
): Promise<Buffer> {
  if (argument === '-') return await host.readStdin();
  if (!argument.startsWith('@')) return Buffer.from(argument);
  try {
    return readWhole(argument.slice(1), MAX_INPUT_BYTES);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `${prefix}Failed to read file: ${why}`, { cause });
  }
}

/** Rows below one another, each column as wide as its widest cell, `gap` spaces between them. */
export function columns(rows: readonly (readonly string[])[], gap = 2): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((r) => r[at]?.length ?? 0)));
  return rows.map((row) => `${line(row, widths, ' '.repeat(gap))}\n`).join('');
}

function line(row: readonly string[], widths: readonly number[], gap: string): string {
  return row
    .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
    .join(gap);
}
