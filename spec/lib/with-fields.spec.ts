import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { readRecords } from '../../lib/archive/records.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { Command, StagedRow } from '../../server/commands.ts';
import { RowReader } from '../../server/http/archive/read-rows.ts';
import { recordsOf } from '../../server/http/archive/write-rows.ts';
import { decodeCommand } from '../../server/log/payload.ts';
import { apply } from '../../server/state/apply.ts';
import { State } from '../../server/state/state.ts';
import { checkNamed, registerOn, serviceNamed } from '../support/factories.ts';

/** Whether both have one hidden class of V8's. */
function haveOneShape(a: object, b: object): boolean {
  setFlagsFromString('--allow-natives-syntax');
  try {
    return new Function('a', 'b', 'return %HaveSameMap(a, b)')(a, b) as boolean;
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

describe('a row with other fields', () => {
  it('has them in the order of a spread, and leaves the first as it was', () => {
    const row = { a: 1, b: 2 };
    assert.equal(JSON.stringify(withFields(row, { b: 3, c: 4 })), '{"a":1,"b":3,"c":4}');
    assert.deepEqual(row, { a: 1, b: 2 });
  });

  it('shares its shape with all others that are made so', () => {
    const made = (i: number) =>
      withFields(JSON.parse(`{"Name":"n${i}","Tags":[],"Port":${i}}`) as object, { Index: i });
    const first = made(1);
    for (let i = 2; i < 100; i++) assert.equal(haveOneShape(first, made(i)), true, String(i));
  });
});

describe('rows of one kind', () => {
  it('share their shape, as they were registered and as an archive brings them', async () => {
    const state = registered(30);
    const { nodes, instances, checks } = state.catalog;
    const tables = [nodes, instances, checks, state.sessions.table];
    for (const table of tables) same([...table.values()]);
    const byKind = new Map<string, object[]>();
    for await (const row of rowsOf(recordsOf(state)())) {
      for (const [kind, each] of Object.entries(row)) {
        byKind.set(kind, [...(byKind.get(kind) ?? []), each as object]);
      }
    }
    for (const kind of ['node', 'instance', 'check', 'session']) same(byKind.get(kind) ?? []);
  });
});

/** As from a log: each command was read. */
function registered(count: number): State {
  const state = new State();
  const commands = Array.from({ length: count }, (_, i): Command[] => [
    registerOn(`n${i}`, {
      service: serviceNamed('web'),
      checks: [checkNamed('up', { ServiceID: 'web' })],
    }),
    {
      type: 'create-session',
      session: {
        ID: `${i}`,
        Name: '',
        Node: `n${i}`,
        LockDelay: 0,
        Behavior: 'release',
        TTL: '',
        NodeChecks: [],
        ServiceChecks: null,
      },
    },
  ]);
  for (const [at, command] of commands.flat().entries()) {
    const entry = { index: at + 1, epoch: 1, t: 1, id: '', hash: '', size: 0 };
    apply(state, { ...entry, command: decodeCommand(JSON.stringify(command)) });
  }
  return state;
}

function same(rows: readonly object[]): void {
  // The first ones teach V8 what fields there are.
  const [, , first, ...others] = rows;
  assert.ok(first !== undefined && others.length > 10);
  const strange = others.filter((row) => !haveOneShape(first, row));
  assert.deepEqual(strange.slice(0, 1), [], `${strange.length} of ${others.length}`);
}

function rowsOf(bytes: Iterable<Uint8Array>): AsyncIterable<StagedRow> {
  const stream = (async function* () {
    yield* bytes;
  })();
  return new RowReader('dc1').rows(readRecords(stream));
}
