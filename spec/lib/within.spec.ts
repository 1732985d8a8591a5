import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { pause } from '../../lib/clock.ts';
import { within } from '../../lib/within.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

describe('work within a time', () => {
  const HOUR_MS = 3600_000;

  it('is told to end after it, or with the signal of whoever wants it', async () => {
    const clock = new FakeClock();
    const outer = new AbortController();
    const works = [10, HOUR_MS].map((ms) =>
      within(clock, ms, outer.signal, async (signal) => {
        await pause(clock, HOUR_MS, signal);
        return signal.aborted;
      }),
    );
    await clock.advance(10);
    assert.equal(await works[0], true);
    assert.equal(outer.signal.aborted, false);
    outer.abort();
    assert.equal(await works[1], true);
    assert.equal(await within(clock, 1, outer.signal, async (signal) => signal.aborted), true);
  });

  it('leaves nothing to a signal that lives on, nor to the clock', async () => {
    const clock = new FakeClock();
    const { signal } = new AbortController();
    for (let i = 0; i < 100; i++) {
      await within(clock, HOUR_MS, signal, async () => i);
      await assert.rejects(within(clock, HOUR_MS, signal, () => Promise.reject(new Error('x'))));
    }
    assert.equal(getEventListeners(signal, 'abort').length, 0);
    assert.equal(clock.armed, 0);
  });
});
