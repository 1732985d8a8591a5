import assert from 'node:assert/strict';
import { LiveQuery } from '../../web/core/live-query.ts';
import { Refusal } from '../../web/core/refusal.ts';
import { Played, settled } from '../support/fakes/played-queries.ts';

describe('what a page is told, and has no index', () => {
  it('shows what it is told, and takes for lost who tells nothing any more', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    await settled();
    for (const [i, value] of ['one', 'two', undefined, undefined].entries()) {
      played.tells(value);
      assert.equal(told.shown.value.value, i === 0 ? 'one' : 'two');
      await played.passes(1000);
    }
    await played.passes(60_000);
    assert.deepEqual([played.asked.length, told.shown.value.isLost], [1, false]);
    await played.passes(10_000);
    assert.deepEqual([told.shown.value.isLost, told.shown.value.value], [true, 'two']);
    await played.passes(500);
    assert.equal(played.asked.length, 2);
    played.tells('three');
    assert.deepEqual([told.shown.value.isLost, told.shown.value.value], [false, 'three']);
    told.stop();
    await settled();
    assert.equal(played.timers, 0);
  });

  it('leaves its place where it is the turn of another, and listens again once it has one', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    await settled();
    for (let turn = 1; turn < 4; turn++) {
      assert.deepEqual([played.asked.length, played.listening, played.places], [turn, true, 1]);
      played.tells('one');
      await played.turnEnds();
      assert.deepEqual([played.asked.length, played.listening, played.places], [turn, false, 0]);
      await played.passes(150);
    }
    assert.deepEqual([told.shown.value.isLost, played.told.includes('lost ')], [false, false]);
    told.stop();
    await settled();
    assert.equal(played.places, 0);
  });

  it('is told once at least in each turn, however long that takes', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    await settled();
    await played.turnEnds();
    await played.passes(20_000);
    assert.deepEqual([played.asked.length, played.listening, played.placeIs], [1, true, 'comes']);
    played.tells('one');
    await settled();
    // Its place is another's, and it wants one anew.
    assert.equal(told.shown.value.value, 'one');
    assert.deepEqual([played.asked.length, played.listening, played.places], [2, true, 1]);
    // Who says nothing at all has gone.
    await played.turnEnds();
    await played.passes(30_000);
    assert.deepEqual([told.shown.value.isLost, played.places], [true, 0]);
    told.stop();
  });

  it('asks again after a rest where no more is told', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    await settled();
    played.tells('one');
    await played.ends();
    await played.passes(1999);
    assert.deepEqual([played.asked.length, told.shown.value.value], [1, 'one']);
    await played.passes(1);
    assert.deepEqual([played.asked.length, told.shown.value.isLost], [2, false]);
  });

  it('takes no server for lost to which too many listen, and asks it again calmly', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    await settled();
    await played.ends(new Refusal('lost', 429, '64 clients listen to it already'));
    await played.passes(29_999);
    assert.deepEqual(
      [played.asked.length, told.shown.value.isLost, played.told],
      [1, false, ['answered']],
    );
    assert.equal(told.shown.value.problem, '64 clients listen to it already');
    await played.passes(1);
    assert.equal(played.asked.length, 2);
  });
});
