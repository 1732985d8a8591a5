import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Succession } from '../../../cli/process/succession.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';

/** As a child at the other end of a channel. */
class Child extends EventEmitter {
  connected = true;
  readonly said: { said: object; handle: Socket | undefined; told: () => void }[] = [];

  send(said: object, handle: Socket | undefined, told: () => void): void {
    this.said.push({ said, handle, told });
  }

  get asChild(): ChildProcess {
    return this as unknown as ChildProcess;
  }
}

class Socket {
  isOpen = true;

  close(): void {
    this.isOpen = false;
  }
}

function setUp(givers: number) {
  const clock = new FakeClock();
  const succession = new Succession(clock);
  const before = Array.from({ length: givers }, () => new Child());
  const begin = async () => {
    const child = new Child();
    void succession.of(
      child.asChild,
      before.map(({ asChild }) => asChild),
    );
    child.emit('message', { wants: 'sockets' });
    await settle();
    return child;
  };
  return { clock, before, begin };
}

describe('the sockets of those that leave', () => {
  it('are closed where they come later than anybody waits for them', async () => {
    const { clock, before, begin } = setUp(1);
    const [giver] = before;
    const child = await begin();
    await clock.advance(5000);
    assert.deepEqual(child.said.at(-1)?.said, { isLast: true });
    const late = new Socket();
    giver?.emit('message', { at: '127.0.0.1:1' }, late);
    assert.equal(late.isOpen, false);
  });

  it('come to whoever asks then, and the end of the answer before is not the end of his', async () => {
    const { clock, before, begin } = setUp(1);
    const [giver] = before;
    await begin();
    await clock.advance(5000);
    const second = await begin();
    giver?.emit('message', { isLast: true });
    await settle();
    assert.equal(second.said.length, 0);
    const socket = new Socket();
    giver?.emit('message', { at: '127.0.0.1:1' }, socket);
    giver?.emit('message', { isLast: true });
    await settle();
    assert.deepEqual(
      second.said.map(({ said }) => said),
      [{ at: '127.0.0.1:1' }, { isLast: true }],
    );
    assert.equal(socket.isOpen, true);
    second.said[0]?.told();
    assert.equal(socket.isOpen, false);
  });

  it('are closed with one that ends before it has taken them', async () => {
    const { before, begin } = setUp(1);
    const child = await begin();
    const sockets = [new Socket(), new Socket()];
    for (const [i, each] of sockets.entries())
      before[0]?.emit('message', { at: `127.0.0.1:${i}` }, each);
    before[0]?.emit('message', { isLast: true });
    await settle();
    child.said[0]?.told();
    child.connected = false;
    child.emit('exit', null, 'SIGKILL');
    assert.deepEqual(
      sockets.map(({ isOpen }) => isOpen),
      [false, false],
    );
  });
});
