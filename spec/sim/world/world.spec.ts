import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { SimDisk } from './disk.ts';
import { replaceGlobals } from './globals.ts';
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

  it('tells nobody of a machine that lost its power, until somebody speaks to it and it has power again', async () => {
    const world = new World(1);
    const network = new Network(world);
    const [server, client] = [world.machine('s'), world.machine('c')];
    network.listen({ machine: server, boot: 0 }, 80, () => undefined);
    const [silent, speaking] = [1, 2].map(() => network.connect({ machine: client, boot: 0 }, 80));
    const ended: [string, number][] = [];
    silent?.on('error', () => ended.push(['silent', world.now]));
    speaking?.on('error', () => ended.push(['speaking', world.now]));
    await world.until(world.sleep(100));
    network.killed(server, 3000);
    world.kill(server);
    world.at(client, 1000, () => speaking?.write('are you there?'));
    await world.until(world.sleep(2900));
    assert.equal(ended.length, 0);
    await world.until(world.sleep(10_000));
    assert.deepEqual(
      ended.map(([who]) => who),
      ['speaking'],
    );
    network.end();
  });

  it('has a kernel look after a machine that lost its power, where it was asked to', async () => {
    const world = new World(1);
    const network = new Network(world);
    const [server, client] = [world.machine('s'), world.machine('c')];
    network.listen({ machine: server, boot: 0 }, 80, () => undefined);
    const ended: number[] = [];
    for (const afterMs of [0, 1000]) {
      const socket = network.connect({ machine: client, boot: 0 }, 80);
      socket.setKeepAlive(true, afterMs);
      socket.on('error', () => ended.push(afterMs));
    }
    await world.until(world.sleep(100));
    network.killed(server, 3000);
    world.kill(server);
    await world.until(world.sleep(2900));
    assert.equal(ended.length, 0);
    await world.until(world.sleep(2000));
    assert.deepEqual(ended, [1000]);
    network.end();
  });

  it('lets one hear who does not hear it', async () => {
    const world = new World(1);
    const network = new Network(world);
    const [server, client] = [world.machine('s'), world.machine('c')];
    const heard: string[] = [];
    network.listen({ machine: server, boot: 0 }, 80, (socket) => {
      socket.on('data', (bytes: Buffer) => heard.push(String(bytes)));
      world.at(server, 500, () => socket.write('b'));
    });
    const socket = network.connect({ machine: client, boot: 0 }, 80);
    socket.on('data', (bytes: Buffer) => heard.push(String(bytes)));
    await world.until(world.sleep(100));
    network.deafen(server, client, true);
    world.at(client, 0, () => socket.write('a'));
    await world.until(world.sleep(2000));
    assert.deepEqual(heard, ['b']);
    network.deafen(server, client, false);
    await world.until(world.sleep(2000));
    assert.deepEqual(heard, ['b', 'a']);
    network.end();
  });

  it('says so where whoever is at work lets no time pass', async () => {
    const world = new World(1);
    const machine = world.machine('m');
    const spin = () => void world.at(machine, 0, spin);
    spin();
    await assert.rejects(world.until(world.sleep(1000)), /time stands still, and m is at work/);
  });

  it('keeps files on the disk of the machine whose code writes them', async () => {
    const world = new World(1);
    const network = new Network(world);
    const [a, b] = [world.machine('a'), world.machine('b')];
    for (const machine of [a, b]) new SimDisk(world, machine);
    const putBack = replaceGlobals({ world, network });
    try {
      await world.until(world.on(a, () => writeFile('/name', 'of a')));
      assert.equal(await world.until(world.on(a, () => readFile('/name', 'utf8'))), 'of a');
      await assert.rejects(world.until(world.on(b, () => readFile('/name', 'utf8'))), /ENOENT/);
    } finally {
      putBack();
    }
  });
});
