import type { Entry } from '../commands.ts';
import { chainHash } from './chain.ts';
import type { Position, Proposal } from './event-log.ts';
import { encodeCommand } from './payload.ts';

export interface WrittenEntry {
  readonly entry: Entry;
  readonly payload: string;
}

/** The entry that a proposal becomes right after `previous`. The log's clock never goes back. */
export function nextEntry(previous: Position, proposal: Proposal, nowMs: number): WrittenEntry {
  const { payload, command } = encodeCommand(proposal.command);
  const index = previous.index + 1;
  const { epoch } = previous;
  const { id } = proposal;
  const t = Math.max(previous.t, nowMs);
  const hash = chainHash(previous.hash, { index, epoch, t, id, payload });
  return { entry: { index, epoch, t, id, hash, command }, payload };
}

/** Where the log stands after an entry. */
export function positionOf({ index, epoch, t, hash }: Entry): Position {
  return { index, epoch, hash, t };
}
