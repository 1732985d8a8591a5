/** What a command of the command line is, and what it is given. */

import type { FlagTable } from '../lib/config/flags.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { ApiClient } from './api-client.ts';
import type { FlagValues } from './flag-values.ts';

/** The process around a command; specs put a made-up one in its place. */
export interface CommandHost {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string | Buffer) => void;
  readonly printError: (text: string) => void;
  readonly readStdin: () => Promise<Buffer>;
  /** Aborted when the user or the system asks the process to end. */
  readonly signal: AbortSignal;
}

export interface Invocation {
  readonly flags: FlagValues;
  /** What follows the flags. */
  readonly args: readonly string[];
  readonly host: CommandHost;
  /**
   * Throws for an address or a token file that is no good. Its requests end with the signal; without
   * one, when the process is asked to end.
   */
  readonly client: (signal?: AbortSignal) => ApiClient;
  /** An error that shows the command's usage after the complaint. */
  readonly misuse: (complaint: string) => ProconsulError;
}

export interface Command {
  /** What follows the command's name in the first line of its usage. */
  readonly synopsis: string;
  readonly does: string;
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
