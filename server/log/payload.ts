/** A command as the logs write it, and back. All logs write it alike, so that all hash it alike. */
import { ProconsulError } from '../../lib/errors.ts';
import { decodeJson, encodeJson, MAX_OWN_JSON_DEPTH } from '../../lib/json.ts';
import type { Command } from '../commands.ts';

/**
 * Far above the largest request that the routes let through, and small enough that a damaged length
 * never makes a log reserve memory that the machine has not got.
 */
export const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** A command on both sides of the log. */
export interface Encoded {
  readonly payload: string;
  /** Read back from the payload: what every server, now and after a restart, will apply. */
  readonly command: Command;
}

/** Throws 'invalid' or 'too-large' for what could be written but never be read again. */
export function encodeCommand(command: Command): Encoded {
  const payload = encodeJson(command);
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
    throw new ProconsulError('too-large', `a command is limited to ${MAX_PAYLOAD_BYTES} bytes`);
  }
  try {
    return { payload, command: decodeCommand(payload) };
  } catch (cause) {
    throw new ProconsulError('invalid', 'a command that cannot be read back', { cause });
  }
}

/** Throws SyntaxError. */
export function decodeCommand(payload: string): Command {
  return decodeJson(payload, MAX_OWN_JSON_DEPTH) as Command;
}
