/** What becomes of those who wait and have to stand in line: their token falls, falls again, or they go. */
import assert from 'node:assert/strict';
import type { Caller } from '../../../lib/acl/rights.ts';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { hasRoom, standing as line, looked } from '../../../lib/looking.ts';
import type { ReadDeps } from '../../../server/http/deps.ts';
import { PendingRead, type ReadRequest, SharedRead } from '../../../server/http/shared-read.ts';
import { Answers } from '../../../server/query/answers.ts';
import { Standing } from '../../../server/query/standing.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { State } from '../../../server/state/state.ts';
import { RIGHTS } from '../../../server/state/topic-names.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

type Key = 'first' | 'second' | 'third';

/** A wait as one whose token falls, and falls again: by the first of his rights that stand. */
function startWait() {
  const state = new State();
  state.position = 1;
  const [watcher, clock] = [new Watcher(), new FakeClock()];
  const answers = new Answers({ state: () => state, watcher, clock });
  const standing = new Standing(watcher, clock);
  const stands = { first: true, second: true, third: true };
  const callerOf = (key: Key) =>
    ({
      rights: { ...EVERYTHING, key },
      stands: () => stands[key],
      accessorId: key,
    }) as unknown as Caller;
  const readiness = {
    read: <T>(_: unknown, evaluate: () => T) => evaluate(),
    ...{ consistency: () => 'leader', knownLeader: true, ageMs: () => 0, isAgreed: () => false },
  };
  const deps = { answers, standing, readiness, random: { next: () => 0 } };
  const seen = { seenIndex: 1, waitMs: 60_000 };
  const request = {
    query: { key: 'q', run: () => ({ json: 'secret' }) },
    params: new Map(),
    callerNow: () => callerOf(stands.second ? 'second' : 'third'),
    demand: { consistency: 'leader', maxStaleMs: Number.POSITIVE_INFINITY },
    ...{ wait: seen, read: {} },
  } as unknown as ReadRequest;
  const read = new SharedRead(deps as unknown as ReadDeps, request, callerOf('first'));
  const evaluatedBy: string[] = [];
  const { read: evaluate } = answers;
  const onEvaluated = { call: (_: string) => {} };
  answers.read = (question) => {
    const { key } = question.rights;
    evaluatedBy.push(key);
    const answer = evaluate.call(answers, question);
    onEvaluated.call(key);
    return answer;
  };
  const fall = () => {
    stands.first = false;
    watcher.notify([RIGHTS]);
  };
  return { read, pending: new PendingRead(read), stands, evaluatedBy, onEvaluated, fall };
}

/** From now on no turn has room, until `isOver` says so. */
function fillTurns(isOver: () => boolean): void {
  if (isOver()) return;
  looked(20);
  setImmediate(() => fillTurns(isOver));
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('one who waits and falls twice', () => {
  it('is told nothing by the rights that he had in between', async () => {
    const { read, pending, stands, evaluatedBy, onEvaluated, fall } = startWait();
    // He falls again by the time that he could be told.
    onEvaluated.call = (key) => {
      if (key === 'second') stands.second = false;
    };
    read.current();
    let isTold = false;
    const told = new Promise<Reply>((settle) => {
      pending.join({ settle });
    });
    void told.then(() => {
      isTold = true;
    });
    fall();
    fillTurns(() => isTold);
    assert.equal((await told).status, 200);
    assert.deepEqual(evaluatedBy.slice(-2), ['second', 'third']);
  });
});

describe('one who waits', () => {
  it('leaves the line as he goes, where he stands there since his token fell', async () => {
    const { read, pending, evaluatedBy, fall } = startWait();
    read.current();
    const place = pending.join({ settle: () => assert.fail() });
    fall();
    let isOver = false;
    fillTurns(() => isOver);
    while (line.size === 0) await nextTurn();
    const before = evaluatedBy.length;
    place.leave();
    assert.equal(line.size, 0);
    isOver = true;
    while (!hasRoom()) await nextTurn();
    assert.equal(evaluatedBy.length, before);
  });

  it('stands in line too where he closes his side, for what has to be looked up', async () => {
    const { pending, evaluatedBy } = startWait();
    looked(20);
    const goes: (() => void)[] = [];
    const asking = { remoteAddress: '10.0.0.1', onceOver: (go: () => void) => void goes.push(go) };
    const told = pending.now(asking);
    const gone = pending.now(asking);
    assert.deepEqual([evaluatedBy.length, line.size], [0, 2]);
    goes.at(-1)?.();
    await assert.rejects(gone, { code: 'unavailable' });
    assert.equal((await told).status, 200);
  });
});
