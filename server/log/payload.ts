/** A command as the logs write it, and back. All logs write it alike, so that all hash it alike. */
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson, MAX_OWN_JSON_DEPTH } from '../../lib/json.ts';
import type { Command } from '../commands.ts';
import type { Proposal } from './event-log.ts';

/**
 * A body of 1 MB may say "{}" so often that its command takes 16 times as much; a value of 512 KB
 * takes 700 KB. Larger ones would hold up everybody else's writes, and fill a whole script of Redis.
 */
export const MAX_COMMAND_BYTES = 4 * 1024 * 1024;

/**
 * Throws 'too-large', or 'invalid' for what could be written but never be read again. So that a
 * command which cannot be written is refused before it shares a batch with those of others.
 */
export function encodeProposal(id: string, command: Command): Proposal {
  const payload = encodeJson(command);
  const bytes = Buffer.byteLength(payload);
  if (bytes > MAX_COMMAND_BYTES) {
    throw new ProconsulError('too-large', `a write is limited to ${MAX_COMMAND_BYTES} bytes`);
  }
  try {
    return { id, payload, bytes, command: decodeCommand(payload) };
  } catch (cause) {
    throw new ProconsulError('invalid', 'a command that cannot be read back', { cause });
  }
}

/** Throws SyntaxError. */
export function decodeCommand(payload: string): Command {
  return decodeJson(payload, MAX_OWN_JSON_DEPTH) as Command;
}
