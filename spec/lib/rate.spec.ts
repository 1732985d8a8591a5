import assert from 'node:assert/strict';
import { Rate } from '../../lib/rate.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

function taken(rate: Rate, tries: number): number {
  let count = 0;
  for (let i = 0; i < tries; i++) if (rate.take()) count++;
  return count;
}

describe('a rate', () => {
  it('lets a burst through, and then so many a second', async () => {
    const clock = new FakeClock();
    const rate = new Rate({ perSecond: 60, burst: 100 }, clock);
    assert.equal(taken(rate, 500), 100);
    await clock.advance(1000);
    assert.equal(taken(rate, 500), 60);
    await clock.advance(3_600_000);
    assert.equal(taken(rate, 500), 100, 'a long rest is worth one burst');
  });

  it('of less than one a second lets one through now and then', async () => {
    const clock = new FakeClock();
    const rate = new Rate({ perSecond: 0.5, burst: 1 }, clock);
    assert.equal(taken(rate, 9), 1);
    await clock.advance(1000);
    assert.equal(taken(rate, 9), 0);
    await clock.advance(1000);
    assert.equal(taken(rate, 9), 1);
  });

  it('below 0 is none', () => {
    assert.equal(taken(new Rate({ perSecond: -1, burst: 0 }, new FakeClock()), 999), 999);
  });
});
