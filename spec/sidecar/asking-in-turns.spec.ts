import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { AskingInTurns } from '../../sidecar/asking-in-turns.ts';
import type { Answer, Question } from '../../sidecar/follow.ts';
import { FakeClock, settle } from '../support/fakes/fake-clock.ts';
import { until } from '../support/until.ts';

const MOST = 120;

/** An agent that answers when it is told to, and what it is asked at the same time. */
function start() {
  const clock = new FakeClock();
  const open = new Map<string, (answer: Answer) => void>();
  let most = 0;
  const asked: string[] = [];
  const { ask } = new AskingInTurns(
    ({ path }: Question, signal) =>
      new Promise<Answer>((resolve, reject) => {
        asked.push(path);
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
  return { clock, open, asked, ask, waits, ending, most: () => most };
}

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
});
