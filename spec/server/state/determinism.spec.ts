import assert from 'node:assert/strict';
import fc from 'fast-check';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { Command, Entry } from '../../../server/commands.ts';
import type { Query } from '../../../server/query/query.ts';
import { Reader } from '../../../server/query/reader.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { apply } from '../../../server/state/apply.ts';
import { dump } from '../../../server/state/snapshot.ts';
import { State } from '../../../server/state/state.ts';
import { entriesOf, steps } from '../../support/experiments/commands.ts';
import { contentHash, restored, stateHash } from '../../support/experiments/state-hash.ts';
import { kvOp } from '../../support/factories.ts';
import { readQueries } from '../../support/read-queries.ts';
import { SEED } from '../../support/seed.ts';
import { startServer } from '../../support/servers/start-server.ts';

const MAX_STEPS = 40;
/** Many short histories take long on a machine that is busy. */
const TIMEOUT_MS = 60_000;

function holds(property: fc.IRawProperty<unknown>, numRuns: number): void {
  fc.assert(property, { seed: SEED, numRuns });
}

function forEachHistory(
  numRuns: number,
  check: (entries: readonly Entry[]) => void,
  types?: readonly Command['type'][],
): void {
  const all = types === undefined ? steps(MAX_STEPS) : steps(MAX_STEPS, [...types]);
  holds(
    fc.property(all, (history) => check(entriesOf([...history, LATER]))),
    numRuns,
  );
}

/** By then all that is gone is forgotten. */
const LATER = {
  command: { type: 'kv', op: kvOp('set', 'later') },
  ms: 20 * 60_000,
  jump: false,
  counter: undefined,
} as const;
/** Of so many types few histories have a thing that comes, goes and is forgotten: these alone have. */
const COME_AND_GO = ['register', 'deregister', 'kv', 'create-session', 'destroy-session'] as const;

interface Evaluated {
  readonly text: string;
  readonly reader: Reader;
}

function evaluate(state: State, query: Query): Evaluated {
  const reader = new Reader(state, EVERYTHING);
  const { status = 200, json, bytes } = query.run(reader);
  return { text: encodeJson([status, json ?? null, bytes?.toString('hex') ?? null]), reader };
}

function answers(state: State, queries: readonly Query[]) {
  return queries.map((query) => {
    const { text, reader } = evaluate(state, query);
    return [reader.index, text];
  });
}

/** Nobody waits for settings, for what others were told, nor for what is not restored yet: no topic. */
const SILENT = new Set([
  'set-autopilot',
  'set-revisions',
  'set-history',
  'notices-begun',
  'notices-told',
  'begin-restore',
  'stage-rows',
  'end-restore',
]);

function stateAfter(entries: readonly Entry[]): State {
  return entries.reduce((state, entry) => apply(state, entry).state, new State());
}

describe(`the state after any history (seed ${SEED})`, function () {
  this.timeout(TIMEOUT_MS);

  it('is the same whether or not a snapshot was restored on the way, at every index', () => {
    holds(
      fc.property(steps(MAX_STEPS), fc.array(fc.nat(MAX_STEPS)), (history, at) => {
        let straight = new State();
        let interrupted = new State();
        for (const [i, entry] of entriesOf(history).entries()) {
          straight = apply(straight, entry).state;
          interrupted = apply(interrupted, entry).state;
          if (at.includes(i)) interrupted = restored(interrupted);
          assert.equal(stateHash(interrupted), stateHash(straight));
        }
      }),
      200,
    );
  });

  it('is what its snapshot restores, line by line', () => {
    forEachHistory(100, (entries) => {
      const state = stateAfter(entries);
      assert.deepEqual([...dump(restored(state))], [...dump(state)]);
    });
  });

  it('is as it was when an entry came to nothing', () => {
    forEachHistory(200, (entries) => {
      let state = new State();
      for (const entry of entries) {
        const before = contentHash(state);
        const { outcome, touched, state: after } = apply(state, entry);
        state = after;
        const silent = SILENT.has(entry.command.type);
        if (outcome.applied && (touched.size > 0 || silent)) continue;
        assert.equal(contentHash(state), before, encodeJson(entry.command));
      }
    });
  });

  it('answers every query alike before and after a restore', async () => {
    const queries = readQueries((await startServer()).server.routes());
    forEachHistory(60, (entries) => {
      const state = stateAfter(entries);
      const again = restored(state);
      assert.deepEqual(answers(again, queries), answers(state, queries));
    });
  });
});

