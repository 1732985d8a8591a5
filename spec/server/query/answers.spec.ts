import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import { Rows } from '../../../lib/json-bytes.ts';
import { Work } from '../../../lib/slices.ts';
import { Answers } from '../../../server/query/answers.ts';
import type { Answer } from '../../../server/query/live-answer.ts';
import type { Question } from '../../../server/query/query.ts';
import { Watcher } from '../../../server/query/watcher.ts';
import { State } from '../../../server/state/state.ts';
import { sessionTopic } from '../../../server/state/topic-names.ts';
import { TOMBSTONE_MS } from '../../../server/state/topics.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { liveBytes } from '../../support/heap.ts';
import { whole } from '../../support/turns.ts';
import { until } from '../../support/until.ts';

function start(maxBytes?: number) {
  const state = new State();
  // Past the floor, which is 1.
  state.position = 1;
  const watcher = new Watcher();
  const clock = new FakeClock();
  let runs = 0;
  const answers = new Answers({
    state: () => state,
    watcher,
    clock,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  });
  const touch = (...topics: string[]) => {
    state.position++;
    for (const topic of topics) state.topics.touch(sessionTopic(topic));
    watcher.notify(state.topics.commit(state.index, clock.now()));
  };
  const query = (topic: string, json: unknown = topic): Question => ({
    key: topic,
    rights: EVERYTHING,
    run: (reader) => {
      reader.session(topic);
      runs++;
      return { json };
    },
  });
  const wait = (of: Question, seenIndex: number, waitMs = 60_000) => {
    const got: Answer[] = [];
    const errors: unknown[] = [];
    const waiting = answers.wait(of, {
      seenIndex,
      waitMs,
      onAnswer: (answer) => got.push(answer),
      onError: (error) => errors.push(error),
    });
    return { got, errors, cancel: () => waiting.leave() };
  };
  return { answers, clock, query, runs: () => runs, state, touch, wait, watcher };
}

describe('Answers', () => {
  it('shows the index that a fresh one has, once what is gone is forgotten', async () => {
    const { answers, clock, query, state, watcher } = start();
    const end = (topic: string, bury: boolean) => {
      state.position++;
      if (bury) state.topics.bury(topic);
      else state.topics.touch(topic);
      watcher.notify(state.topics.commit(state.index, clock.now()));
    };
    end('gone', true);
    const gone = state.index;
    assert.equal(answers.read(query('nobody')).index, 1);
    await clock.advance(TOMBSTONE_MS + 60_000);
    end('else', false);
    assert.equal(answers.read(query('nobody')).index, gone);
  });

  it('evaluates once, however many ask, until something is touched', () => {
    const { answers, query, runs, touch } = start();
    const web = query('web');
    assert.equal(answers.read(web), answers.read(query('web')));
    touch('other');
    answers.read(web);
    assert.equal(runs(), 1);
    touch('web');
    assert.equal(answers.read(web).index, 3);
    assert.equal(runs(), 2);
  });

  it('says of an answer that it stands, and never again once it was touched', () => {
    const { answers, query, touch } = start();
    const answer = answers.read(query('web'));
    assert(answer.stands);
    touch('web');
    assert(!answer.stands);
    answers.read(query('web'));
    assert(!answer.stands);
  });

  it('lets the oldest go when there is no more room, and says that they stand no longer', () => {
    const { answers, query, watcher } = start(10_000);
    const first = answers.read(query('first'));
    for (let i = 0; i < 100; i++) answers.read(query(`${i}`));
    assert(answers.size.bytes <= 10_000);
    // And the floor, on which all of these stand.
    assert.equal(watcher.size, answers.size.answers + 1);
    assert(!first.stands);
  });

  it('keeps nothing of one that nobody waits on, once what it read has changed', () => {
    const { answers, query, touch, watcher } = start();
    for (let i = 0; i < 100; i++) answers.read({ ...query('web'), key: `${i}` });
    touch('other');
    assert.equal(answers.size.answers, 100);
    touch('web');
    assert.deepEqual([answers.size, watcher.size], [{ answers: 0, bytes: 0 }, 0]);
  });

  it('lets one go that nobody asked for lately, though what it reads changes', async () => {
    const { answers, clock, query, touch } = start();
    answers.wasCached(query('web'));
    answers.read(query('web'));
    for (let minute = 0; minute < 6; minute++) {
      touch('web');
      await clock.advance(60_000);
    }
    answers.read(query('other'));
    assert.equal(answers.size.answers, 1);
  });

  it('keeps one that is waited on, however old', async () => {
    const { answers, query, touch, wait } = start(10_000);
    const { got } = wait(query('first'), 1);
    for (let i = 0; i < 100; i++) answers.read(query(`${i}`));
    touch('first');
    await settle();
    assert.equal(got.length, 1);
  });
});

