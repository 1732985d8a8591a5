import assert from 'node:assert/strict';
import { LiveQuery } from '../../web/core/live-query.ts';
import { Refusal } from '../../web/core/refusal.ts';
import { rowsBy } from '../../web/core/rows.ts';
import { Played, settled } from '../support/fakes/played-queries.ts';

describe('a live query of the page', () => {
  function start() {
    const played = new Played();
    const live = new LiveQuery<string>('/v1/x', played.around);
    live.start();
    const shown = () => live.shown.value;
    return { played, live, shown };
  }

  it('waits for what is not there, where the server says since when', async () => {
    const { played, shown } = start();
    await played.refuses(new Refusal('missing', 404, '', 7n));
    assert.equal(shown().standing, 'missing');
    await played.passes(1000);
    assert.deepEqual(played.asked, ['/v1/x', '/v1/x?index=7&wait=60s']);
    await played.answers('here', 8);
    assert.equal(shown().value, 'here');
  });

  it('asks at once, then waits at the index for what is next', async () => {
    const { played, shown } = start();
    assert.equal(shown().standing, 'coming');
    await played.answers('one', 7);
    const here = { standing: 'here', isLost: false, problem: '', isPartial: false };
    assert.deepEqual(shown(), { value: 'one', ...here });
    await played.passes(250);
    assert.deepEqual(played.asked, ['/v1/x', '/v1/x?index=7&wait=60s']);
    await played.answers('two', 9);
    assert.equal(shown().value, 'two');
  });

  it('shows nothing anew when the wait is over without a change', async () => {
    const { played, shown } = start();
    await played.answers('one', 7);
    const before = shown();
    await played.passes(60_000);
    await played.answers('one', 7);
    assert.equal(shown(), before);
  });

  it('asks no more often than eyes can follow, however often it changes', async () => {
    const { played } = start();
    await played.answers('one', 7);
    assert.equal(played.asked.length, 1);
    await played.passes(149);
    assert.equal(played.asked.length, 1);
    await played.passes(1);
    assert.equal(played.asked.length, 2);
    // After a pause the next change is shown, and asked after, without a delay.
    await played.passes(5_000);
    await played.answers('two', 8);
    await played.passes(0);
    assert.equal(played.asked.length, 3);
    // From question to question: what comes a little later waits for what is left of it.
    await played.passes(100);
    await played.answers('three', 9);
    await played.passes(50);
    assert.equal(played.asked.length, 4);
  });

  it('asks for changes alone of a list that it has', async () => {
    const played = new Played();
    const live = new LiveQuery(
      '/v1/x',
      played.around,
      rowsBy<string>((row) => row[0] ?? ''),
    );
    const changes = (Changed: readonly string[], ...Gone: readonly string[]) => ({ Changed, Gone });
    live.start();
    await played.answers(['a1', 'b1', 'c1'], 7, { mark: 'm.1' });
    await played.passes(150);
    assert.equal(played.asked.at(-1), '/v1/x?index=7&wait=60s&since=m.1');
    await played.answers(changes(['d1', 'b2', 'a2'], 'c', 'a'), 8, { mark: 'm.2' });
    assert.deepEqual(live.shown.value.value, ['a2', 'b2', 'd1']);
    const before = live.shown.value;
    await played.passes(150);
    await played.answers(changes([]), 9, { mark: 'm.2' });
    assert.equal(live.shown.value, before);
    await played.passes(150);
    assert.equal(played.asked.at(-1), '/v1/x?index=9&wait=60s&since=m.2');
    // Whoever sees a part of it is given no mark, and must not be told of changes once he sees all.
    await played.answers(['d1'], 10, { isPartial: true });
    await played.passes(150);
    assert.equal(played.asked.at(-1), '/v1/x?index=10&wait=60s');
    // A server that does not know tells all.
    await played.answers(['e1'], 11, { mark: 'n.4' });
    assert.deepEqual(live.shown.value.value, ['e1']);
    await played.passes(150);
    await played.refuses(new Refusal('lost', 0, ''));
    await played.passes(500);
    assert.equal(played.asked.at(-1), '/v1/x');
    live.stop();
  });

  it('forgets what it showed, whose changes nobody is told of then', async () => {
    const played = new Played();
    const live = new LiveQuery(
      '/v1/x',
      played.around,
      rowsBy<string>((row) => row),
    );
    live.start();
    await played.answers(['a'], 7, { mark: 'm.1' });
    live.forget();
    assert.deepEqual([live.shown.value.value, live.shown.value.standing], [undefined, 'coming']);
    live.start();
    assert.equal(played.asked.at(-1), '/v1/x');
    live.stop();
  });

  it('asks anew where the index has gone back', async () => {
    const { played } = start();
    await played.answers('one', 7);
    await played.passes(250);
    await played.answers('older', 3);
    await played.passes(250);
    assert.equal(played.asked.at(-1), '/v1/x');
  });

  it('keeps what it showed while the server is lost, and tries again, ever more seldom', async () => {
    const { played, shown } = start();
    await played.answers('one', 7);
    await played.passes(250);
    for (const ms of [500, 1000, 2000, 4000, 8000, 15_000, 15_000]) {
      await played.refuses(new Refusal('lost', 0, 'no route'));
      const asked = played.asked.length;
      assert.deepEqual([shown().value, shown().isLost], ['one', true]);
      await played.passes(ms - 1);
      assert.equal(played.asked.length, asked);
      await played.passes(1);
      assert.equal(played.asked.length, asked + 1);
    }
    assert.equal(played.asked.at(-1), '/v1/x');
    await played.answers('one', 7);
    assert.deepEqual([shown().standing, shown().isLost], ['here', false]);
  });

  it('gives up a server that says nothing', async () => {
    const { played, shown } = start();
    await played.answers('one', 7);
    await played.passes(250);
    await played.passes(71_000);
    assert.equal(shown().isLost, true);
    assert.deepEqual(played.told, ['answered', 'lost ']);
  });

  it('gives up a server that does not even begin to say something', async () => {
    const { played, shown } = start();
    await played.passes(30_000);
    assert.equal(shown().isLost, true);
    assert.deepEqual(played.told, ['lost ']);
  });

  it('keeps it that there was nothing, while the server is lost', async () => {
    const { played, shown } = start();
    await played.refuses(new Refusal('missing', 404, ''));
    await played.passes(40_000);
    await played.refuses(new Refusal('lost', 500, 'No cluster leader'));
    assert.deepEqual([shown().standing, shown().isLost], ['missing', true]);
    assert.equal(played.told.at(-1), 'lost No cluster leader');
  });

  it('waits at indexes of 64 bits, as events have them', async () => {
    const { played } = start();
    await played.answers('one', 18_446_744_073_709_551_557n);
    await played.passes(250);
    assert.equal(played.asked.at(-1), '/v1/x?index=18446744073709551557&wait=60s');
  });

  it('asks no more once it is answered, where the answer never changes', async () => {
    const played = new Played();
    const once = new LiveQuery<string>('/v1/x', played.around, { isOnce: true });
    once.start();
    await played.refuses(new Refusal('lost', 0, ''));
    await played.passes(500);
    await played.answers('one', 7);
    await played.passes(300_000);
    assert.deepEqual([played.asked.length, played.timers, once.isDone], [2, 0, true]);
  });

  it('asks once more for what is at rest where something else says that it is another one, once a second at most', async () => {
    const played = new Played();
    const resting = new LiveQuery<string>('/v1/x', played.around, { isAtRest: true });
    const { shown } = resting;
    resting.start();
    // What is on its way is let end, however often that is said.
    for (let i = 0; i < 40; i++) {
      resting.askOnceMore();
      await played.passes(60);
    }
    assert.equal(played.asked.length, 1);
    await played.answers('one', 0);
    assert.deepEqual([shown.value.value, played.asked.length], ['one', 2]);
    await played.answers('two', 0);
    assert.deepEqual([shown.value.value, played.asked.length], ['two', 2]);
    for (let i = 0; i < 100; i++) {
      await played.passes(60);
      resting.askOnceMore();
      await played.answers('three', 0);
    }
    assert.equal(played.asked.length, 2 + 6);
    // Once that is over it rests for good, and then what is said is heeded at once.
    await played.passes(1000);
    await played.answers('four', 0);
    const before = played.asked.length;
    await played.passes(400_000);
    assert.equal(played.asked.length, before);
    resting.askOnceMore();
    assert.equal(played.asked.length, before + 1);
    resting.stop();
    await settled();
    assert.equal(played.timers, 0);
    resting.askOnceMore();
    assert.equal(played.asked.length, before + 2);
  });

  it('shows nothing of what may no longer be seen', async () => {
    const { played, shown } = start();
    await played.answers('one', 7, { isPartial: true });
    assert.equal(shown().isPartial, true);
    await played.passes(250);
    await played.refuses(new Refusal('forbidden', 403, 'Permission denied'));
    assert.deepEqual(
      [shown().value, shown().standing, shown().problem],
      [undefined, 'forbidden', 'Permission denied'],
    );
  });

  it('asks now and then where nothing can be waited for', async () => {
    const { played } = start();
    await played.answers('one', 0);
    await played.passes(29_000);
    assert.equal(played.asked.length, 1);
    await played.passes(1_000);
    assert.equal(played.asked.length, 2);
  });

  it('shows anew what has no index, each time it is answered', async () => {
    const { played, live, shown } = start();
    await played.answers('one', 0);
    await played.passes(30_000);
    await played.answers('two', 0);
    assert.equal(shown().value, 'two');
    // As it is started when somebody else asks.
    live.start();
    await played.answers('three', 0);
    assert.equal(shown().value, 'three');
    live.stop();
  });

  it('leaves its place where it is the turn of another, but for an answer that has begun to come', async () => {
    const { played, live, shown } = start();
    await played.answers('one', 7);
    await played.passes(250);
    assert.deepEqual([played.asked.length, played.places], [2, 1]);
    await played.turnEnds();
    assert.equal(played.places, 0);
    await played.passes(150);
    assert.deepEqual([played.asked.length, played.places], [3, 1]);
    // However slowly it comes.
    assert.equal(played.placeIs, 'wanted');
    played.comes();
    assert.equal(played.placeIs, 'comes');
    await played.turnEnds();
    for (let piece = 0; piece < 10; piece++) {
      await played.passes(60_000);
      played.comes();
    }
    assert.deepEqual([played.asked.length, played.places], [3, 1]);
    await played.answers('two', 8);
    assert.deepEqual([shown().value, shown().isLost], ['two', false]);
    await played.passes(0);
    assert.deepEqual([played.asked.length, played.places], [4, 1]);
    // Who goes in the middle of it is lost as any.
    played.comes();
    await played.turnEnds();
    await played.passes(71_000);
    assert.equal(shown().isLost, true);
    live.stop();
    await settled();
    assert.deepEqual([played.places, played.timers], [0, 0]);
  });

  it('is let come after some turns in vain, for a server may be slower than a turn', async () => {
    const { played, live, shown } = start();
    await played.answers('one', 7);
    for (let turn = 1; turn <= 4; turn++) {
      await played.passes(150);
      assert.deepEqual([played.asked.length, played.places], [1 + turn, 1]);
      assert.equal(played.asked.at(-1), '/v1/x?index=7&wait=60s');
      await played.turnEnds();
      assert.equal(played.places, 0);
    }
    await played.passes(150);
    // It holds its place no longer than a turn where there is nothing new.
    assert.deepEqual([played.asked.at(-1), played.placeIs], ['/v1/x?index=7&wait=1s', 'comes']);
    await played.turnEnds();
    await played.passes(20_000);
    assert.deepEqual([played.asked.length, played.places], [6, 1]);
    await played.answers('two', 8);
    assert.equal(shown().value, 'two');
    await played.passes(0);
    assert.equal(played.asked.at(-1), '/v1/x?index=8&wait=60s');
    live.stop();
  });

  it('leaves nothing when it is stopped, also in the middle, and begins anew', async () => {
    const { played, live } = start();
    live.stop();
    await settled();
    assert.equal(played.timers, 0);
    live.start();
    await played.answers('late', 2);
    live.stop();
    assert.equal(played.timers, 0);
    assert.equal(live.isRunning, false);
    live.start();
    assert.equal(played.asked.at(-1), '/v1/x');
  });
});
