import assert from 'node:assert/strict';
import { ANYONE } from '../../../lib/acl/rights.ts';
import { SharedWait } from '../../../lib/http/fast/shared-wait.ts';
import { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import type { ServerDeps } from '../../../server/http/deps.ts';
import { PendingRead, SharedRead } from '../../../server/http/shared-read.ts';
import type { Answer, Waiter } from '../../../server/query/live-answer.ts';
import { liveBytes } from '../../support/heap.ts';

const BODY_BYTES = 32 * 1024 * 1024;

const answerOf = (body: Buffer): Answer => ({
  index: 1,
  status: 200,
  contentType: 'application/json',
  body,
  isFiltered: false,
  mark: '',
  stands: true,
});

/** A wait whose answers a spec gives by hand. */
function waiting() {
  const waiters: Waiter[] = [];
  const deps = {
    answers: {
      wait: (_: unknown, waiter: Waiter) => {
        waiters.push(waiter);
        return { leave: () => undefined };
      },
    },
    readiness: { consistency: () => 'leader', knownLeader: true, ageMs: () => 0 },
    random: { next: () => 0 },
    standing: { watch: () => undefined },
  } as unknown as ServerDeps;
  const pending = new PendingRead(
    new SharedRead(
      deps,
      {
        query: { key: 'k', run: () => ({}) },
        params: new Params(''),
        callerNow: () => ANYONE,
        demand: { consistency: 'leader', maxStaleMs: 0 },
        wait: { seenIndex: 1, waitMs: 1000 },
        read: {},
      },
      ANYONE,
    ),
  );
  const writing = { common: {}, pretty: false, gzip: false };
  const shared = new SharedWait({
    request: 'k',
    pending,
    writing,
    origin: 'loopback',
    token: '',
    onTold: () => undefined,
    onEmpty: () => undefined,
  });
  return { waiters, pending, shared };
}

describe('a wait that always somebody is in', () => {
  it('keeps no answer alive that was told to some and is kept by nobody else', async () => {
    const { waiters, shared, pending } = waiting();
    const before = await liveBytes();
    for (const join of [
      () => shared.join({ settled: () => undefined }),
      () => pending.join({ settle: () => undefined }),
    ]) {
      join();
      join();
      waiters.shift()?.onAnswer(answerOf(Buffer.alloc(BODY_BYTES)));
      assert.equal(waiters.length, 1);
      const after = await liveBytes();
      assert(after.buffers - before.buffers < BODY_BYTES, `${after.buffers} - ${before.buffers}`);
      waiters.length = 0;
    }
  }).timeout(60_000);

  it('makes the reply and its bytes once for all who are told the same answer', () => {
    const { waiters, shared, pending } = waiting();
    const ready: unknown[] = [];
    const replies: Reply[] = [];
    for (let n = 0; n < 3; n++) shared.join({ settled: (made) => void ready.push(made) });
    for (let n = 0; n < 3; n++) pending.join({ settle: (reply) => void replies.push(reply) });
    const answer = answerOf(Buffer.alloc(8));
    for (const waiter of waiters) waiter.onAnswer(answer);
    assert.deepEqual([ready.length, new Set(ready).size], [3, 1]);
    assert.deepEqual([replies.length, new Set(replies).size], [3, 1]);
  });
});