describe('Answers.wait', () => {
  it('tells all who wait, after one evaluation for a whole batch of entries', async () => {
    const { query, runs, state, touch, wait } = start();
    const web = query('web');
    const waiting = Array.from({ length: 300 }, () => wait(web, 1));
    const before = runs();
    touch('web');
    touch('web');
    await settle();
    await until(() => waiting.every(({ got }) => got.length > 0));
    assert.equal(runs(), before + 1);
    assert(waiting.every(({ got }) => got.length === 1 && got[0]?.index === state.index));
  });

  it('lets other work come between when it tells very many', async () => {
    const { query, touch, wait } = start();
    const waiting = Array.from({ length: 5000 }, () => wait(query('web'), 1));
    touch('web');
    await Promise.resolve();
    const told = () => waiting.filter(({ got }) => got.length > 0).length;
    const steps: number[] = [];
    for (let before = 0; before < 5000 && steps.length < 5000; before = told()) {
      steps.push(told() - before);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(told(), 5000);
    assert(Math.max(...steps) <= 200, `at most ${Math.max(...steps)} at a time`);
  });

  it('lets other work come between when one entry touches very many answers', async () => {
    const { query, runs, touch, wait } = start();
    const shared = (i: number): Question => ({ ...query('web'), key: `web ${i}` });
    const waiting = Array.from({ length: 2000 }, (_, i) => wait(shared(i), 1));
    const before = runs();
    touch('web');
    await Promise.resolve();
    assert(runs() - before <= 100, `${runs() - before} were evaluated at once`);
    await until(() => waiting.every(({ got }) => got.length === 1));
  });

  it('tells those too who were already passed over when something changes once more', async () => {
    const { query, touch, wait } = start();
    const late = wait(query('web'), 2);
    const many = Array.from({ length: 500 }, () => wait(query('web'), 1));
    touch('other');
    touch('web');
    await Promise.resolve();
    touch('web');
    await until(() => many.every(({ got }) => got.length === 1));
    await until(() => late.got.length === 1);
  });

  it('leaves alone who has seen as much', async () => {
    const { query, touch, wait } = start();
    const { got } = wait(query('web'), 1);
    touch('other');
    await settle();
    assert.deepEqual(got, []);
  });

  it('tells of what was applied between the look and the wait', async () => {
    const { answers, query, touch, wait } = start();
    const { index } = answers.read(query('web'));
    touch('web');
    const { got } = wait(query('web'), index);
    assert.equal(got.length, 0);
    await settle();
    assert.equal(got[0]?.index, 2);
  });

  it('tells at once whoever has seen an index that was lost with its log', async () => {
    const { query, touch, wait } = start();
    touch('web');
    touch('other');
    const { got } = wait(query('web'), 3);
    await settle();
    assert.equal(got[0]?.index, 2);
  });

  it('tells what there is when the wait is over', async () => {
    const { clock, query, wait } = start();
    const { got } = wait(query('web'), 1, 1000);
    await clock.advance(999);
    assert.equal(got.length, 0);
    await clock.advance(1);
    assert.equal(got.length, 1);
    assert.equal(clock.armed, 0);
  });

  it('tells nothing once cancelled, and leaves no timer', async () => {
    const { answers, clock, query, touch, wait } = start();
    const { got, cancel } = wait(query('web'), 1);
    cancel();
    touch('web');
    await settle();
    assert.deepEqual(got, []);
    assert.equal(answers.waiting, 0);
    assert.equal(clock.armed, 0);
  });

  it('hands an error of the query to each who waits', async () => {
    const { touch, wait, query } = start();
    let fails = false;
    const odd: Question = {
      ...query('odd'),
      run: (reader) => {
        reader.session('odd');
        if (fails) throw new Error('no');
        return { json: 1 };
      },
    };
    const waiting = [wait(odd, 1), wait(odd, 1)];
    fails = true;
    touch('odd');
    await settle();
    for (const { errors } of waiting) assert.match(String(errors[0]), /no/);
  });

  it('answers all with what there is on release', () => {
    const { answers, query, wait } = start();
    const waiting = [wait(query('a'), 1), wait(query('b'), 1)];
    answers.release();
    assert(waiting.every(({ got }) => got.length === 1));
    assert.equal(answers.waiting, 0);
  });
});

describe('a large answer', () => {
  const LARGE = Array.from({ length: 20_000 }, (_, i) => ({ Key: `key-${i}`, Value: 'dmFsdWU=' }));
  const length = JSON.stringify(LARGE).length;

  it('has its index at once and its body turns later, made once for all who ask', async () => {
    const { answers, query, runs, state } = start();
    const answer = answers.read(query('all', LARGE));
    assert.equal(answer.index, state.topics.indexOf(sessionTopic('all')));
    const { body } = answer;
    assert(body instanceof Work);
    assert.equal(answers.read(query('all', LARGE)).body, body);
    assert.equal((await whole(body)).length, length);
    assert(answers.read(query('all', LARGE)).body instanceof Buffer);
    assert.equal(runs(), 1);
    assert(answers.size.bytes > length);
  });

  it('that is touched while it is made is given to who asked before, and to nobody after', async () => {
    const { answers, query, runs, touch } = start();
    const before = answers.read(query('all', LARGE));
    touch('all');
    const after = answers.read(query('all', LARGE));
    assert.deepEqual([before.stands, before.index, after.index, runs()], [false, 1, 2, 2]);
    assert.deepEqual(await whole(before.body), await whole(after.body));
    assert.equal(answers.size.answers, 1);
  });

  it('that comes to an error is made anew for the next who asks', async () => {
    const { answers, query } = start();
    let isBad = true;
    const rows = Rows.of(LARGE, (row) => {
      if (isBad && row === LARGE.at(-1)) throw new Error('no row');
      return row;
    });
    await assert.rejects(whole(answers.read(query('all', rows)).body), /no row/);
    isBad = false;
    assert.equal((await whole(answers.read(query('all', rows)).body)).length, length);
  });
});

describe('what Answers keeps', () => {
  it('counts the rows of large answers that are not made, also where nobody wants them any more', async () => {
    const { answers, query } = start(8 * 1024 * 1024);
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ Key: `key-${i}`, Value: 'dmFsdWU=' }));
    const ask = (i: number) => {
      const made = rows.map((row) => ({ row }));
      const json = Rows.of(made, ({ row }) => row, made.length * 48);
      const { body } = answers.read(query(`${i}`, json));
      assert(body instanceof Work);
      body.want()();
    };
    ask(0);
    const { heap } = await liveBytes();
    // No more than it takes: all of it is made, and gone through by the collector, within the time of a spec.
    for (let i = 1; i < 40; i++) ask(i);
    const kept = (await liveBytes()).heap - heap;
    assert(answers.size.bytes < 8 * 1024 * 1024, `${answers.size.bytes}`);
    assert(kept < 16 * 1024 * 1024, `${kept} bytes`);
  }).timeout(60_000);

  it('is nothing of a query that throws, also when it did not before', () => {
    const { answers, query, touch, watcher } = start();
    let fails = true;
    const odd = (key: string): Question => ({
      key,
      rights: EVERYTHING,
      run: (reader) => {
        reader.session('odd');
        if (fails) throw new Error('no');
        return { json: 1 };
      },
    });
    for (let i = 0; i < 6000; i++) assert.throws(() => answers.read(odd(`${i}`)));
    assert.deepEqual([answers.size, watcher.size], [{ answers: 0, bytes: 0 }, 0]);
    fails = false;
    answers.read(odd('a'));
    fails = true;
    touch('odd');
    assert.throws(() => answers.read(odd('a')));
    assert.deepEqual([answers.size.answers, watcher.size], [0, 0]);
    answers.read(query('web'));
    // And the floor, on which it stands.
    assert.equal(watcher.size, 2);
  });

  it('has room, also of those that are waited on, and all of them are woken', async () => {
    const { answers, query, touch, wait } = start(100_000);
    const big = 'x'.repeat(10_000);
    const waiting = Array.from({ length: 500 }, (_, i) => wait(query(`${i}`, big), 1));
    assert(answers.size.bytes <= 100_000);
    assert.equal(answers.waiting, 500);
    touch(...waiting.map((_, i) => `${i}`));
    await until(() => waiting.every(({ got }) => got.length === 1));
    assert(answers.size.bytes <= 100_000);
    assert.equal(answers.waiting, 0);
  });

  it('is gone from the watcher too once those have left for whom there was no room', () => {
    const { answers, query, wait, watcher } = start(10_000);
    const waiting = Array.from({ length: 100 }, (_, i) => wait(query(`${i}`), 1));
    for (const { cancel } of waiting) cancel();
    assert.equal(answers.waiting, 0);
    // And the floor, on which all of these stand.
    assert.equal(watcher.size, answers.size.answers + 1);
  });

  it('holds on the heap what it says that it holds', async () => {
    const { answers, query } = start();
    answers.read(query('warm'));
    const before = await liveBytes();
    // Buffers of other sizes come between, as of requests: a body must not keep its neighbours.
    for (let i = 0; i < 10_000; i++) {
      Buffer.from('x'.repeat(2000));
      answers.read(query(`${i}`, 'short'));
    }
    const after = await liveBytes();
    const held = after.heap + after.buffers - before.heap - before.buffers;
    const { bytes } = answers.size;
    assert(held < bytes, `${held} bytes are held, ${bytes} accounted for`);
    assert(held > bytes / 4, `${held} bytes are held, ${bytes} accounted for`);
  }).timeout(30_000);
});
