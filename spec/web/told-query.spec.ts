import assert from 'node:assert/strict';
import { LiveQuery } from '../../web/core/live-query.ts';
import { Refusal } from '../../web/core/refusal.ts';
import { Played, settled } from '../support/fakes/played-queries.ts';

describe('what a page is told, and has no index', () => {
  it('shows what it is told, and takes for lost who tells nothing when he is asked again', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    for (const [i, value] of ['one', 'two', undefined, undefined].entries()) {
      played.tells(value);
      assert.equal(told.shown.value.value, i === 0 ? 'one' : 'two');
      await played.passes(1000);
    }
    assert.deepEqual([played.asked.length, told.shown.value.isLost], [1, false]);
    await played.passes(3000);
    assert.deepEqual([played.asked.length, told.shown.value.isLost], [2, false]);
    await played.passes(30_000);
    assert.deepEqual([told.shown.value.isLost, told.shown.value.value], [true, 'two']);
    await played.passes(500);
    assert.equal(played.asked.length, 3);
    played.tells('three');
    assert.deepEqual([told.shown.value.isLost, told.shown.value.value], [false, 'three']);
    told.stop();
    await settled();
    assert.equal(played.timers, 0);
  });

  it('lets go of its connection for a moment after each turn, for other windows', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
    for (let turn = 1; turn < 4; turn++) {
      assert.deepEqual([played.asked.length, played.listening], [turn, true]);
      played.tells('one');
      await played.passes(4999);
      assert.equal(played.listening, true);
      await played.passes(1);
      assert.deepEqual([played.asked.length, played.listening], [turn, false]);
      await played.passes(2000);
    }
    assert.deepEqual([told.shown.value.isLost, played.told.includes('lost ')], [false, false]);
  });

  it('asks again after a rest where no more is told', async () => {
    const played = new Played();
    const told = new LiveQuery<string>('/v1/x?stream', played.around, { isTold: true });
    told.start();
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
