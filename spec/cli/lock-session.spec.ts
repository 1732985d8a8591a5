/** A lock is lost too where nothing of it is heard any more. */
import assert from 'node:assert/strict';
import type { ApiRequest } from '../../cli/api-client.ts';
import { KeyLock } from '../../cli/key-lock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { until } from '../support/until.ts';

const FLAGS = '3304740253564472344';

/** A server that answers until its packets vanish: then no request ends but by its signal. */
function started() {
  const clock = new FakeClock();
  const there = { isSilent: false, opens: Promise.resolve() };
  const asked: string[] = [];
  const ending = new AbortController();
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      const end = () => reject(new ProconsulError('unavailable', 'aborted'));
      if (signal.aborted) end();
      signal.addEventListener('abort', end, { once: true });
    });
  const answered = ({ method, path, query = [] }: ApiRequest) => {
    if (path === '/v1/session/create') return { ID: 's1' };
    if (method === 'PUT') return true;
    const isHeld = asked.some((each) => each.includes('acquire'));
    return query.some(([name]) => name === 'index')
      ? undefined
      : [{ Key: 'k', Flags: FLAGS, ModifyIndex: 7, ...(isHeld && { Session: 's1' }) }];
  };
  const client = (signal: AbortSignal) => ({
    send: async (request: ApiRequest) => {
      const { method, path, query = [] } = request;
      asked.push(`${method} ${path} ${query.map(([name]) => name).join()}`);
      if (path === '/v1/session/create') await there.opens;
      const json = there.isSilent ? undefined : answered(request);
      if (json === undefined) return await hang(signal);
      return { status: 200, index: '7', text: '', json };
    },
  });
  const lock = new KeyLock({
    key: 'k',
    sessionName: 'x',
    monitorRetries: 1,
    clock,
    client: client as never,
    signal: ending.signal,
  });
  const count = (what: string) => asked.filter((each) => each.includes(what)).length;
  return { clock, there, lock, count };
}

describe('a lock at a server that says nothing any more', () => {
  it('counts as lost, where no look is answered in time', async () => {
    const { clock, there, lock, count } = started();
    assert.equal(await lock.acquire(0), true);
    await until(() => count('index') === 1);
    there.isSilent = true;
    await clock.advance(19_000);
    assert.equal(lock.lost.aborted, false);
    await clock.advance(30_000);
    assert.equal(lock.lost.aborted, true);
  });

  it('has its session renewed again, though one renewal had no answer', async () => {
    const { clock, there, lock, count } = started();
    await lock.acquire(0);
    there.isSilent = true;
    await clock.advance(8000);
    assert.equal(count('renew'), 1);
    await clock.advance(13_000);
    assert.equal(count('renew'), 2);
    there.isSilent = false;
    await lock.release();
    assert.equal(clock.armed, 0);
  });

  it('is waited for in vain no longer than an answer may take', async () => {
    const { clock, there, lock } = started();
    there.isSilent = true;
    const acquired = lock.acquire(0);
    void acquired.catch(() => undefined);
    await clock.advance(20_000);
    await assert.rejects(acquired, ProconsulError);
  });
});

describe('a lock that is told too late that it has a session', () => {
  it('leaves none behind', async () => {
    const { there, lock, count } = started();
    let opens = () => undefined as void;
    there.opens = new Promise((resolve) => {
      opens = resolve;
    });
    assert.equal(await lock.acquire(1), false);
    const released = lock.release();
    opens();
    await released;
    assert.deepEqual([count('session/destroy/s1'), count('acquire')], [1, 0]);
  });

  it('waits two seconds for it, and no longer', async () => {
    const { clock, there, lock, count } = started();
    there.opens = new Promise(() => undefined);
    assert.equal(await lock.acquire(1), false);
    const released = lock.release();
    await clock.untilArmed(2);
    await clock.advance(2000);
    assert.equal(await released, false);
    assert.equal(count('session/destroy'), 0);
  });
});
