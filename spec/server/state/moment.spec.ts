import assert from 'node:assert/strict';
import fc from 'fast-check';
import { recordsOf } from '../../../server/http/archive/write-rows.ts';
import { apply } from '../../../server/state/apply.ts';
import { dump } from '../../../server/state/snapshot.ts';
import { State } from '../../../server/state/state.ts';
import { entriesOf, steps } from '../../support/experiments/commands.ts';
import { SEED } from '../../support/seed.ts';

/** What a snapshot and an archive hold, in their order. */
const WRITTEN = {
  snapshot: (state: State) => dump(state),
  archive: (state: State) => recordsOf(state)(),
} as const;

const RUNS = 30;
const MAX_STEPS = 30;
/** On a machine that is busy. */
const TIMEOUT_MS = 60_000;

describe('a state that is written while it changes', () => {
  for (const [name, write] of Object.entries(WRITTEN)) {
    it(`is in its ${name} as it was when that was begun (seed ${SEED})`, () => {
      fc.assert(
        fc.property(steps(MAX_STEPS), fc.nat(MAX_STEPS), fc.nat(20), (history, at, read) => {
          const entries = entriesOf(history);
          let state = entries
            .slice(0, at)
            .reduce((so, entry) => apply(so, entry).state, new State());
          const expected = [...write(state)].map(String);
          // Begun, and partly read; then everything else happens to it.
          const lines = write(state)[Symbol.iterator]();
          const found: string[] = [];
          for (let i = 0; i < Math.min(read, expected.length); i++)
            found.push(String(lines.next().value));
          for (const entry of entries.slice(at)) state = apply(state, entry).state;
          for (let next = lines.next(); next.done !== true; next = lines.next())
            found.push(String(next.value));
          assert.deepEqual(found, expected);
        }),
        { seed: SEED, numRuns: RUNS, endOnFailure: true },
      );
    }).timeout(TIMEOUT_MS);
  }

  it('has its keys where they are: a million are not gone through before anything is written', () => {
    const state = new State();
    Object.assign(state.kv, { under: () => assert.fail('all keys are gone through') });
    assert.equal([...dump(state)].length, 2);
  });
});
