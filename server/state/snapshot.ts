/**
 * The state in lines of JSON, one row a line, and back. Restoring what was dumped gives the same
 * state, down to the order of its rows, so that the hashes of two servers can be compared.
 */

import type { HistoryLimits, HistoryRow } from '../../lib/history.ts';
import { decodeOwnJson, encodeOwnJson } from '../../lib/json.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { StagedRow } from '../commands.ts';
import type { EurekaRecent } from './eureka.ts';
import { keep, type Staging, State } from './state.ts';
import { type AllRows, foundIn, putRow, rowsOf, type StateRow } from './tables.ts';
import type { TopicsDump } from './topics.ts';

const FORMAT = 1;

type GravesDump = ReturnType<State['kv']['dumpGraves']>;

/**
 * The head is written and the rows are collected at once, which is quick, and written while the lines are
 * read, which is not: entries that are applied meanwhile don't change what comes out.
 */
export function dump(state: State): Iterable<string> {
  const about = {
    format: FORMAT,
    index: state.position,
    jump: state.jump,
    epoch: state.epoch,
    t: state.t,
    hash: state.hash,
    leadership: state.leadership,
    proposals: [...state.proposals],
    events: state.events,
    delays: state.sessions.delays(),
    aclBootstrapIndex: state.acl.bootstrapIndex,
    history: state.history.row,
    historyLimits: state.history.limits,
    virtualAddresses: true,
    eureka: state.eureka.recent,
  };
  // What it is made of may change in place.
  const head = encodeOwnJson({ head: about });
  const rest = { topics: state.topics.dump(), graves: state.kv.dumpGraves() };
  const { staging } = state;
  if (staging === undefined) return lines(head, rowsOf(state), rest);
  const { restore, parts, t, kept } = staging;
  const { row: history } = staging.state.history;
  const staged = { restore, parts, t, history, ...(kept && { onto: true as const }) };
  const keptRows = [...(kept ?? [])].map(([kind, rows]) => [kind, [...rows]] as const);
  return lines(
    head,
    rowsOf(state),
    withFields(rest, { staged, keptRows, stagedRows: rowsOf(staging.state) }),
  );
}

/** What is not rows, but as many: so many on a line, so that no line takes long. */
const PER_LINE = 500;

interface Rest {
  readonly topics: TopicsDump;
  readonly graves: GravesDump;
  readonly staged?: StagedHead;
  /** Those that stay. */
  readonly keptRows?: AllRows;
  readonly stagedRows?: AllRows;
}

function* lines(head: string, rows: AllRows, rest: Rest): Iterable<string> {
  yield head;
  for (const [kind, list] of rows) for (const row of list) yield encodeOwnJson({ [kind]: row });
  if (rest.staged !== undefined) yield encodeOwnJson({ staged: rest.staged });
  for (const [kind, list] of rest.keptRows ?? []) {
    for (const row of list) yield encodeOwnJson({ stagedKept: { [kind]: row } });
  }
  for (const [kind, list] of rest.stagedRows ?? []) {
    for (const row of list) yield encodeOwnJson({ stagedRow: { [kind]: row } });
  }
  // Last: putting the rows back touches topics, and these are what they were.
  const { topics, graves } = rest;
  for (const indexes of inParts(topics.indexes)) {
    yield encodeOwnJson({ topics: withFields(topics, { indexes, gone: [] }) });
  }
  for (const gone of inParts(topics.gone)) {
    yield encodeOwnJson({ topics: withFields(topics, { indexes: [], gone }) });
  }
  for (const part of inParts(graves.graves)) {
    yield encodeOwnJson({ graves: withFields(graves, { graves: part }) });
  }
  yield encodeOwnJson({ tail: { topics: topics.floor, graves: graves.floor } });
}

function* inParts<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < list.length; at += PER_LINE) yield list.slice(at, at + PER_LINE);
}

interface Head {
  readonly format: number;
  readonly index: number;
  readonly epoch: number;
  readonly t: number;
  readonly hash: string;
  /** Older ones do not say. */
  readonly jump?: number;
  readonly leadership: State['leadership'];
  readonly proposals: readonly [string, number][];
  readonly events: State['events'];
  readonly delays: readonly [string, number][];
  /** Older ones do not say. */
  readonly aclBootstrapIndex?: number;
  readonly history?: HistoryRow;
  readonly historyLimits?: HistoryLimits;
  /** Its services of the mesh have theirs. */
  readonly virtualAddresses?: boolean;
  /** Older ones do not say. */
  readonly eureka?: EurekaRecent;
}

