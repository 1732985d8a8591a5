/**
 * The state in lines of JSON, one row a line, and back. Restoring what was dumped gives the same
 * state, down to the order of its rows, so that the hashes of two servers can be compared.
 */

import type { HistoryLimits, HistoryRow } from '../../lib/history.ts';
import { decodeJson, encodeJson, MAX_OWN_JSON_DEPTH } from '../../lib/json.ts';
import type { StagedRow, ToldRow } from '../commands.ts';
import { coordinateKey } from './coordinates.ts';
import { pastRows } from './history/past-rows.ts';
import type { DumpedRevision, RevisionSettingsRow } from './revisions.ts';
import { type KnownMember, type Staging, State } from './state.ts';
import { toldKey } from './told.ts';
import { fold } from './topic-names.ts';
import type { TopicsDump } from './topics.ts';

const FORMAT = 1;

type GravesDump = ReturnType<State['kv']['dumpGraves']>;

/**
 * The rows are collected at once, which is quick, and written while the lines are read, which is
 * not: entries that are applied meanwhile don't change what comes out.
 */
export function dump(state: State): Iterable<string> {
  const head = {
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
  };
  const rest = { topics: state.topics.dump(), graves: state.kv.dumpGraves() };
  const { staging } = state;
  if (staging === undefined) return lines(head, rowsOf(state), rest);
  const { restore, parts, t } = staging;
  const staged = { restore, parts, t, history: staging.state.history.row };
  return lines(head, rowsOf(state), { ...rest, staged, stagedRows: rowsOf(staging.state) });
}

type Rows = readonly (readonly [kind: string, rows: Iterable<unknown>])[];

function rowsOf(state: State): Rows {
  return Object.entries(TABLES).map(([kind, table]: [string, RowsOf]) => {
    const rows = table.rows(state);
    return [kind, table.areOfNow === true ? rows : [...rows]];
  });
}

interface RowsOf<R = unknown> {
  readonly rows: (state: State) => Iterable<R>;
  /** Whatever is written before they are read does not change them. */
  readonly areOfNow?: true;
}

interface TableOf<R> extends RowsOf<R> {
  /** A row as it is, into a state that nobody reads yet. */
  readonly put: (state: State, row: R) => void;
}

type Tables = { readonly [K in keyof Line & RowKind]: TableOf<NonNullable<Line[K]>> };
type RowKind = keyof StagedRow | 'member' | 'told' | 'revisionSettings' | 'revision';

/** All rows that a state has, by their kinds, in the order in which they are put back. */
const TABLES: Tables = {
  node: {
    rows: ({ catalog }) => catalog.nodes.values(),
    put: ({ catalog }, row) => catalog.nodes.set(fold(row.Node), row),
  },
  instance: {
    rows: ({ catalog }) => catalog.instances.values(),
    put: ({ catalog }, row) => catalog.putInstance(row),
  },
  check: {
    rows: ({ catalog }) => catalog.checks.values(),
    put: ({ catalog }, row) => catalog.putCheck(row),
  },
  kv: { rows: ({ kv }) => kv.under(''), put: ({ kv }, row) => kv.load(row) },
  session: {
    rows: ({ sessions }) => sessions.table.values(),
    put: ({ sessions }, row) => sessions.table.set(row.ID, row),
  },
  coordinate: {
    rows: ({ coordinates }) => coordinates.values(),
    put: ({ coordinates }, row) => coordinates.set(coordinateKey(row.Node, row.Segment), row),
  },
  query: {
    rows: ({ queries }) => queries.table.values(),
    put: ({ queries }, row) => queries.table.set(row.ID, row),
  },
  member: {
    rows: ({ members }) => members.values(),
    put: ({ members }, row) => members.set(fold(row.Node), row),
  },
  autopilot: {
    rows: ({ autopilot }) => autopilot.values(),
    put: ({ autopilot }, row) => autopilot.set('autopilot', row),
  },
  configEntry: {
    rows: ({ configEntries }) => configEntries.values(),
    put: ({ configEntries }, row) => configEntries.put(row),
  },
  policy: {
    rows: ({ acl }) => acl.policies.values(),
    put: ({ acl }, row) => acl.policies.set(row.ID, row),
  },
  role: {
    rows: ({ acl }) => acl.roles.values(),
    put: ({ acl }, row) => acl.roles.set(row.ID, row),
  },
  token: {
    rows: ({ acl }) => acl.tokens.values(),
    put: ({ acl }, row) => acl.tokens.set(row.SecretID, row),
  },
  authMethod: {
    rows: ({ acl }) => acl.authMethods.values(),
    put: ({ acl }, row) => acl.authMethods.set(fold(row.Name), row),
  },
  bindingRule: {
    rows: ({ acl }) => acl.bindingRules.values(),
    put: ({ acl }, row) => acl.bindingRules.set(row.ID, row),
  },
  told: {
    rows: ({ told }) => told.values(),
    put: ({ told }, row) => told.set(toldKey(row.Target, row.Service), row),
  },
  // It stands in the head: what rows are seen for depends on it.
  history: { rows: () => [], put: ({ history }, row) => history.loadRow(row) },
  past: {
    rows: ({ history }) => pastRows(history.frozen()),
    areOfNow: true,
    put: ({ history }, row) => history.load(row),
  },
  revisionSettings: {
    rows: ({ revisions }) => (revisions.settings === undefined ? [] : [revisions.settings]),
    put: ({ revisions }, row) => revisions.loadSettings(row),
  },
  revision: {
    rows: ({ revisions }) => revisions.dump(),
    put: ({ revisions }, row) => revisions.load(row),
  },
};

