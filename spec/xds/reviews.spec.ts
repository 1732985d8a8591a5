/** What has no index is asked again as something else changes: the newest answer counts, whoever gives it. */
import assert from 'node:assert/strict';
import { Account } from '../../xds/accounts.ts';
import { Pace } from '../../xds/pace.ts';
import { type AgentAnswer, type AskAgent, type Question, Questions } from '../../xds/questions.ts';
import { Reviews } from '../../xds/reviews.ts';
import { Room } from '../../xds/room.ts';
import { Turns } from '../../xds/turns.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { atEnd } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

const after: Question = { path: '/list', query: [['stale', '']] };
const question: Question = { path: '/match', query: [['stale', '']], unindexed: true, after };
/** Several to a review. */
const STEP_MS = 5000;

const says = (json: unknown, index = '1'): AgentAnswer => ({
  ...{ status: 200, index, json, text: JSON.stringify(json) },
});
const away: AgentAnswer = { ...says('', ''), status: 500, text: 'No cluster leader' };

interface Open {
  readonly isStale: boolean;
  readonly answer: (answer: AgentAnswer) => void;
}

/** Each time that it is asked is answered by hand; what it is asked after changes when it is told to. */
function start() {
  const opens: Open[] = [];
  let [index, wake] = [1, () => {}];
  const ask: AskAgent = async ({ path, query }, _token, signal) => {
    const has = (name: string) => query.find(([each]) => each === name);
    if (path === '/match') {
      return new Promise((answer) => {
        opens.push({ isStale: has('stale') !== undefined, answer });
      });
    }
    const isSeen = has('index')?.[1] === String(index);
    if (isSeen) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    return says(index, String(index));
  };
  const [clock, logger] = [new FakeClock(), new RecordingLogger()];
  const system = { clock, logger, random: seededRandom(1) };
  const questions = new Questions({
    ...{
      ask,
      tokens: () => [''],
      turns: new Turns(),
      pace: new Pace(system),
      room: new Room(),
      reviews: new Reviews(clock),
      system,
    },
  });
  const account = new Account({ followed: 10 });
  const told: unknown[] = [];
  const held = questions.hold(
    question,
    () => [account],
    () => told.push(held.known?.json),
  );
  atEnd(async () => held.release());
  const change = () => {
    index++;
    wake();
  };
  /** Another server answers, that is behind. */
  const fallBack = () => {
    index--;
    wake();
  };
  /** That it was asked for the so manieth time. */
  const asked = async (number: number): Promise<Open> => {
    await until(
      () => opens.length > number,
      () => String(opens.length),
    );
    return opens[number] as Open;
  };
  const reviewed = async (number: number): Promise<Open> => {
    await until(async () => {
      if (opens.length <= number) await clock.advance(STEP_MS);
      return opens.length > number;
    });
    return opens[number] as Open;
  };
  /** At once for two reasons: it is new, and what it comes after was seen for the first time. */
  const begin = async (json: unknown) => {
    for (const number of [0, 1]) (await asked(number)).answer(says(json));
    await until(() => told.length === 1);
  };
  return { logger, told, asked, reviewed, change, fallBack, begin };
}

describe('a question without an index', () => {
  it('is asked what is so now, and what a server knows only where none can say', async () => {
    const { told, asked, change, begin } = start();
    await begin('old');
    change();
    const fresh = await asked(2);
    assert.equal(fresh.isStale, false);
    fresh.answer(away);
    const stale = await asked(3);
    assert.equal(stale.isStale, true);
    stale.answer(says('new'));
    await until(() => told.length === 2);
    assert.deepEqual(told, ['old', 'new']);
  });

  it('goes on to have the newest answer where an older one comes late', async () => {
    const { told, asked, reviewed, change, begin } = start();
    await begin('old');
    const review = await reviewed(2);
    change();
    (await asked(3)).answer(says('new'));
    await until(() => told.length === 2);
    review.answer(says('old'));
    (await reviewed(4)).answer(says('newest'));
    await until(() => told.length === 3);
    assert.deepEqual(told, ['old', 'new', 'newest']);
  });

  it('takes nothing that may be older where the one that is waited at is behind, and none can say what is so', async () => {
    const { told, asked, reviewed, change, fallBack, begin } = start();
    await begin('allow');
    change();
    (await asked(2)).answer(says('deny'));
    await until(() => told.length === 2);
    fallBack();
    // As it is looked at afresh, and from time to time.
    for (const number of [3, 4, 5]) {
      const next = await reviewed(number);
      assert.equal(next.isStale, false);
      next.answer(away);
    }
    assert.deepEqual(told, ['allow', 'deny']);
  });

  it('is nothing new where its answer is the same', async () => {
    const { told, reviewed, begin } = start();
    await begin('same');
    (await reviewed(2)).answer(says('same'));
    (await reviewed(3)).answer(says('other'));
    await until(() => told.length === 2);
    assert.deepEqual(told, ['same', 'other']);
  });

  it('keeps what is known at a review where no server can say, and says so once', async () => {
    const { logger, told, reviewed, begin } = start();
    await begin('known');
    for (const number of [2, 3]) {
      (await reviewed(number)).answer(away);
    }
    (await reviewed(4)).answer(says('new'));
    await until(() => told.length === 2);
    assert.equal(logger.lines.length, 1, logger.lines.join('\n'));
  });
});
