import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { ProconsulError } from '../../lib/errors.ts';
import { AskingInTurns } from '../../sidecar/asking-in-turns.ts';
import { type Answer, patient, type Question } from '../../sidecar/follow.ts';
import { FakeClock, settle } from '../support/fakes/fake-clock.ts';
import { until } from '../support/until.ts';

const MOST = 120;

/** An agent that answers when it is told to, and what it is asked at the same time. */
function start() {
  const clock = new FakeClock();
  const open = new Map<string, (answer: Answer) => void>();
  /** The first bytes of the answer have come. */
  const begins = new Map<string, () => void>();
  /** Of its connections others have taken some. */
  const room = { most: Number.POSITIVE_INFINITY };
  let [most, refused] = [0, 0];
  const asked: string[] = [];
  const { ask } = new AskingInTurns(
    ({ path }: Question, signal, onBegun = () => undefined) =>
      new Promise<Answer>((resolve, reject) => {
        asked.push(path);
        begins.set(path, onBegun);
        if (open.size >= room.most) {
          refused++;
          reject(NO_ROOM);
          return;
        }
        open.set(path, (answer) => {
          open.delete(path);
          resolve(answer);
        });
        most = Math.max(most, open.size);
        signal.addEventListener('abort', () => {
          open.delete(path);
          reject(new Error('aborted'));
        });
      }),
    clock,
  );
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  const waits = (path: string) => ask({ path, query: [['index', '7']] }, ending.signal);
  const counts = { most: () => most, refused: () => refused };
  return { clock, open, begins, asked, ask, waits, ending, room, ...counts };
}

const NO_ROOM = new ProconsulError('busy', 'Unexpected response code: 429');
const ANSWER: Answer = { index: '8', json: [] };