/** What is not rows, but as many: so many on a line, so that no line takes long. */
const PER_LINE = 500;

interface Rest {
  readonly topics: TopicsDump;
  readonly graves: GravesDump;
  readonly staged?: StagedHead;
  readonly stagedRows?: Rows;
}

function* lines(head: object, rows: Rows, rest: Rest): Iterable<string> {
  yield encodeJson({ head });
  for (const [kind, list] of rows) for (const row of list) yield encodeJson({ [kind]: row });
  if (rest.staged !== undefined) yield encodeJson({ staged: rest.staged });
  for (const [kind, list] of rest.stagedRows ?? []) {
    for (const row of list) yield encodeJson({ stagedRow: { [kind]: row } });
  }
  // Last: putting the rows back touches topics, and these are what they were.
  const { topics, graves } = rest;
  for (const indexes of inParts(topics.indexes)) {
    yield encodeJson({ topics: { ...topics, indexes, gone: [] } });
  }
  for (const gone of inParts(topics.gone)) {
    yield encodeJson({ topics: { ...topics, indexes: [], gone } });
  }
  for (const part of inParts(graves.graves)) {
    yield encodeJson({ graves: { ...graves, graves: part } });
  }
  yield encodeJson({ tail: { topics: topics.floor, graves: graves.floor } });
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
}

/** Of a restore that is under way. */
interface StagedHead extends Omit<Staging, 'state'> {
  /** Older ones do not say. */
  readonly history?: HistoryRow;
}

interface Line extends StagedRow {
  readonly head?: Head;
  readonly member?: KnownMember;
  readonly told?: ToldRow;
  readonly revisionSettings?: RevisionSettingsRow;
  readonly revision?: DumpedRevision;
  readonly staged?: StagedHead;
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
  #complete = false;

  add(text: string): void {
    const line = decodeJson(text, MAX_OWN_JSON_DEPTH) as Line;
    if (line.head !== undefined) this.#head(line.head);
    else if (line.topics !== undefined) this.#topics(line.topics);
    else if (line.graves !== undefined) this.#state.kv.loadGraves(line.graves);
    else if (line.tail !== undefined) this.#tail(line.tail);
    else if (line.staged !== undefined) this.#staged(line.staged);
    else if (line.stagedRow !== undefined) this.#stagedRow(line.stagedRow);
    else this.#row(line);
  }

  /** The state; throws when the end is missing. */
  finish(): State {
    if (!this.#complete) throw new Error('the snapshot has no end');
    return this.#state;
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

  #staged({ restore, parts, t, history }: StagedHead): void {
    const state = new State();
    state.history.setLimits(this.#state.history.limits);
    if (history !== undefined) state.history.loadRow(history);
    this.#state.setStaging({ restore, parts, t, state });
    this.#state.journal.commit();
  }

  #stagedRow(row: StagedRow): void {
    const { staging } = this.#state;
    if (staging === undefined) return;
    putRow(staging.state, row);
    staging.state.history.notes.clear();
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

/** What is no row of a table is left to whoever knows it. */
export function putRow(state: State, line: StagedRow & Pick<Line, 'member'>): void {
  for (const [kind, row] of Object.entries(line)) {
    if (Object.hasOwn(TABLES, kind)) (TABLES[kind as RowKind] as TableOf<unknown>).put(state, row);
  }
  state.journal.commit();
}
