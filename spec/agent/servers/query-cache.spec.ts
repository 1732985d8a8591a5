import assert from 'node:assert/strict';
import type { ServerAnswer } from '../../../agent/servers/answer.ts';
import { QueryCache } from '../../../agent/servers/query-cache.ts';
import { noLeader } from '../../../lib/errors.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { stopped } from '../../support/servers/upstreams.ts';

const { signal: STAYS } = new AbortController();

interface Asked {
  readonly target: string;
  readonly waitMs: number;
  readonly signal: AbortSignal;
  answer(index: number, body?: Buffer): void;
  refuse(): void;
  fail(): void;
}

function setUp() {
  const clock = new FakeClock();
  const asked: Asked[] = [];
  const cache = stopped(
    new QueryCache(
      clock,
      ({ target }, waitMs, signal) =>
        new Promise<ServerAnswer>((resolve, reject) => {
          if (signal !== STAYS) signal.addEventListener('abort', () => reject(noLeader()));
          asked.push({
            target,
            waitMs,
            signal,
            answer: (index, body = Buffer.from(String(index))) =>
              resolve({ status: 200, headers: { 'x-consul-index': String(index) }, body }),
            refuse: () => resolve({ status: 403, headers: {}, body: Buffer.from('ACL not found') }),
            fail: () => reject(noLeader()),
          });
        }),
    ),
  );
  const get = (target: string, maxAgeMs = Number.POSITIVE_INFINITY) =>
    cache.get({ target, token: '', maxAgeMs }, STAYS);
  /** Asks for a target for the first time and answers it. */
  const fill = async (target: string, body?: Buffer) => {
    const got = get(target);
    await settle();
    asked.at(-1)?.answer(5, body);
    await got;
    await settle();
  };
  return { clock, asked, cache, get, fill };
}

describe('the cache of queries', () => {
  it('follows an answer that is in use', async () => {
    const { asked, get, fill } = setUp();
    await fill('/v1/x?passing');
    assert.equal(asked[1]?.target, '/v1/x?passing&index=5&wait=300s');
    assert.equal(asked[1]?.waitMs, 300_000);
    asked[1]?.answer(6);
    await settle();
    const { hit, answer } = await get('/v1/x?passing');
    assert.deepEqual([hit, answer.body.toString()], [true, '6']);
  });

  it('says how old an answer is that cannot be followed, and asks less and less often', async () => {
    const { clock, asked, get, fill } = setUp();
    await fill('/v1/x');
    for (let i = 1; i < 6; i++) {
      asked.at(-1)?.fail();
      await settle();
      await clock.advance(1000 * 2 ** (i - 1));
    }
    assert.equal(asked.length, 7);
    assert.equal((await get('/v1/x')).ageMs, 31_000);
  });

  it('forgets an answer whose token may not see it any more', async () => {
    const { asked, cache, get, fill } = setUp();
    await fill('/v1/x');
    asked.at(-1)?.refuse();
    await settle();
    assert.equal(cache.size, 0);
    const again = get('/v1/x');
    await settle();
    asked.at(-1)?.refuse();
    const { hit, answer } = await again;
    assert.deepEqual([hit, answer.status], [false, 403]);
  });

  it('does not ask without end a server that does not wait', async () => {
    const { clock, asked, fill } = setUp();
    await fill('/v1/x');
    asked[1]?.answer(5);
    await settle();
    assert.equal(asked.length, 2);
    await clock.advance(1000);
    assert.equal(asked.length, 3);
  });

  it('forgets what nobody has asked for in ten minutes', async () => {
    const { clock, asked, cache, fill } = setUp();
    await fill('/v1/x');
    await clock.advance(10 * 60_000);
    asked[1]?.answer(6);
    await settle();
    assert.equal(cache.size, 0);
    assert.equal(asked.length, 2);
  });

  it('keeps no more than its bound, and ends the queries of what it lets go', async () => {
    const { asked, cache, fill } = setUp();
    const megabyte = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 70; i++) await fill(`/v1/${i}`, megabyte);
    assert.ok(cache.size <= 64, `${cache.size} entries of a megabyte`);
    const running = asked.filter(({ waitMs, signal }) => waitMs > 0 && !signal.aborted);
    assert.equal(running.length, cache.size);
  });

  it('lets others go when an answer grows', async () => {
    const { asked, cache, fill } = setUp();
    for (let i = 0; i < 3; i++) await fill(`/v1/${i}`);
    asked.at(-1)?.answer(6, Buffer.alloc(65 * 1024 * 1024));
    await settle();
    assert.equal(cache.size, 1);
  });

  it('answers beyond a thousand names, without following them', async () => {
    const { asked, cache, get, fill } = setUp();
    for (let i = 0; i < 1000; i++) await fill(`/v1/${i}`);
    const got = get('/v1/more');
    await settle();
    asked.at(-1)?.answer(7);
    assert.equal((await got).hit, false);
    assert.equal(cache.size, 1000);
  });

  it('ends with all that it follows', async () => {
    const { clock, asked, cache, fill } = setUp();
    await fill('/v1/x');
    cache.stop();
    await settle();
    assert.deepEqual([asked[1]?.signal.aborted, cache.size, clock.armed], [true, 0, 0]);
  });
});
