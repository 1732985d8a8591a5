/** All tables that a state has, by the kinds of their rows: whoever goes through all of them forgets none. */
import { sameJson } from '../../lib/equal.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { StagedRow } from '../commands.ts';
import { type EurekaRow, eurekaKey } from '../eureka-commands.ts';
import type { ToldRow } from '../notice-commands.ts';
import type { Measured } from '../scale/measured.ts';
import { coordinateKey } from './coordinates.ts';
import type { EurekaGone } from './eureka.ts';
import { pastRows } from './history/past-rows.ts';
import type { DumpedRevision, RevisionSettingsRow } from './revisions.ts';
import type { KnownMember, State } from './state.ts';
import type { Table } from './table.ts';
import { toldKey } from './told.ts';
import { fold, rowKey } from './topic-names.ts';
import type { VirtualAddress } from './virtual-addresses.ts';

/** A row of one of them. */
export interface StateRow extends StagedRow {
  readonly member?: KnownMember;
  readonly told?: ToldRow;
  readonly measured?: Measured;
  readonly revisionSettings?: RevisionSettingsRow;
  readonly revision?: DumpedRevision;
  readonly virtualAddress?: VirtualAddress;
  readonly eureka?: EurekaRow;
  readonly eurekaGone?: EurekaGone;
}

export type RowKind = keyof StateRow;

interface Rows<R> {
  readonly rows: (state: State) => Iterable<R>;
  /** Whatever is written before they are read does not change them. */
  readonly areOfNow?: true;
  /** A row as it is. */
  readonly put: (state: State, row: R) => void;
}

/** What an archive has, and a restore puts in the place of what is there. */
export interface RestoredRows<R> extends Rows<R> {
  readonly size: (state: State) => number;
  /** The row that stands where this one would. */
  readonly find: (state: State, row: R) => R | undefined;
  readonly remove: (state: State, row: R) => void;
  /** A row that another state has too, the very same one. */
  readonly share: (state: State, row: R) => void;
}

/** History is no table: it stands beside those rows that it is of. */
export type RestoredKind = Exclude<keyof StagedRow, 'history' | 'past'>;

type Restored = { readonly [K in RestoredKind]-?: RestoredRows<NonNullable<StagedRow[K]>> };
type Others = {
  readonly [K in Exclude<RowKind, RestoredKind>]-?: Rows<NonNullable<StateRow[K]>>;
};

function table<R>(
  of: (state: State) => Table<R>,
  key: (row: R) => string,
  putAsOwn?: Rows<R>['put'],
): RestoredRows<R> {
  const share = (state: State, row: R) => of(state).set(key(row), row);
  return {
    rows: (state) => of(state).values(),
    size: (state) => of(state).size,
    put: putAsOwn ?? share,
    share,
    find: (state, row) => of(state).get(key(row)),
    remove: (state, row) => {
      of(state).delete(key(row));
    },
  };
}

