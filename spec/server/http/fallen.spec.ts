/** Whose token falls while he waits, and falls again while he stands in line for what he may see by now. */
import assert from 'node:assert/strict';
import type { Caller } from '../../../lib/acl/rights.ts';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { looked } from '../../../lib/looking.ts';
import type { ReadDeps } from '../../../server/http/deps.ts';
import { PendingRead, type ReadRequest, SharedRead } from '../../../server/http/shared-read.ts';
import { Answers } from '../../../server/query/answers.ts';
import { Standing } from '../../../server/query/standing.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { State } from '../../../server/state/state.ts';
import { RIGHTS } from '../../../server/state/topic-names.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('one who waits and falls twice', () => {
  it('is told nothing by the rights that he had in between', async () => {
    const state = new State();
    state.position = 1;
    const [watcher, clock] = [new Watcher(), new FakeClock()];
    const answers = new Answers({ state: () => state, watcher, clock });
    const standing = new Standing(watcher, clock);
    const stands = { first: true, second: true, third: true };
    const callerOf = (key: keyof typeof stands) =>
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
    answers.read = (question) => {
      const { key } = question.rights;
      evaluatedBy.push(key);
      const answer = evaluate.call(answers, question);
      // He falls again by the time that he could be told.
      if (key === 'second') stands.second = false;
      return answer;
    };
    read.current();
    let isTold = false;
    const told = new Promise<Reply>((settle) => {
      new PendingRead(read).join({ settle });
    });
    void told.then(() => {
      isTold = true;
    });
    stands.first = false;
    watcher.notify([RIGHTS]);
    // No turn has room: he stands in line.
    const fill = () => {
      if (isTold) return;
      looked(20);
      setImmediate(fill);
    };
    fill();
    assert.equal((await told).status, 200);
    assert.deepEqual(evaluatedBy.slice(-2), ['second', 'third']);
  });
});