describe('questions of a sidecar to its agent', () => {
  it('are as many at once as there are places; who waits for a change gives his to others after a while, and has it again', async () => {
    const { clock, open, asked, waits, ending, most } = start();
    const answers = Array.from({ length: MOST + 40 }, (_, i) => waits(`/${i}`));
    await settle();
    assert.deepEqual([open.size, asked.length], [MOST, MOST]);
    await clock.advance(1999);
    assert.equal(asked.length, MOST);
    for (let i = 0; i < 3; i++) await clock.advance(2000);
    // Each has had a turn, and the first ones another.
    await until(() => asked.length > MOST + 60);
    assert.equal(new Set(asked).size, MOST + 40);
    assert.equal(most(), MOST);
    // Nobody's answer is lost, and each is asked until it has one.
    for (let left = MOST + 40; left > 0; left -= MOST) {
      await until(() => open.size > 0);
      for (const answer of [...open.values()]) answer(ANSWER);
      await settle();
    }
    await until(() => {
      for (const answer of [...open.values()]) answer(ANSWER);
      return open.size === 0;
    });
    for (const answer of await Promise.all(answers)) assert.equal(answer, ANSWER);
    assert.equal(clock.armed, 0);
    ending.abort();
  });

  it('read an answer that has begun to its end, however long it takes, and others give their places', async () => {
    const { clock, open, begins, asked, waits, ending, room, ask } = start();
    const large = waits('/large');
    const all = Array.from({ length: MOST + 10 }, (_, i) => waits(`/${i}`));
    await settle();
    begins.get('/large')?.();
    for (let i = 0; i < 5; i++) await clock.advance(2000);
    assert.ok(new Set(asked).size > MOST);
    // Nor is it given up where the agent has no room.
    room.most = 1;
    const body = { method: 'POST', json: {} } as const;
    const refusal = ask({ path: '/write', query: [], body }, ending.signal).catch(() => 'refused');
    await settle();
    open.get('/large')?.(ANSWER);
    assert.equal(await large, ANSWER);
    assert.equal(asked.filter((path) => path === '/large').length, 1);
    ending.abort();
    await Promise.allSettled([refusal, ...all]);
    assert.deepEqual([open.size, clock.armed], [0, 0]);
  });

  it('have others go on where all answers have begun', async () => {
    const { clock, open, begins, asked, waits, ending } = start();
    const all = Array.from({ length: MOST + 1 }, (_, i) => waits(`/${i}`));
    await settle();
    await clock.advance(1000);
    for (const begin of begins.values()) begin();
    for (let i = 0; i < 3; i++) await clock.advance(2000);
    assert.equal(asked.length, MOST);
    open.get('/7')?.(ANSWER);
    await all[7];
    await until(() => asked.length === MOST + 1);
    ending.abort();
    await Promise.allSettled(all);
    assert.deepEqual([open.size, clock.armed], [0, 0]);
  });

  it('wait for no place where something is written, or is about who may call, and end with whoever asked', async () => {
    const { clock, open, ask, waits, ending } = start();
    const all = Array.from({ length: MOST + 1 }, (_, i) => waits(`/${i}`));
    await settle();
    const body = { method: 'POST', json: {} } as const;
    const written = ask({ path: '/write', query: [], body }, ending.signal);
    open.get('/write')?.(ANSWER);
    assert.equal(await written, ANSWER);
    const ofItself = ['/v1/connect/intentions', '/v1/agent/connect/ca/leaf/web'];
    all.push(...ofItself.map(waits));
    await settle();
    assert.deepEqual(
      ofItself.filter((path) => !open.has(path)),
      [],
    );
    ending.abort();
    const ended = await Promise.allSettled(all);
    assert.ok(ended.every(({ status }) => status === 'rejected'));
    assert.deepEqual([open.size, clock.armed], [0, 0]);
  });

  it('leave room for what calls wait for where the agent has none, and are more again in time', async () => {
    const { clock, open, ask, waits, ending, room } = start();
    const all = Array.from({ length: MOST + 40 }, (_, i) => waits(`/${i}`));
    await settle();
    room.most = MOST;
    const body = { method: 'POST', json: {} } as const;
    const asked = ask({ path: '/authorize', query: [], body }, ending.signal);
    await until(() => open.size === MOST / 2);
    await clock.advance(100);
    open.get('/authorize')?.(ANSWER);
    assert.equal(await asked, ANSWER);
    await clock.advance(9000);
    assert.equal(open.size, MOST / 2);
    await clock.advance(3000);
    assert.equal(open.size, MOST / 2 + 4);
    ending.abort();
    await Promise.allSettled(all);
    assert.deepEqual([open.size, clock.armed], [0, 0]);
  });

  it('are halved once for all that were refused together, and each says so to whoever asked', async () => {
    const { clock, open, waits, ending, room, refused } = start();
    room.most = 80;
    const all = Array.from({ length: MOST }, (_, i) => waits(`/${i}`));
    const ended = Promise.allSettled(all);
    await settle();
    assert.deepEqual([refused(), open.size], [MOST - 80, MOST / 2]);
    ending.abort();
    const reasons = (await ended).map((each) => each.status === 'rejected' && each.reason);
    assert.equal(reasons.filter((reason) => reason === NO_ROOM).length, MOST - 80);
    assert.deepEqual([open.size, clock.armed], [0, 0]);
  });

  it('give up places once for one that is refused again and again, and have them again within minutes', async () => {
    const { clock, open, ask, waits, ending, room } = start();
    const all = Array.from({ length: MOST + 40 }, (_, i) => waits(`/${i}`));
    await settle();
    room.most = 0;
    const body = { method: 'POST', json: {} } as const;
    const refusal = assert.rejects(ask({ path: '/authorize', query: [], body }, ending.signal));
    for (const ms of [100, 200, 400, 800]) {
      await clock.untilArmed();
      await clock.advance(ms);
    }
    await refusal;
    // Twice: half a second after the first time it was refused still.
    assert.equal(open.size, MOST / 4);
    room.most = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 150; i++) await clock.advance(2000);
    assert.equal(open.size, MOST);
    ending.abort();
    await Promise.allSettled(all);
  });

  it('have no answer late that only stood in line for a place', async () => {
    const { clock, ask: inner, ending, open } = start();
    const asked: string[] = [];
    const { ask } = new AskingInTurns(
      patient((question, signal) => {
        asked.push(question.path);
        return inner(question, signal);
      }, clock),
      clock,
    );
    // None of them gives its place up: each will have an answer.
    const all = Array.from({ length: MOST }, (_, i) =>
      ask({ path: `/${i}`, query: [] }, ending.signal),
    );
    const ended = Promise.allSettled(all);
    const last = ask({ path: '/last', query: [] }, ending.signal);
    await settle();
    await clock.advance(59_000);
    open.get('/0')?.(ANSWER);
    await until(() => asked.includes('/last'));
    await clock.advance(59_000);
    open.get('/last')?.(ANSWER);
    assert.equal(await last, ANSWER);
    ending.abort();
    await ended;
  });

  it('say that there is no room to whoever waits no more until there is', async () => {
    const { clock, ask, ending, room } = start();
    room.most = 0;
    const body = { method: 'POST', json: {} } as const;
    const asked = ask({ path: '/authorize', query: [], body }, ending.signal);
    await clock.untilArmed();
    ending.abort();
    await assert.rejects(asked, NO_ROOM);
    assert.equal(clock.armed, 0);
  });

  it('tell whoever asked at once that there is no room, after some tries', async () => {
    const { clock, asked, ask, ending, room } = start();
    room.most = 0;
    const body = { method: 'POST', json: {} } as const;
    const refusal = assert.rejects(ask({ path: '/authorize', query: [], body }, ending.signal));
    for (const ms of [100, 200, 400, 800]) {
      await clock.untilArmed();
      await clock.advance(ms);
    }
    await refusal;
    assert.deepEqual([asked.length, clock.armed], [5, 0]);
  });
});
