/**
 * The state in lines of JSON, one row a line, and back. Restoring what was dumped gives the same
 * state, down to the order of its rows, so that the hashes of two servers can be compared.
 */

import { decodeJson, encodeJson, MAX_OWN_JSON_DEPTH } from '../../lib/json.ts';
import type { StagedRow } from '../commands.ts';
import { coordinateKey } from './coordinates.ts';
import { type KnownMember, type Staging, State } from './state.ts';
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
  };
  const rest = { topics: state.topics.dump(), graves: state.kv.dumpGraves() };
  const { staging } = state;
  if (staging === undefined) return lines(head, rowsOf(state), rest);
  const staged = { restore: staging.restore, parts: staging.parts, t: staging.t };
  return lines(head, rowsOf(state), { ...rest, staged, stagedRows: rowsOf(staging.state) });
}

type Rows = readonly (readonly [kind: string, rows: unknown[]])[];

function rowsOf(state: State): Rows {
  return [
    ['node', [...state.catalog.nodes.values()]],
    ['instance', [...state.catalog.instances.values()]],
    ['check', [...state.catalog.checks.values()]],
    ['kv', state.kv.under('')],
    ['session', [...state.sessions.table.values()]],
    ['coordinate', [...state.coordinates.values()]],
    ['query', [...state.queries.table.values()]],
    ['member', [...state.members.values()]],
    ['autopilot', [...state.autopilot.values()]],
    ['policy', [...state.acl.policies.values()]],
    ['role', [...state.acl.roles.values()]],
    ['token', [...state.acl.tokens.values()]],
    ['authMethod', [...state.acl.authMethods.values()]],
    ['bindingRule', [...state.acl.bindingRules.values()]],
  ];
}

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
}

/** Of a restore that is under way. */
type StagedHead = Omit<Staging, 'state'>;

interface Line extends StagedRow {
  readonly head?: Head;
  readonly member?: KnownMember;
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
  #complete = false;

  add(text: string): void {
    const line = decodeJson(text, MAX_OWN_JSON_DEPTH) as Line;
    if (line.head !== undefined) this.#head(line.head);
    else if (line.topics !== undefined) this.#topics(line.topics);
    else if (line.graves !== undefined) this.#state.kv.loadGraves(line.graves);
    else if (line.tail !== undefined) this.#tail(line.tail);
    else if (line.staged !== undefined) {
      this.#state.setStaging({ ...line.staged, state: new State() });
      this.#state.journal.commit();
    } else if (line.stagedRow !== undefined) this.#stagedRow(line.stagedRow);
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
    state.journal.commit();
  }

  #row(line: Line): void {
    const { member } = line;
    if (member !== undefined) this.#state.members.set(fold(member.Node), member);
    putRow(this.#state, line);
  }

  #stagedRow(row: StagedRow): void {
    const { staging } = this.#state;
    if (staging !== undefined) putRow(staging.state, row);
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

/** A row as it is, into a state that nobody reads yet. */
export function putRow(state: State, row: StagedRow): void {
  const { node, instance, check, kv, session, coordinate, query, autopilot } = row;
  const { policy, role, token, authMethod, bindingRule } = row;
  const { catalog, sessions, coordinates, acl } = state;
  if (node !== undefined) catalog.nodes.set(fold(node.Node), node);
  if (instance !== undefined) catalog.putInstance(instance);
  if (check !== undefined) catalog.putCheck(check);
  if (kv !== undefined) state.kv.load(kv);
  if (session !== undefined) sessions.table.set(session.ID, session);
  if (coordinate !== undefined) {
    coordinates.set(coordinateKey(coordinate.Node, coordinate.Segment), coordinate);
  }
  if (query !== undefined) state.queries.table.set(query.ID, query);
  if (autopilot !== undefined) state.autopilot.set('autopilot', autopilot);
  if (policy !== undefined) acl.policies.set(policy.ID, policy);
  if (role !== undefined) acl.roles.set(role.ID, role);
  if (token !== undefined) acl.tokens.set(token.SecretID, token);
  if (authMethod !== undefined) acl.authMethods.set(fold(authMethod.Name), authMethod);
  if (bindingRule !== undefined) acl.bindingRules.set(bindingRule.ID, bindingRule);
  state.journal.commit();
}
