/** What this server appends: what comes back of it the same, byte for byte, need not be read once more. */
import type { Command } from '../commands.ts';
import type { Proposal } from './event-log.ts';
import type { PayloadReader, StoredPayload } from './payload.ts';

/** As many batches as may be under way at once, in any log. */
const KEPT_BATCHES = 2;

export class OwnProposals {
  #batches: readonly (readonly Proposal[])[] = [];
  /** The same by their ids, once one is looked for: files are not read back. */
  #byId: ReadonlyMap<string, Proposal> | undefined;

  appending(batch: readonly Proposal[]): void {
    this.#batches = [...this.#batches.slice(1 - KEPT_BATCHES), batch];
    this.#byId = undefined;
  }

  /** As every server reads it; undefined where another has written it, or something else stands there. */
  commandOf({ id, payload }: StoredPayload): Command | undefined {
    this.#byId ??= new Map(this.#batches.flat().map((proposal) => [proposal.id, proposal]));
    const own = this.#byId.get(id);
    return own?.payload === payload ? own.command : undefined;
  }
}

/** Reads by `payloads` what others have written. */
export function knowing(own: OwnProposals, payloads: PayloadReader): PayloadReader {
  return {
    decode: (stored) => own.commandOf(stored) ?? payloads.decode(stored),
    admit: (entry, payload) => payloads.admit(entry, payload),
  };
}
