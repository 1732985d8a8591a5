import type { Entry } from '../commands.ts';
import { chainHash } from './chain.ts';
import type { Position, Proposal } from './event-log.ts';
import type { ProposalIds } from './proposal-ids.ts';

export interface WrittenEntry {
  readonly entry: Entry;
  readonly payload: string;
}

/** The entry that a proposal becomes right after `previous`. The log's clock never goes back. */
export function nextEntry(previous: Position, proposal: Proposal, nowMs: number): WrittenEntry {
  const index = previous.index + 1;
  const { epoch } = previous;
  const { id, payload, command } = proposal;
  const t = Math.max(previous.t, nowMs);
  const hash = chainHash(previous.hash, { index, epoch, t, id, payload });
  const size = payload.length;
  return { entry: { index, epoch, t, id, hash, size, command }, payload };
}

export interface ChainEnd {
  readonly position: Position;
  readonly ids: ProposalIds;
  /** By LogClock. */
  readonly nowMs: number;
}

/** The entries that a batch becomes, without the proposals that are in the log, or come twice. */
export function nextEntries(
  { position, ids, nowMs }: ChainEnd,
  batch: readonly Proposal[],
): WrittenEntry[] {
  const written: WrittenEntry[] = [];
  const inBatch = new Set<string>();
  let end = position;
  for (const proposal of batch) {
    if (inBatch.has(proposal.id) || ids.has(proposal.id)) continue;
    inBatch.add(proposal.id);
    const next = nextEntry(end, proposal, nowMs);
    end = positionOf(next.entry);
    written.push(next);
  }
  return written;
}

/** Where the log stands after an entry. */
export function positionOf({ index, epoch, t, hash }: Entry): Position {
  return { index, epoch, hash, t };
}