/** In the order in which they are put back. */
export const RESTORED: Restored = {
  node: table(
    ({ catalog }) => catalog.nodes,
    ({ Node }) => fold(Node),
  ),
  instance: table(
    ({ catalog }) => catalog.instances,
    ({ Node, ID }) => rowKey(Node, ID),
    ({ catalog }, row) => catalog.putInstance(row),
  ),
  check: table(
    ({ catalog }) => catalog.checks,
    ({ Node, CheckID }) => rowKey(Node, CheckID),
    ({ catalog }, row) => catalog.putCheck(row),
  ),
  kv: {
    rows: ({ kv }) => kv.frozen(),
    areOfNow: true,
    size: ({ kv }) => kv.size,
    put: ({ kv }, row) => kv.load(row),
    share: ({ kv }, row) => kv.load(row),
    find: ({ kv }, { Key }) => kv.get(Key),
    remove: ({ kv }, { Key }) => {
      kv.delete(Key);
    },
  },
  session: table(
    ({ sessions }) => sessions.table,
    ({ ID }) => ID,
  ),
  coordinate: table(
    ({ coordinates }) => coordinates,
    ({ Node, Segment }) => coordinateKey(Node, Segment),
  ),
  query: table(
    ({ queries }) => queries.table,
    ({ ID }) => ID,
  ),
  autopilot: table(
    ({ autopilot }) => autopilot,
    () => 'autopilot',
  ),
  configEntry: {
    rows: ({ configEntries }) => configEntries.values(),
    size: ({ configEntries }) => configEntries.size,
    put: ({ configEntries }, row) => configEntries.put(row),
    share: ({ configEntries }, row) => configEntries.put(row),
    find: ({ configEntries }, { Kind, Name }) => configEntries.get(Kind, Name),
    remove: ({ configEntries }, { Kind, Name }) => {
      configEntries.delete(Kind, Name);
    },
  },
  policy: table(
    ({ acl }) => acl.policies,
    ({ ID }) => ID,
  ),
  role: table(
    ({ acl }) => acl.roles,
    ({ ID }) => ID,
  ),
  token: table(
    ({ acl }) => acl.tokens,
    ({ SecretID }) => SecretID,
  ),
  authMethod: table(
    ({ acl }) => acl.authMethods,
    ({ Name }) => fold(Name),
  ),
  bindingRule: table(
    ({ acl }) => acl.bindingRules,
    ({ ID }) => ID,
  ),
  caConfig: table(
    ({ authority }) => authority.configs,
    () => 'config',
  ),
  caRoot: table(
    ({ authority }) => authority.roots,
    ({ ID }) => ID,
  ),
  rootKey: table(
    ({ authority }) => authority.keys,
    ({ root }) => root,
  ),
};

/** What no restore puts row by row in the place of others. */
const OTHERS: Others = {
  member: {
    rows: ({ members }) => members.values(),
    put: ({ members }, row) => members.set(fold(row.Node), row),
  },
  told: {
    rows: ({ told }) => told.values(),
    put: ({ told }, row) => told.set(toldKey(row.Target, row.Service), row),
  },
  measured: {
    rows: ({ measured }) => measured.values(),
    put: ({ measured }, row) => measured.set(fold(row.service), row),
  },
  virtualAddress: {
    rows: ({ virtual }) => virtual.rows(),
    put: ({ virtual }, row) => virtual.put(row),
  },
  eureka: {
    rows: ({ eureka }) => eureka.rows.values(),
    put: ({ eureka }, row) => eureka.rows.set(eurekaKey({ app: row.Info.app, id: row.Id }), row),
  },
  eurekaGone: {
    rows: ({ eureka }) => eureka.gone,
    put: ({ eureka }, row) => eureka.loadGone(row),
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

const TABLES = withFields(RESTORED, OTHERS) as unknown as Readonly<Record<string, Rows<unknown>>>;

export type AllRows = readonly (readonly [kind: string, rows: Iterable<unknown>])[];

export function rowsOf(state: State): AllRows {
  return Object.entries(TABLES).map(([kind, table]) => {
    const rows = table.rows(state);
    return [kind, table.areOfNow === true ? rows : [...rows]];
  });
}

/** What is no row of a table is left to whoever knows it. */
export function putRow(state: State, line: StateRow): void {
  for (const [kind, row] of Object.entries(line)) {
    if (Object.hasOwn(TABLES, kind)) TABLES[kind]?.put(state, row);
  }
  state.journal.commit();
}

export function putHistory(state: State, { history, past }: StagedRow): void {
  if (history !== undefined) putRow(state, { history });
  if (past !== undefined) putRow(state, { past });
}

/** Whichever of an archive's kinds it is. */
export function restoredKinds(): [RestoredKind, RestoredRows<unknown>][] {
  return Object.entries(RESTORED) as [RestoredKind, RestoredRows<unknown>][];
}

/** So many rows could be replaced by a restore. */
export function countRows(state: State): number {
  return restoredKinds().reduce((sum, [, { size }]) => sum + size(state), 0);
}

/** Each row with its kind and what is there as it is to be already. */
export function* foundIn(state: State, row: StagedRow) {
  for (const [kind, each] of Object.entries(row) as [RestoredKind, object][]) {
    if (!Object.hasOwn(RESTORED, kind)) continue;
    const rows = RESTORED[kind] as RestoredRows<object>;
    const there = rows.find(state, each);
    const same = there !== undefined && sameJson(there, each) ? there : undefined;
    yield { kind, rows, row: each, same };
  }
}
