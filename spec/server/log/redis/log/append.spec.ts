import assert from 'node:assert/strict';
import { ProconsulError } from '../../../../../lib/errors.ts';
import { keysOf } from '../../../../../server/log/redis/link/keys.ts';
import { PROPOSAL_BUDGET_MS } from '../../../../../server/log/redis/link/limits.ts';
import type { Link } from '../../../../../server/log/redis/link/link.ts';
import { Appender } from '../../../../../server/log/redis/log/append.ts';
import { LinkGate } from '../../../../../server/log/redis/log/link-gate.ts';
import { proposals } from '../../../../support/experiments/proposals.ts';
import { FakeClock, settle } from '../../../../support/fakes/fake-clock.ts';

/** What a call of the script says, and how it ends: as Redis would say it now, or as the spec says. */
interface Held {
  readonly after: string;
  readonly ids: readonly string[];
  readonly answer: () => void;
  readonly fail: (code: 'unknown' | 'unavailable' | 'rejected') => void;
}

/** A Redis that keeps ids in their order, and links to it. */
class HeldRedis {
  readonly written: string[] = [];
  readonly calls: Held[] = [];

  link(): Link & { readonly wasClosed: () => boolean } {
    const ended = new AbortController();
    const run = (_script: unknown, _keys: unknown, args: readonly string[]) =>
      new Promise((resolve, reject) => {
        const [, after = '', ...rest] = args;
        const ids = rest.filter((_, i) => i % 2 === 0);
        const fail: Held['fail'] = (code) => reject(new ProconsulError(code, 'as the spec says'));
        this.calls.push({ after, ids, fail, answer: () => resolve(this.#append(after, ids)) });
        ended.signal.addEventListener('abort', () => fail('unknown'));
      });
    const link = {
      keys: keysOf('dc1'),
      commands: { run },
      signal: ended.signal,
      get closed() {
        return ended.signal.aborted;
      },
      close: () => ended.abort(),
      wasClosed: () => ended.signal.aborted,
    };
    return link as unknown as Link & { readonly wasClosed: () => boolean };
  }

  #append(after: string, ids: readonly string[]): readonly string[] {
    if (after !== '' && !this.written.includes(after)) return ['BEHIND'];
    this.written.push(...ids.filter((id) => !this.written.includes(id)));
    return ['OK', String(this.written.length), 'hash'];
  }
}

function start() {
  const clock = new FakeClock();
  const gate = new LinkGate(clock);
  const redis = new HeldRedis();
  const committing: ((isCommitted: boolean) => void)[] = [];
  let holds = false;
  const committed = () =>
    holds ? new Promise<boolean>((resolve) => committing.push(resolve)) : Promise.resolve(true);
  const appender = new Appender({ gate, clock, committed, onRefused: () => undefined });
  const settled: string[] = [];
  const append = (prefix: string, count = 2) => {
    const done = appender.append(proposals(prefix, count)).then(
      () => void settled.push(`${prefix}: written`),
      (error: ProconsulError) => void settled.push(`${prefix}: ${error.code}`),
    );
    return done;
  };
  const open = () => {
    const link = redis.link();
    gate.open({ link, epoch: 1 });
    return link;
  };
  const hold = () => {
    holds = true;
    return committing;
  };
  return { clock, gate, redis, append, settled, open, hold };
}

/** One batch is with Redis, and a second one is sent behind it. */
async function twoUnderWay() {
  const started = start();
  const link = started.open();
  void started.append('a');
  await settle();
  void started.append('b');
  await settle();
  return { ...started, link };
}

describe('an appender', () => {
  it('sends a batch behind the one that is under way, and tells Redis which', async () => {
    const { redis, settled } = await twoUnderWay();
    assert.deepEqual(
      redis.calls.map(({ after, ids }) => ({ after, ids })),
      [
        { after: '', ids: ['a-0', 'a-1'] },
        { after: 'a-1', ids: ['b-0', 'b-1'] },
      ],
    );
    for (const { answer } of redis.calls) answer();
    await settle();
    assert.deepEqual(settled, ['a: written', 'b: written']);
  });

  it('never has it in the log where the one before is not', async () => {
    const { redis, settled, link } = await twoUnderWay();
    redis.calls[0]?.fail('rejected');
    redis.calls[1]?.answer();
    await settle();
    assert.deepEqual(redis.written, []);
    assert.equal(link.wasClosed(), false);
    redis.calls[2]?.answer();
    await settle();
    assert.deepEqual(redis.written, ['b-0', 'b-1']);
    assert.deepEqual(settled, ['a: unavailable', 'b: written']);
  });

  it('leaves the link to a Redis that is full as it is', async () => {
    const { redis, settled, link } = await twoUnderWay();
    for (const { fail } of redis.calls) fail('rejected');
    await settle();
    redis.calls[2]?.fail('rejected');
    await settle();
    assert.equal(link.wasClosed(), false);
    assert.deepEqual(settled, ['a: unavailable', 'b: unavailable']);
  });

  it('says both again by the next link, the first one first', async () => {
    const { redis, settled, link, open } = await twoUnderWay();
    link.close();
    await settle();
    open();
    await settle();
    assert.deepEqual(
      redis.calls.slice(2).map(({ ids }) => ids[0]),
      ['a-0'],
    );
    redis.calls[2]?.answer();
    await settle();
    redis.calls[3]?.answer();
    await settle();
    assert.deepEqual(redis.written, ['a-0', 'a-1', 'b-0', 'b-1']);
    assert.deepEqual(settled, ['a: written', 'b: written']);
  });

  it('settles the second after the first, whichever is known to be in for good', async () => {
    const { redis, append, settled, open, hold } = start();
    const committing = hold();
    open();
    void append('a');
    await settle();
    void append('b');
    await settle();
    for (const { answer } of redis.calls) answer();
    await settle();
    committing[1]?.(true);
    await settle();
    assert.deepEqual(settled, []);
    committing[0]?.(true);
    await settle();
    assert.deepEqual(settled, ['a: written', 'b: written']);
  });

  it('waits for the first where that is not sent as a whole, or for another link', async () => {
    const { redis, append, open } = start();
    const link = open();
    void append('a', 600);
    await settle();
    void append('b');
    await settle();
    assert.deepEqual(
      redis.calls.map(({ ids }) => ids[0]),
      ['a-0'],
    );
    link.close();
    await settle();
    void append('c');
    await settle();
    assert.equal(redis.calls.length, 1);
  });

  it('settles both within the time that each has', async () => {
    const { clock, append, settled, open } = start();
    open();
    void append('a');
    await settle();
    await clock.advance(500);
    void append('b');
    await settle();
    await clock.advance(PROPOSAL_BUDGET_MS - 500);
    assert.deepEqual(settled, ['a: unknown']);
    await clock.advance(500);
    assert.deepEqual(settled, ['a: unknown', 'b: unknown']);
  });
});
