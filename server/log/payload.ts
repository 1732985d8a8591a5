/** A command as the logs write it, and back. All logs write it alike, so that all hash it alike. */
import { ProconsulError } from '../../lib/errors.ts';
import { decodeOwnJson, encodeOwnJson, encodePlainJson } from '../../lib/json.ts';
import { readsBack } from '../../lib/reads-back.ts';
import { isSealed } from '../../lib/seal/box.ts';
import type { Command, Entry } from '../commands.ts';
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
  const isPlain = readsBack(command);
  const payload = isPlain ? encodePlainJson(command) : encodeOwnJson(command);
  const bytes = Buffer.byteLength(payload);
  if (bytes > MAX_COMMAND_BYTES) {
    throw new ProconsulError('too-large', `a write is limited to ${MAX_COMMAND_BYTES} bytes`);
  }
  try {
    return { id, payload, bytes, command: isPlain ? command : decodeCommand(payload) };
  } catch (cause) {
    throw new ProconsulError('invalid', 'a command that cannot be read back', { cause });
  }
}

/** Throws SyntaxError. */
export function decodeCommand(payload: string): Command {
  return decodeOwnJson(payload) as Command;
}

/** An entry as it stands in a log. */
export interface StoredPayload {
  readonly index: number;
  readonly id: string;
  readonly payload: string;
}

/** How a log reads back what it holds: what payloads look like is not for the log to know. */
export interface PayloadReader {
  /** The command of an entry of any history. Throws a ProconsulError that says what is wrong with it. */
  decode(stored: StoredPayload): Command;
  /**
   * Told of each entry once, in the log's order, before the sink is fed: the entry as every server
   * has to apply it.
   */
  admit(entry: Entry, payload: string): Entry;
}

/** Of a log that is not sealed. */
export const plainPayloads: PayloadReader = {
  decode({ index, payload }) {
    if (isSealed(payload)) {
      const why = `entry ${index} of the log is sealed, and this server has no key (encrypt)`;
      throw new ProconsulError('invalid', why);
    }
    try {
      return decodeCommand(payload);
    } catch (cause) {
      throw new ProconsulError('internal', `entry ${index} of the log holds no command`, { cause });
    }
  },
  admit: (entry) => entry,
};
