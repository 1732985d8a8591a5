import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Network } from './network.ts';
import type { SimSocket } from './sockets.ts';
import { World } from './world.ts';

describe('a world', () => {
  it('has a timer wait for what a suspended machine did not see pass, and no longer', async () => {
    const world = new World(1);
    const machine = world.machine('m');
    const fired = new Promise<number>((resolve) => {
      world.at(machine, 0, () => void world.after(2000, () => resolve(world.now)));
    });
    void world.sleep(500).then(() => world.suspend(machine, 10_000));
    assert.equal(Math.round(await world.until(fired)), 12_000);
  });

  it('has a timer keep to its own clock where that goes slower from then on', async () => {
    const world = new World(1);
    const machine = world.machine('m');
    const fired = new Promise<number>((resolve) => {
      world.at(machine, 0, () => void world.after(2000, () => resolve(world.now)));
    });
    void world.sleep(1000).then(() => machine.drift(world.now, 0.5));
    assert.equal(Math.round(await world.until(fired)), 3000);
  });

  it('tells a machine that stood still that who connected meanwhile has given up', async () => {
    const world = new World(1);
    const network = new Network(world);
    const [server, client] = [world.machine('s'), world.machine('c')];
    const accepted = new Promise<SimSocket>((resolve) => {
      network.listen({ machine: server, boot: 0 }, 80, resolve);
    });
    world.freeze(server, 1000);
    const socket = network.connect({ machine: client, boot: 0 }, 80);
    void world.sleep(100).then(() => socket.destroy());
    const heard = accepted.then((it) => once(it, 'error'));
    const [error] = await world.until(heard);
    assert.match(String(error), /ECONNRESET/);
  });
});
