/** Whatever the history, the rights and the command: what is applied changes nothing but what may be changed. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import type { Resource, Rights } from '../../../lib/acl/rights.ts';
import { sameJson } from '../../../lib/equal.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { encodeJson } from '../../../lib/json.ts';
import type {
  Check,
  Instance,
  KeyValue,
  Node,
  PreparedQuery,
  Session,
} from '../../../lib/model.ts';
import { type Judgeable, judge } from '../../../server/acl/judge.ts';
import type { Entry } from '../../../server/commands.ts';
import { apply } from '../../../server/state/apply.ts';
import { hasQueryName } from '../../../server/state/queries.ts';
import { State } from '../../../server/state/state.ts';
import { entriesOf, NODES, SERVICES, steps } from '../../support/experiments/commands.ts';
import { SEED } from '../../support/seed.ts';

const names = {
  node: [...NODES],
  service: [...SERVICES],
  session: [...NODES],
  key: ['k', 'k/1', 'k/2'],
  query: ['q', 'web', ''],
};

/** Some names alone, or all but some. */
const rules = fc
  .tuple(
    ...Object.entries(names).map(([kind, list]) =>
      fc
        .tuple(fc.subarray(list), fc.boolean())
        .map(([some, allBut]) => [
          ...(allBut ? [`${kind}_prefix "" { policy = "write" }`] : []),
          ...some.map((name) => `${kind} "${name}" { policy = "${allBut ? 'deny' : 'write'}" }`),
        ]),
    ),
  )
  .map((lines) => lines.flat().join('\n'));

/** By these the catalog fills quickly; the more there is, the more there is to take. */
const CATALOG = new Set(['register', 'deregister', 'txn']);
const OTHERS = new Set(['kv', 'create-session', 'destroy-session', 'set-query', 'delete-query']);

interface Rows {
  readonly nodes: ReadonlyMap<string, Node>;
  readonly instances: ReadonlyMap<string, Instance>;
  readonly checks: ReadonlyMap<string, Check>;
  readonly keys: ReadonlyMap<string, KeyValue>;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly queries: ReadonlyMap<string, PreparedQuery>;
}

function rowsOf({ catalog, kv, sessions, queries }: State): Rows {
  const by = <V>(rows: Iterable<V>, key: (row: V) => string) =>
    new Map([...rows].map((row) => [key(row), row]));
  return {
    nodes: by(catalog.nodes.values(), ({ Node }) => Node.toLowerCase()),
    instances: by(catalog.instances.values(), ({ Node, ID }) => `${Node.toLowerCase()}\0${ID}`),
    checks: by(catalog.checks.values(), (c) => `${c.Node.toLowerCase()}\0${c.CheckID}`),
    keys: by(kv.under(''), ({ Key }) => Key),
    sessions: by(sessions.table.values(), ({ ID }) => ID),
    queries: by(queries.table.values(), ({ ID }) => ID),
  };
}

type Pair<V> = readonly [before: V | undefined, after: V | undefined];

function changes<V>(before: ReadonlyMap<string, V>, after: ReadonlyMap<string, V>): Pair<V>[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys]
    .map((key) => [before.get(key), after.get(key)] as const)
    .filter(([a, b]) => a === undefined || b === undefined || !sameJson(a, b));
}

type May = (resource: Resource, name: string) => boolean;

/** All rows that the pair has, before and after, are such. */
const all = <V>(pair: Pair<V>, is: (row: V) => boolean) =>
  pair.every((row) => row === undefined || is(row));

/** Whoever may write a node may take out what is on it. */
const isTakenOut = ([old, now]: Pair<Instance | Check>, may: May) =>
  now === undefined && old !== undefined && may('node', old.Node);

const mayCheck = ({ Node: node, ServiceName: service }: Check, may: May) =>
  service === '' ? may('node', node) : may('service', service);

const mayQuery = (row: PreparedQuery, may: May) => !hasQueryName(row) || may('query', row.Name);

/** A session that ends lets go of its locks, or takes their keys and its queries with it. */
const isLetGo = ([old, now]: Pair<KeyValue>) =>
  old?.Session !== undefined && now?.Session === undefined;
const isEnded = ([old, now]: Pair<PreparedQuery>) => now === undefined && old?.Session !== '';

/** What these rights should not have let happen. */
function breaches(rights: Rights, before: Rows, after: Rows): unknown[] {
  // What is on a node keeps the spelling that this had then: whoever may write it by its name of now may.
  const spelt = (node: string) => before.nodes.get(node.toLowerCase())?.Node ?? node;
  const may: May = (resource, name) =>
    rights.may(resource, 'write', name) ||
    (resource === 'node' && rights.may('node', 'write', spelt(name)));
  return [
    ...changes(before.nodes, after.nodes).filter(
      (p) => !all(p, (row) => rights.may('node', 'write', row.Node)),
    ),
    ...changes(before.instances, after.instances).filter(
      (p) => !isTakenOut(p, may) && !all(p, (row) => may('service', row.Service)),
    ),
    ...changes(before.checks, after.checks).filter(
      (p) => !isTakenOut(p, may) && !all(p, (row) => mayCheck(row, may)),
    ),
    ...changes(before.keys, after.keys).filter(
      (p) => !isLetGo(p) && !all(p, (row) => may('key', row.Key)),
    ),
    ...changes(before.sessions, after.sessions).filter(
      ([, now]) => now !== undefined && !may('session', now.Node),
    ),
    ...changes(before.queries, after.queries).filter(
      (p) => !isEnded(p) && !all(p, (row) => mayQuery(row, may)),
    ),
  ];
}

function judged(state: State, rights: Rights, command: Judgeable): Judgeable | undefined {
  try {
    return judge(state, rights, command);
  } catch (error) {
    if (error instanceof ProconsulError) return undefined;
    throw error;
  }
}

describe(`what is judged and applied (seed ${SEED})`, function () {
  this.timeout(60_000);

  it('changes nothing that these rights do not reach, side effects too', () => {
    const counts = { allowed: 0, refused: 0 };
    const step = (state: State, rights: Rights, entry: Entry): State => {
      const allowed = judged(state, rights, entry.command as Judgeable);
      counts[allowed ? 'allowed' : 'refused']++;
      // What is refused is done all the same, by somebody else.
      if (allowed === undefined) return apply(state, entry).state;
      const before = rowsOf(state);
      const after = apply(state, { ...entry, command: allowed }).state;
      assert.deepEqual(breaches(rights, before, rowsOf(after)), [], encodeJson(allowed));
      return after;
    };
    const property = fc.property(steps(150), rules, fc.boolean(), (history, text, isMixed) => {
      const rights = compileRights([ruleSet(text)], 'deny');
      const kept = history.filter(
        ({ command: { type } }) => CATALOG.has(type) || (isMixed && OTHERS.has(type)),
      );
      let state = new State();
      for (const [i, entry] of entriesOf(kept).entries()) {
        state = i < kept.length / 2 ? apply(state, entry).state : step(state, rights, entry);
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 300 });
    assert(counts.allowed > 300 && counts.refused > 300, encodeJson(counts));
  });
});
