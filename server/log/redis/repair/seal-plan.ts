/**
 * Decides what a server does about a Redis: use it, wait for others, seal it, or give in to it.
 * A pure function of what was seen, so that each case has a spec; docs/decisions has the reasons.
 */
import type { Position } from '../../event-log.ts';
import { FORK_GAP, TAKEOVER_MS } from '../link/limits.ts';
import type { Candidate, View } from './view.ts';

/** What of a server's own history matters to the decision. */
export interface Holdings {
  readonly server: string;
  readonly epoch: number;
  readonly position: Position;
  readonly baseIndex: number;
  readonly warm: boolean;
  /** The hash of an index in this history; undefined when not known. */
  hashAt(index: number): string | undefined;
  /** Servers that this one knew to live a moment ago. */
  readonly peers: readonly string[];
}

/**
 * How Redis's history lies to ours:
 * - same, behind (ours goes on where it ends), ahead (it goes on where ours ends);
 * - trimmed: it is ahead, and the entries between are gone;
 * - older: it ends before all that we remember;
 * - fork: both have what the other has not.
 */
export type Relation = 'same' | 'behind' | 'ahead' | 'trimmed' | 'older' | 'fork';

export type Plan =
  /** Ours and sealed: read on, and write. */
  | { readonly kind: 'adopt' }
  | { readonly kind: 'wait' }
  /** Redis's history is the one that counts: take it instead of our own. */
  | { readonly kind: 'yield'; readonly fork: boolean }
  /** Seal; before that put our history in place of Redis's: its end only, or all of it. */
  | {
      readonly kind: 'seal';
      readonly first: 'keep' | 'repair' | 'replace' | 'salvage';
      readonly epoch: number;
      /** Indexes go on here at the earliest. */
      readonly next: number;
    };

export interface PlanLimits {
  readonly settleMs: number;
  /** A majority of the servers, where a seal needs it. */
  readonly quorum: number;
}

function relate(view: View, { position, baseIndex, hashAt }: Holdings): Relation {
  if (view.index === position.index && view.hash === position.hash) return 'same';
  if (view.index > position.index) {
    if (view.hashAtMine === position.hash && view.hashAtMine !== '') return 'ahead';
    if (view.floor === position.index && view.floorHash === position.hash) return 'ahead';
    if (view.hashAtMine === '' && view.firstIndex > position.index) return 'trimmed';
    return 'fork';
  }
  if (hashAt(view.index) === view.hash) return 'behind';
  return view.index < baseIndex ? 'older' : 'fork';
}

export function planSeal(view: View, me: Holdings, limits: PlanLimits): Plan {
  const relation = relate(view, me);
  const oursIsNewer = compare(me.epoch, me.position.index, view) > 0;
  const apart = relation === 'fork' || relation === 'older';
  const sealed = view.consistent && view.sealedRun === view.run && view.epoch >= me.epoch;
  if (sealed && !(apart && oursIsNewer)) return planSealed(view, me, relation);
  if (!mayAct(view, me, limits)) return { kind: 'wait' };
  const first = firstOf(view, me, relation, oursIsNewer);
  return { kind: 'seal', first, ...numbersOf(view, me, first, apart) };
}

function planSealed(view: View, me: Holdings, relation: Relation): Plan {
  switch (relation) {
    case 'same':
    case 'ahead':
      return { kind: 'adopt' };
    case 'behind':
      // Sealed without us, but nothing was written since: what only we hold is not lost yet.
      return { kind: 'seal', first: 'repair', ...numbersOf(view, me, 'repair', false) };
    case 'trimmed':
      return { kind: 'yield', fork: false };
    case 'older':
    case 'fork':
      return { kind: 'yield', fork: true };
  }
}

/** The one that holds most acts at once when all that live have shown what they hold. */
function mayAct(view: View, me: Holdings, { settleMs, quorum }: PlanLimits): boolean {
  const { candidates, sinceMs } = view;
  if (candidates.length < quorum) return false;
  const known = new Set(candidates.map(({ server }) => server));
  const complete = me.warm && [...expected(view, me)].every((server) => known.has(server));
  if (!complete && sinceMs < settleMs) return false;
  const before = candidates.filter((other) => ranksBefore(other, me)).length;
  return before === 0 || sinceMs >= settleMs + TAKEOVER_MS * before;
}

function expected(view: View, me: Holdings): Set<string> {
  return new Set([...view.live, ...me.peers, me.server]);
}

function ranksBefore(other: Candidate, me: Holdings): boolean {
  if (other.server === me.server) return false;
  const order = compare(me.epoch, me.position.index, other);
  return order < 0 || (order === 0 && other.server < me.server);
}

/** As in Raft: the later epoch counts, then the longer log. */
function compare(epoch: number, index: number, other: { epoch: number; index: number }): number {
  return epoch - other.epoch || index - other.index;
}

type First = Extract<Plan, { kind: 'seal' }>['first'];

function firstOf(view: View, me: Holdings, relation: Relation, oursIsNewer: boolean): First {
  if (!view.consistent) return me.warm ? 'replace' : 'salvage';
  if (relation === 'behind') return 'repair';
  if (relation === 'fork' || relation === 'older') return oursIsNewer ? 'replace' : 'keep';
  return 'keep';
}

/**
 * An index that anybody may have seen is never given to another entry: where something may have
 * been lost, the numbers go on far above.
 */
function numbersOf(view: View, me: Holdings, first: First, apart: boolean) {
  const { candidates } = view;
  const end = first === 'keep' ? view.index : Math.max(me.position.index, view.index);
  const highest = Math.max(end, view.next - 1, ...candidates.map(({ index }) => index));
  const epochs = candidates.map(({ epoch }) => epoch);
  const fresh = highest === 0 && Math.max(view.epoch, me.epoch, ...epochs) === 0;
  const warm = new Set(candidates.filter((each) => each.warm).map(({ server }) => server));
  const complete = me.warm && [...expected(view, me)].every((server) => warm.has(server));
  const lossy = apart || !complete || candidates.some((other) => ranksBefore(other, me));
  const sure = first === 'repair' && view.sealedRun === view.run;
  const gap = lossy && !sure && highest > 0;
  return {
    epoch: fresh ? 1 : Math.max(view.epoch, me.epoch, ...epochs) + 1,
    next: gap ? highest + FORK_GAP : Math.max(view.next, end + 1),
  };
}
