import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { Command } from '../../../server/commands.ts';
import { allApps, appsByVip, changedApps, oneInstance } from '../../../server/eureka/queries.ts';
import type { Query } from '../../../server/query/query.ts';
import { Reader } from '../../../server/query/reader.ts';
import { apply } from '../../../server/state/apply.ts';
import { instanceOf, leaseCheck } from '../../../server/state/eureka-place.ts';
import { State } from '../../../server/state/state.ts';
import { entriesOf, steps } from '../../support/experiments/commands.ts';
import { SEED } from '../../support/seed.ts';
import type { Applications, ShownInstance } from './instances.ts';

const TYPES: readonly Command['type'][] = [
  'register',
  'deregister',
  'txn',
  'claim-leadership',
  'eureka-register',
  'eureka-cancel',
  'eureka-revive',
  'eureka-status',
  'eureka-metadata',
  'eureka-expire',
];
const LOOK = { form: 'json', isCompact: false, hidden: '' } as const;
const MAX_STEPS = 60;
const RUNS = 60;

function asked(state: State, query: Query): { readonly status: number; readonly text: string } {
  const { status = 200, bytes, texts } = query.run(new Reader(state, EVERYTHING));
  return { status, text: bytes?.toString() ?? [...(texts?.made() ?? [])].join('') };
}

function list(state: State, query: Query): Applications['applications'] | undefined {
  const { status, text } = asked(state, query);
  return status === 200 ? (JSON.parse(text) as Applications).applications : undefined;
}

function instances(apps: Applications['applications'] | undefined): readonly ShownInstance[] {
  return apps?.application.flatMap(({ instance }) => instance) ?? [];
}

const nameOf = ({ app, instanceId }: ShownInstance) => `${app} ${instanceId}`;
const lineOf = (each: ShownInstance) =>
  `${nameOf(each)} ${each.status} ${each.port.$} ${JSON.stringify(each.metadata)}`;

/** As a client does with what it is told. */
function merged(known: ReadonlyMap<string, string>, changes: readonly ShownInstance[]) {
  const next = new Map(known);
  for (const each of changes) {
    if (each.actionType === 'DELETED') next.delete(nameOf(each));
    else next.set(nameOf(each), lineOf(each));
  }
  return next;
}

function known(state: State): ReadonlyMap<string, string> {
  const all = instances(list(state, allApps(LOOK)));
  const byName = new Map(all.map((each) => [nameOf(each), lineOf(each)]));
  assert.equal(byName.size, all.length, 'two of one name');
  return byName;
}

describe(`what is shown to Eureka's clients after any history (seed ${SEED})`, function () {
  this.timeout(60_000);

  function forEachState(check: (state: State) => void): void {
    const run = (history: Parameters<typeof entriesOf>[0]) => {
      let state = new State();
      for (const entry of entriesOf(history)) {
        state = apply(state, entry).state;
        check(state);
      }
    };
    fc.assert(fc.property(steps(MAX_STEPS, [...TYPES]), run), { seed: SEED, numRuns: RUNS });
  }

  it('stands in the catalog as its own row says, and nothing else does', () => {
    forEachState((state) => {
      for (const row of state.eureka.rows.values()) {
        const { Node: node, ServiceID } = row;
        const there = state.catalog.instance(node, ServiceID);
        const { CheckID } = leaseCheck(row);
        const check = state.catalog.check(node, CheckID);
        assert.deepEqual({ ...there, ...instanceOf(row) }, { ...there }, 'the instance');
        assert.deepEqual({ ...check, ...leaseCheck(row) }, { ...check }, 'the check');
        assert.equal(state.catalog.node(node)?.ID, '', "an agent's node");
      }
    });
  });

  it('is found by its id, its app and its vip as it is listed, and never twice', () => {
    forEachState((state) => {
      const all = instances(list(state, allApps(LOOK)));
      known(state);
      for (const each of all) {
        const { text } = asked(state, oneInstance(LOOK, each.instanceId, each.app));
        assert.equal(lineOf(JSON.parse(text).instance), lineOf(each));
        assert.equal(asked(state, oneInstance(LOOK, each.instanceId)).status, 200);
        for (const vip of (each as ShownInstance & { vipAddress: string }).vipAddress.split(',')) {
          const found = instances(list(state, appsByVip(LOOK, 'vipAddress', vip)));
          assert(found.some((one) => lineOf(one) === lineOf(each)));
        }
      }
    });
  });

  it('comes to the same by what has changed as by all that there is', () => {
    const run = (history: Parameters<typeof entriesOf>[0]) => {
      let state = new State();
      const seen: { readonly index: number; readonly all: ReadonlyMap<string, string> }[] = [];
      for (const entry of entriesOf(history)) {
        state = apply(state, entry).state;
        const now = known(state);
        for (const { index, all } of seen) {
          const changes = list(state, changedApps(LOOK, index));
          // It is known no more: they take everything.
          if (changes === undefined) continue;
          const after = merged(all, instances(changes));
          assert.deepEqual([...after].sort(), [...now].sort(), encodeJson(entry.command));
        }
        seen.push({ index: state.index, all: now });
      }
    };
    fc.assert(fc.property(steps(40, [...TYPES]), run), { seed: SEED, numRuns: RUNS });
  });
});
