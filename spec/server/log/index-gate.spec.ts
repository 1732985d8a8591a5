import assert from 'node:assert/strict';
import { IndexGate } from '../../../server/log/index-gate.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';

function start() {
  const clock = new FakeClock();
  const gate = new IndexGate(clock);
  const wait = (index: number, ms = 1000, signal?: AbortSignal) =>
    gate.wait(index, clock.monotonic() + ms, signal);
  return { clock, gate, wait };
}

describe('IndexGate', () => {
  it('lets through at once whoever waits for what is applied', async () => {
    const { clock, gate, wait } = start();
    gate.moved(5);
    assert.equal(await wait(5, 0), true);
    assert.equal(clock.armed, 0);
  });

  it('lets the others through when the history gets there, and leaves nothing behind', async () => {
    const { clock, gate, wait } = start();
    const near = wait(2);
    const far = wait(3);
    gate.moved(2);
    assert.equal(await near, true);
    assert.equal(gate.waiting, 1);
    gate.moved(4);
    assert.equal(await far, true);
    assert.equal(gate.waiting, 0);
    assert.equal(clock.armed, 0);
  });

  it('holds nobody beyond the deadline', async () => {
    const { clock, gate, wait } = start();
    const waiting = wait(2, 1000);
    await clock.advance(999);
    assert.equal(gate.waiting, 1);
    await clock.advance(1);
    await settle();
    assert.equal(await waiting, false);
    assert.equal(gate.waiting, 0);
    assert.equal(await wait(2, 0), false);
  });

  it('gives up with the signal, also one that was given before', async () => {
    const { clock, gate, wait } = start();
    const ending = new AbortController();
    const waiting = wait(2, 1000, ending.signal);
    ending.abort();
    assert.equal(await waiting, false);
    assert.equal(await wait(2, 1000, ending.signal), false);
    assert.equal(gate.waiting, 0);
    assert.equal(clock.armed, 0);
  });

  it('knows of a history that went back', async () => {
    const { gate, wait } = start();
    gate.moved(7);
    gate.moved(3);
    const waiting = wait(5);
    gate.moved(8);
    assert.equal(await waiting, true);
  });
});
