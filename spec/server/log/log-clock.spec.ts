import assert from 'node:assert/strict';
import { LogClock } from '../../../server/log/log-clock.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const HOUR_MS = 3_600_000;

describe('the log’s clock', () => {
  function start() {
    const wall = new FakeClock();
    const clock = new LogClock(wall);
    let t = 0;
    const write = () => {
      t = clock.after(t);
      return t;
    };
    return { wall, write };
  }

  it('is the machine’s', async () => {
    const { wall, write } = start();
    assert.equal(write(), wall.now());
    await wall.advance(1234);
    assert.equal(write(), wall.now());
  });

  it('goes on at half the pace while the machine’s is behind, however often it writes', async () => {
    const { wall, write } = start();
    const begun = write();
    wall.setWall(-HOUR_MS);
    for (let i = 0; i < 4000; i++) {
      await wall.advance(0.5);
      write();
    }
    assert.equal(write() - begun, 1000);
  });

  it('counts the time before it was first seen to be behind', async () => {
    const { wall, write } = start();
    const begun = write();
    wall.setWall(-HOUR_MS);
    await wall.advance(30_000);
    assert.equal(write() - begun, 15_000);
  });

  it('is never ahead for longer than twice what the machine’s was set back by', async () => {
    const { wall, write } = start();
    write();
    wall.setWall(-HOUR_MS);
    await wall.advance(HOUR_MS);
    assert.equal(write() - wall.now(), HOUR_MS / 2);
    await wall.advance(HOUR_MS);
    assert.equal(write(), wall.now());
  });

  it('never goes back when it is set back again and again, nor after a start', async () => {
    const { wall, write } = start();
    let last = write();
    for (let i = 0; i < 20; i++) {
      wall.setWall(i % 3 === 0 ? HOUR_MS : -HOUR_MS);
      await wall.advance(10);
      const t = write();
      assert(t >= last);
      last = t;
    }
    const after = new LogClock(wall);
    assert.equal(after.after(last + 5000), last + 5000);
    await wall.advance(1000);
    assert.equal(after.after(last + 5000), last + 5500);
  });
});
