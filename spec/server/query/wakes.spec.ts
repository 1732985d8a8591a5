import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { Answers } from '../../../server/query/answers.ts';
import type { Question } from '../../../server/query/query.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { State } from '../../../server/state/state.ts';
import { sessionTopic } from '../../../server/state/topic-names.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('those who wait for large answers', () => {
  it('are woken in as many turns as have room for what is looked at for them', async () => {
    const state = new State();
    state.position = 1;
    const watcher = new Watcher();
    const clock = new FakeClock();
    const answers = new Answers({ state: () => state, watcher, clock });
    let [runs, told] = [0, 0];
    for (let n = 0; n < 10; n++) {
      const question: Question = {
        key: `${n}`,
        rights: EVERYTHING,
        run: (reader) => {
          reader.session('one');
          // As if it had taken so long.
          void clock.stall(9);
          runs++;
          return { json: n };
        },
      };
      const seenIndex = answers.read(question).index;
      const onAnswer = () => void told++;
      answers.wait(question, { seenIndex, waitMs: 60_000, onAnswer, onError: assert.fail });
    }
    state.position++;
    state.topics.touch(sessionTopic('one'));
    watcher.notify(state.topics.commit(state.index, clock.now()));
    let [before, most] = [runs, 0];
    while (told < 10) {
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, runs - before);
      before = runs;
    }
    assert(most <= 4, `${most} at once`);
  });
});