/** Of a restore that is under way. */
interface StagedHead extends Omit<Staging, 'state' | 'kept'> {
  readonly onto?: true;
  /** Older ones do not say. */
  readonly history?: HistoryRow;
}

interface Line extends StateRow {
  readonly head?: Head;
  readonly staged?: StagedHead;
  readonly stagedKept?: StagedRow;
  readonly stagedRow?: StagedRow;
  readonly topics?: TopicsDump;
  readonly graves?: GravesDump;
  /** The floors: what stands for all that is not remembered any more. */
  readonly tail?: { readonly topics: number; readonly graves: number };
}

/** Builds a state line by line, so that a large one can be read in slices. */
export class Restoring {
  readonly #state = new State();
  /** An older snapshot has none: what is there is then seen for the first time. */
  #hasHistory = false;
  #hasAddresses = false;
  #complete = false;

  add(text: string): void {
    const line = decodeOwnJson(text) as Line;
    if (line.head !== undefined) this.#head(line.head);
    else if (line.topics !== undefined) this.#topics(line.topics);
    else if (line.graves !== undefined) this.#state.kv.loadGraves(line.graves);
    else if (line.tail !== undefined) this.#tail(line.tail);
    else if (line.staged !== undefined) this.#staged(line.staged);
    else if (line.stagedKept !== undefined) this.#stagedKept(line.stagedKept);
    else if (line.stagedRow !== undefined) this.#stagedRow(line.stagedRow);
    else this.#row(line);
  }

  /** The state; throws when the end is missing. */
  finish(): State {
    if (!this.#complete) throw new Error('the snapshot has no end');
    const state = this.#state;
    if (!this.#hasAddresses) {
      state.virtual.settle(state.catalog);
      state.journal.commit();
      state.topics.rollback();
    }
    return state;
  }

  #head(head: Head): void {
    const state = this.#state;
    if (head.format !== FORMAT) throw new Error(`snapshot of an unknown format ${head.format}`);
    state.position = head.index;
    state.jump = head.jump ?? 0;
    state.epoch = head.epoch;
    state.t = head.t;
    state.hash = head.hash;
    state.leadership = head.leadership;
    state.events = head.events;
    for (const [boot, counter] of head.proposals) state.proposals.set(boot, counter);
    state.sessions.loadDelays(head.delays);
    state.acl.setBootstrapIndex(head.aclBootstrapIndex ?? 0);
    this.#hasHistory = head.history !== undefined;
    this.#hasAddresses = head.virtualAddresses === true;
    if (head.eureka !== undefined) state.eureka.loadRecent(head.eureka);
    else state.eureka.forgetRecent(head.index + (head.jump ?? 0));
    if (head.historyLimits !== undefined) state.history.setLimits(head.historyLimits);
    state.history.loadRow(head.history ?? { since: head.t, gaps: [], forgotten: [] });
    state.journal.commit();
  }

  #row(line: Line): void {
    const { history, t } = this.#state;
    putRow(this.#state, line);
    if (this.#hasHistory) history.notes.clear();
    else history.commit(t, 'unknown');
  }

  #staged({ restore, parts, t, history, onto }: StagedHead): void {
    const state = new State();
    state.history.setLimits(this.#state.history.limits);
    if (history !== undefined) state.history.loadRow(history);
    const kept = onto === true ? { kept: new Map() } : {};
    this.#state.setStaging({ restore, parts, t, state, ...kept });
    this.#state.journal.commit();
  }

  #stagedRow(row: StagedRow): void {
    const { staging } = this.#state;
    if (staging === undefined) return;
    putRow(staging.state, row);
    staging.state.history.notes.clear();
  }

  /** It may have been changed by others meanwhile. */
  #stagedKept(line: StagedRow): void {
    for (const { kind, row, same } of foundIn(this.#state, line)) {
      keep(this.#state.staging?.kept, kind, same ?? row);
    }
  }

  #topics(topics: TopicsDump): void {
    this.#state.topics.rollback();
    this.#state.topics.load(topics);
  }

  #tail({ topics, graves }: NonNullable<Line['tail']>): void {
    this.#topics({ floor: topics, indexes: [], gone: [] });
    this.#state.kv.loadGraves({ floor: graves, graves: [] });
    this.#complete = true;
  }
}