/** Applies one entry after another, and sees which topics are touched and what each query then says. */
class Watched {
  #state = new State();
  readonly #queries: readonly Query[];
  #last: readonly Evaluated[];

  constructor(queries: readonly Query[]) {
    this.#queries = queries;
    this.#last = this.#evaluate();
  }

  apply(entry: Entry): void {
    const { touched, state } = apply(this.#state, entry);
    const isReplaced = state !== this.#state;
    this.#state = state;
    const before = this.#last;
    this.#last = this.#evaluate();
    for (const [i, query] of this.#queries.entries()) {
      const [then, now] = [before[i] as Evaluated, this.#last[i] as Evaluated];
      const context = `${query.key} at ${encodeJson(entry.command)}`;
      if (isReplaced) {
        // Everybody is woken: whoever has seen the one must be able to tell it from the other.
        const isNews = now.reader.index !== then.reader.index;
        assert(isNews || now.text === then.text, `changed at the same index: ${context}`);
        continue;
      }
      assert(now.reader.index >= then.reader.index, `the index fell: ${context}`);
      if (now.text === then.text && now.reader.index === then.reader.index) continue;
      // What moves nodes alone changes the order, and what is forgotten the index, which is no news: but an
      // answer that is kept has to go, or one server would show another index than the next.
      if (isTouched(touched, then.reader.topics)) {
        assert.equal(now.reader.index, state.index, `changed at another index: ${context}`);
      } else {
        assert(isTouched(touched, then.reader.orders), `changed unheard: ${context}`);
      }
    }
  }

  #evaluate(): Evaluated[] {
    return this.#queries.map((query) => evaluate(this.#state, query));
  }
}

function isTouched(touched: ReadonlySet<string>, read: readonly string[]): boolean {
  let heard = false;
  const watcher = new Watcher();
  watcher.watch(read, () => {
    heard = true;
  });
  watcher.notify(touched);
  return heard;
}

describe(`a query, entry by entry (seed ${SEED})`, function () {
  this.timeout(TIMEOUT_MS);

  it('is woken by every entry that changes its answer, at that index, and no index falls', async () => {
    const queries = readQueries((await startServer()).server.routes());
    const watch = (entries: readonly Entry[]) => {
      const watched = new Watched(queries);
      for (const entry of entries) watched.apply(entry);
    };
    forEachHistory(35, watch);
    forEachHistory(20, watch, COME_AND_GO);
  });
});

describe(`the same command twice (seed ${SEED})`, function () {
  this.timeout(TIMEOUT_MS);

  it('moves no index the second time, for whatever says how things are to be', () => {
    const says = new Set([
      'register',
      'deregister',
      'update-coordinates',
      'destroy-session',
      'delete-query',
      'member-alive',
      'member-left',
    ]);
    forEachHistory(200, (entries) => {
      let state = new State();
      let shift = 0;
      for (const entry of entries) {
        const once = apply(state, { ...entry, index: entry.index + shift, id: 'once' });
        const { outcome } = once;
        state = once.state;
        if (!outcome.applied || !says.has(entry.command.type)) continue;
        shift++;
        const again = apply(state, { ...entry, index: entry.index + shift, id: 'again' });
        assert.deepEqual([...again.touched], [], encodeJson(entry.command));
      }
    });
  });
});
