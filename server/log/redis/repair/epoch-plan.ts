/**
 * Decides what a server does about a Redis: use it, wait for others, begin an epoch, or give in to it.
 * A pure function of what was seen: README.md argues for it, and a spec runs it over every small
 * history. Who is a quorum stands here, beside the comparison of histories that relies on it.
 */
import type { Position } from '../../event-log.ts';
import { FORK_GAP, TAKEOVER_MS } from '../link/limits.ts';
import type { Ballot } from './ballot-file.ts';
import { type EpochStart, isShared } from './epochs.ts';
import type { Candidate, View } from './view.ts';

/** What of a server's own history matters to the decision. */
export interface Holdings {
  readonly server: string;
  readonly epoch: number;
  readonly epochs: readonly EpochStart[];
  readonly position: Position;
  readonly baseIndex: number;
  readonly warm: boolean;
  readonly ballot: Ballot;
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
  /** Ours, and in its epoch: read on, and write. */
  | { readonly kind: 'adopt' }
  /** `promise`: to be made before the next look. */
  | { readonly kind: 'wait'; readonly promise?: Ballot }
  /** Redis's history is the one that counts: take it instead of our own. */
  | { readonly kind: 'yield'; readonly fork: boolean }
  /** Begin an epoch; before that put our history in place of Redis's: its end only, or all of it. */
  | {
      readonly kind: 'begin';
      readonly first: 'keep' | 'repair' | 'replace' | 'salvage';
      readonly epoch: number;
      /** Indexes go on here at the earliest. */
      readonly next: number;
    };

export interface PlanLimits {
  readonly settleMs: number;
  /** How many servers there are to be, where acknowledging and beginning an epoch take a majority of them. */
  readonly quorumOf: number | undefined;
}

const WAIT: Plan = { kind: 'wait' };

export function majorityOf(servers: number): number {
  return Math.floor(servers / 2) + 1;
}

export function planEpoch(view: View, me: Holdings, limits: PlanLimits): Plan {
  const relation = relate(view, me);
  const plan = isInEpoch(view, me) ? planInEpoch(view, me, limits, relation) : undefined;
  if (plan !== undefined) return plan;
  const promise = promiseNeeded(view, me, limits);
  if (promise !== undefined) return { kind: 'wait', promise };
  return mayAct(view, me, limits) ? beginWith(firstOf(view, me, relation), view, me, limits) : WAIT;
}

/** Undefined where another epoch has to begin all the same: all who look know of something newer. */
function planInEpoch(
  view: View,
  me: Holdings,
  limits: PlanLimits,
  relation: Relation,
): Plan | undefined {
  if (relation === 'same' || relation === 'ahead') return { kind: 'adopt' };
  // Trimmed: the entries are gone that could be compared, but not where each epoch ended.
  if (relation === 'trimmed') {
    return { kind: 'yield', fork: !isShared(me.position, me.epochs, view.epochs) };
  }
  if (relation !== 'behind' && !isNewer(me, view)) return { kind: 'yield', fork: true };
  // Begun without us, but nothing was written since: what only we hold is not lost yet.
  if (relation === 'behind' && limits.quorumOf === undefined) {
    return beginWith('repair', view, me, limits);
  }
  if (!suitsOthers(view, me) || isMajority(view, me, limits)) return undefined;
  return view.sinceMs < limits.settleMs ? WAIT : { kind: 'yield', fork: true };
}

/**
 * A Redis in an epoch before one that we promised to another Redis is not to be used: what
 * that other one acknowledges counts on it.
 */
function isInEpoch({ consistent, run, epochRun, epoch }: View, me: Holdings): boolean {
  const elsewhere = me.ballot.run === run ? me.ballot.elsewhere : me.ballot.epoch;
  return consistent && epochRun === run && epoch >= Math.max(me.epoch, elsewhere);
}

/** Whether others use it as it is, and so have taken part in its epoch or given in to it. */
function suitsOthers({ users, candidates }: View, me: Holdings): boolean {
  const looking = new Set([me.server, ...candidates.map(({ server }) => server)]);
  return users.some((server) => !looking.has(server));
}

/** Before a server uses an epoch: where one has to be promised, it will use nothing older. */
export function ballotFor(view: View, ballot: Ballot, { quorumOf }: PlanLimits): Ballot {
  const start = Math.max(view.next, ballot.start);
  if (quorumOf === undefined) return { ...ballot, start };
  const { run } = view;
  const epoch = Math.max(view.epoch, ballot.epoch);
  if (run === ballot.run) return { ...ballot, epoch, start };
  return { run, epoch, elsewhere: ballot.epoch, start };
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

/** Undefined where this server has promised this Redis as much as any other has. */
function promiseNeeded(view: View, me: Holdings, { quorumOf }: PlanLimits): Ballot | undefined {
  if (quorumOf === undefined) return undefined;
  const { run, epoch, elsewhere, start } = me.ballot;
  const here = run === view.run;
  const ballots = view.candidates.map(({ ballot }) => ballot);
  // One that was used never begins again, also where this Redis has forgotten that it was.
  const used = Math.max(view.epoch, me.epoch, ...view.candidates.map((each) => each.epoch));
  // An epoch that was promised to another Redis can never be promised to this one too.
  // The first of all begins at the first index: where a disk knows that there was one, this is another.
  const least = start > 0 || view.candidates.some((each) => each.start > 0) ? 2 : 1;
  const wanted = Math.max(here ? epoch : epoch + 1, used + 1, least, ...ballots);
  if (here && epoch === wanted) return undefined;
  return { run: view.run, epoch: wanted, elsewhere: here ? elsewhere : epoch, start };
}

/**
 * Whether those who have shown what they hold may begin an epoch. Under `quorum` a majority acknowledged each
 * entry; so a majority of servers *that remember*, and have promised to acknowledge nothing elsewhere
 * any more, holds them all. One that was restarted remembers nothing, and proves nothing: it counts
 * only where every server there is has shown up.
 */
function isQuorum(view: View, me: Holdings, limits: PlanLimits): boolean {
  return limits.quorumOf === undefined ? view.candidates.length > 0 : isMajority(view, me, limits);
}

function isMajority(view: View, me: Holdings, { quorumOf }: PlanLimits): boolean {
  if (quorumOf === undefined) return false;
  const promised = view.candidates.filter((each) => each.ballot === me.ballot.epoch);
  const remembering = promised.filter(({ warm }) => warm);
  // There may be more servers than were announced: they acknowledge by their own majority.
  const known = new Set([...expected(view, me), ...view.candidates.map(({ server }) => server)]);
  if (remembering.length >= majorityOf(Math.max(quorumOf, known.size))) return true;
  // Not all that were ever known: one may be gone for good, with another in its place.
  return promised.length >= Math.max(quorumOf, view.candidates.length);
}

/** The one that holds most acts at once when all that live have shown what they hold. */
function mayAct(view: View, me: Holdings, limits: PlanLimits): boolean {
  const { candidates, sinceMs } = view;
  if (!isQuorum(view, me, limits)) return false;
  if (!isComplete(view, me, candidates) && sinceMs < limits.settleMs) return false;
  // However long it takes: who holds more than we do is there, or would not be a candidate.
  if (candidates.some((other) => holdsMore(other, me))) return false;
  const before = candidates.filter((other) => ranksBefore(other, me)).length;
  return before === 0 || sinceMs >= limits.settleMs + TAKEOVER_MS * before;
}

/**
 * Whether these are all that lived. A Redis that has lost its list of servers, or names us no more,
 * cannot tell: who was away a moment ago may be the only one that it knows, and hold the least.
 */
function isComplete(view: View, me: Holdings, among: readonly Candidate[]): boolean {
  if (!me.warm || !view.live.includes(me.server)) return false;
  const here = new Set(among.map(({ server }) => server));
  return [...expected(view, me)].every((server) => here.has(server));
}

function expected(view: View, me: Holdings): Set<string> {
  return new Set([...view.live, ...me.peers, me.server]);
}

function holdsMore(other: Candidate, me: Holdings): boolean {
  return other.server !== me.server && compare(me.epoch, me.position.index, other) < 0;
}

/** Those who hold the same take turns, by name. */
function ranksBefore(other: Candidate, me: Holdings): boolean {
  if (other.server === me.server) return false;
  const order = compare(me.epoch, me.position.index, other);
  return order < 0 || (order === 0 && other.server < me.server);
}

function isNewer({ epoch, position }: Holdings, view: View): boolean {
  return compare(epoch, position.index, view) > 0;
}

/** As in Raft: the later epoch counts, then the longer log. */
function compare(epoch: number, index: number, other: { epoch: number; index: number }): number {
  return epoch - other.epoch || index - other.index;
}

type First = Extract<Plan, { kind: 'begin' }>['first'];

function firstOf(view: View, me: Holdings, relation: Relation): First {
  if (!view.consistent) return me.warm ? 'replace' : 'salvage';
  if (relation === 'behind') return 'repair';
  if (relation === 'fork' || relation === 'older') return isNewer(me, view) ? 'replace' : 'keep';
  return 'keep';
}

/**
 * An index that anybody may have seen is never given to another entry: where something may have
 * been lost, the numbers go on far above.
 */
function beginWith(first: First, view: View, me: Holdings, limits: PlanLimits): Plan {
  const { candidates } = view;
  const { quorumOf } = limits;
  const end = first === 'keep' ? view.index : Math.max(me.position.index, view.index);
  const highest = Math.max(end, view.next - 1, ...candidates.map(({ index }) => index));
  const epochs = candidates.map(({ epoch }) => epoch);
  const newest = Math.max(view.epoch, me.epoch, ...epochs);
  // Of an epoch that nobody remembers, as when all lose their power at once, the disks know where it began.
  const start = Math.max(me.ballot.start, ...candidates.map((each) => each.start));
  const isForgotten = start > Math.max(view.next, highest + 1);
  // Nor which number it had: no more than there were indexes, and whoever is away may still be in it.
  const before = isForgotten || newest === 0 ? Math.max(newest, start) : newest;
  const epoch = quorumOf === undefined ? before + 1 : me.ballot.epoch;
  // Once there was an epoch there may have been entries, whoever remembers none.
  const wasAny = epoch > 1 || start > 0;
  const gap = isForgotten || (wasAny && mayHaveLost(first, view, me, limits));
  // Those between may have been used, each above the one before, and all that is left of them is the promise.
  const above = FORK_GAP * (quorumOf === undefined ? 1 : epoch - newest);
  return {
    kind: 'begin',
    first,
    epoch,
    next: gap ? Math.max(highest, start) + above : Math.max(view.next, end + 1),
  };
}

function mayHaveLost(
  first: First,
  view: View,
  me: Holdings,
  { quorumOf = 0 }: PlanLimits,
): boolean {
  if (first === 'repair' && view.epochRun === view.run) return false;
  const relation = relate(view, me);
  const warm = view.candidates.filter((each) => each.warm);
  // One that nobody has seen for long may write to another Redis, where what it is shown counts for none.
  const isAnyAway = warm.length < quorumOf || !isComplete(view, me, warm);
  return relation === 'fork' || relation === 'older' || isAnyAway;
}

/** For the operator: who is here, and what is waited for. */
export function describeWait({ candidates }: View, quorumOf: number | undefined): string {
  const here = candidates.map(({ server, warm, index }) => {
    return `${server} (${warm ? `up to index ${index}` : 'restarted: remembers nothing'})`;
  });
  const needed =
    quorumOf === undefined
      ? 'the one that holds most is to begin one'
      : `a majority of ${quorumOf} that remember must be here, or all ${quorumOf}`;
  return `in no epoch yet, no write is taken: here are ${here.join(', ') || 'none'}; ${needed}`;
}
