/** Whatever the history and the rights: an answer is as if the rows that may not be seen were not there. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { EVERYTHING, type Rights } from '../../../lib/acl/rights.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { Query } from '../../../server/query/query.ts';
import { Reader } from '../../../server/query/reader.ts';
import { Sight } from '../../../server/query/sight.ts';
import { apply } from '../../../server/state/apply.ts';
import { coordinateKey } from '../../../server/state/coordinates.ts';
import { State } from '../../../server/state/state.ts';
import { fold, rowKey } from '../../../server/state/topic-names.ts';
import {
  entriesOf,
  NODES,
  SERVICES,
  type Step,
  steps,
} from '../../support/experiments/commands.ts';
import { READ_TARGETS, readQueries } from '../../support/read-queries.ts';
import { SEED } from '../../support/seed.ts';
import { startServer } from '../../support/servers/start-server.ts';

/** As in Consul these tell more: names and tags on all nodes, and the places of nodes by an order. */
const TELLING = /^\/v1\/catalog\/services$|[?&]near=/;

const rules = fc
  .record({
    node: fc.subarray([...NODES]),
    service: fc.subarray([...SERVICES]),
    session: fc.subarray([...NODES]),
    key_prefix: fc.subarray(['', 'k', 'k/2', 'z']),
    denied: fc.subarray(['k', 'k/2']),
  })
  .map(({ denied, ...seen }) => {
    const rule = (kind: string, name: string, policy: string) =>
      `${kind} "${name}" { policy = "${policy}" }`;
    return [
      ...Object.entries(seen).flatMap(([kind, names]) => names.map((n) => rule(kind, n, 'read'))),
      ...denied.map((name) => rule('key', name, 'deny')),
    ].join('\n');
  });

function stateAfter(history: readonly Step[]): State {
  let state = new State();
  for (const entry of entriesOf(history)) ({ state } = apply(state, entry));
  dropWildcards(state);
  return state;
}

/** As in Consul a gateway's `*` tells more too: which services there are, on whatever nodes. */
function dropWildcards({ configEntries, journal, topics }: State): void {
  for (const { Kind, Name } of ['ingress-gateway', 'terminating-gateway'].flatMap((kind) => [
    ...configEntries.gatewaysOf(kind, '*'),
  ])) {
    configEntries.delete(Kind, Name);
  }
  journal.commit();
  topics.rollback();
}

/** Takes out of the tables themselves what these rights do not see. */
function without(state: State, rights: Rights): State {
  const sight = new Sight(rights);
  const { catalog, coordinates, kv, sessions, queries } = state;
  const drop = <V>(
    table: { values(): Iterable<V>; delete(key: string): boolean },
    keyOf: (row: V) => string,
    sees: (row: V) => boolean,
  ) => {
    for (const row of [...table.values()]) if (!sees(row)) table.delete(keyOf(row));
  };
  drop(catalog.checks, ({ Node, CheckID }) => rowKey(Node, CheckID), sight.check);
  drop(catalog.instances, ({ Node, ID }) => rowKey(Node, ID), sight.instance);
  drop(catalog.nodes, ({ Node }) => fold(Node), sight.node);
  drop(sessions.table, ({ ID }) => ID, sight.session);
  drop(queries.table, ({ ID }) => ID, sight.query);
  for (const { Node, Segment } of [...coordinates.values()]) {
    if (!sight.nodeNamed(Node)) coordinates.delete(coordinateKey(Node, Segment));
  }
  for (const { Key } of [...kv.under('')]) if (!sight.keyNamed(Key)) kv.delete(Key);
  state.journal.commit();
  state.topics.rollback();
  return state;
}

function said(state: State, query: Query, rights: Rights): string {
  try {
    const { status = 200, json, bytes } = query.run(new Reader(state, rights));
    return encodeJson([status, json ?? null, bytes?.toString('hex') ?? null]);
  } catch (error) {
    if (error instanceof ProconsulError) return error.message;
    throw error;
  }
}

describe(`an answer to who may not see everything (seed ${SEED})`, function () {
  this.timeout(60_000);

  it('is that of a state in which nothing else is', async () => {
    const queries = readQueries((await startServer()).server.routes());
    const asked = queries.map((query, i) => [READ_TARGETS[i] as string, query] as const);
    let differs = 0;
    const property = fc.property(steps(40), rules, (history, text) => {
      const rights = compileRights([ruleSet(text)], 'deny');
      const [whole, left] = [stateAfter(history), without(stateAfter(history), rights)];
      for (const [target, query] of asked.filter(([each]) => !TELLING.test(each))) {
        const answer = said(whole, query, rights);
        assert.equal(answer, said(left, query, rights), `${target}\n${text}`);
        if (answer !== said(whole, query, EVERYTHING)) differs++;
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 100 });
    assert(differs > 1000, `only ${differs} answers were others than a manager's`);
  });
});
