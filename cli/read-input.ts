/** An argument that may stand for a file or for what is piped in. */
import { readFileSync } from 'node:fs';
import { ProconsulError } from '../lib/errors.ts';
import type { CommandHost } from './command.ts';

/** `@file` is the file's content, `-` is stdin, and all else is meant as it stands. */
export async function readInput(argument: string, host: CommandHost): Promise<Buffer> {
  if (argument === '-') return await host.readStdin();
  if (!argument.startsWith('@')) return Buffer.from(argument);
  try {
    return readFileSync(argument.slice(1));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ProconsulError('invalid', `Error! Failed to read file: ${why}`, { cause });
  }
}
