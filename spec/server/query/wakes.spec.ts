import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { Answers } from '../../../server/query/answers.ts';
import type { Question } from '../../../server/query/query.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { State } from '../../../server/state/state.ts';
import { sessionTopic } from '../../../server/state/topic-names.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

/** Answers of which each takes so long to look up, and those who wait for them. */
function start(ms: number, maxBytes = 1e8) {
  const state = new State();
  state.position = 1;
  const [watcher, clock] = [new Watcher(), new FakeClock()];
  const answers = new Answers({ state: () => state, watcher, clock, maxBytes });
  const seen = { runs: 0, told: 0 };
  const question = (n: number): Question => ({
    key: `${n}`,
    rights: EVERYTHING,
    run: (reader) => {
      reader.session('one');
      // As if it had taken so long.
      void clock.stall(ms);
      seen.runs++;
      return { json: n };
    },
  });
  const wait = (n: number, count: number, waitMs = 60_000) => {
    const seenIndex = answers.read(question(n)).index;
    const onAnswer = () => void seen.told++;
    for (let i = 0; i < count; i++) {
      answers.wait(question(n), { seenIndex, waitMs, onAnswer, onError: assert.fail });
    }
  };
  const touch = () => {
    state.position++;
    state.topics.touch(sessionTopic('one'));
    watcher.notify(state.topics.commit(state.index, clock.now()));
  };
  /** The most of anything that came about in one turn, until all are told. */
  const mostInATurn = async (of: 'runs' | 'told', all: number, meanwhile = () => {}) => {
    let most = 0;
    for (let before = seen[of]; seen.told < all; before = seen[of]) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, seen[of] - before);
      meanwhile();
    }
    return most;
  };
  return { answers, clock, wait, touch, mostInATurn };
}

describe('those who wait for large answers', () => {
  it('are woken in as many turns as have room for what is looked at for them', async () => {
    const { wait, touch, mostInATurn } = start(9);
    for (let n = 0; n < 10; n++) wait(n, 1);
    touch();
    const most = await mostInATurn('runs', 10);
    assert(most <= 4, `${most} at once`);
  });

  it('are woken so, also where they are many and it changes again before all of them are told', async () => {
    const { wait, touch, mostInATurn } = start(9);
    for (let n = 0; n < 10; n++) wait(n, 100);
    touch();
    let again = 12;
    const most = await mostInATurn('runs', 1000, () => {
      if (again-- > 0) touch();
    });
    assert(most <= 4, `${most} at once`);
  });
});

describe('very many who wait', () => {
  it('are told some in a turn, whether they wait for the same or each few for something else', async () => {
    const { wait, touch, mostInATurn } = start(0);
    for (let n = 0; n < 100; n++) wait(n, 40);
    touch();
    const most = await mostInATurn('told', 4000);
    assert(most <= 2 * 128, `${most} at once`);
  });

  it('are told some in a turn where the state is replaced, and at once where the server stops', async () => {
    const { answers, wait, mostInATurn } = start(0);
    for (let n = 0; n < 100; n++) wait(n, 40);
    answers.releaseSoon();
    const most = await mostInATurn('told', 4000);
    assert(most <= 2 * 128, `${most} at once`);
    assert.equal(answers.waiting, 0);
    wait(0, 1000);
    answers.release();
    assert.equal(answers.waiting, 0);
  });

  it('count as woken once for each answer that is made anew for them, and not where their time is over', async () => {
    // There is room for none: whoever's time is over has his made anew.
    const { answers, clock, wait, touch, mostInATurn } = start(0, 1);
    wait(0, 200);
    touch();
    await mostInATurn('told', 200);
    assert.equal(answers.wakeUps, 1);
    wait(0, 10, 1000);
    await clock.advance(1000);
    await mostInATurn('told', 210);
    assert.equal(answers.wakeUps, 1);
  });
});
