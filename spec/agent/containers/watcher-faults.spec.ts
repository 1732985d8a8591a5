import assert from 'node:assert/strict';
import { FakeDocker } from '../../support/fakes/fake-docker.ts';
import { MemoryRegistrations } from '../../support/fakes/memory-registrations.ts';
import { idOf, published, type Shape } from '../../support/servers/containers.ts';
import { warnings, watch } from '../../support/servers/watchers.ts';
import { until } from '../../support/until.ts';

const WEB = 'host:web:80';
const up: Shape = { name: 'web', ports: published({ 80: 8080 }) };

describe('a Docker daemon that', () => {
  it('is not there is waited for, and nothing is forgotten meanwhile', async () => {
    const { docker, registrations, watcher } = await watch({ containers: [up] });
    await watcher.stop();
    docker.down = true;
    const again = await watch({ docker, registrations });
    await again.clock.advance(10_000);
    assert.deepEqual(registrations.ids, [WEB]);
    assert.equal(again.watcher.connected, false);
    assert.equal(warnings(again.log).length, 1);
    docker.down = false;
    await docker.remove('web');
    await again.clock.advance(2000);
    assert.deepEqual(registrations.ids, []);
  });

  it('is restarted is found again, and asked for what was missed', async () => {
    const { docker, registrations, clock } = await watch({ containers: [up] });
    await docker.tell('any');
    docker.down = true;
    docker.cut();
    await clock.advance(5000);
    await docker.remove('web');
    await docker.set({ ...up, name: 'new' });
    docker.down = false;
    await clock.advance(2000);
    assert.deepEqual(registrations.ids, ['host:new:80']);
    assert.deepEqual(docker.connections, [undefined, 1001]);
  });

  it('loses an event is found out by the next comparison', async () => {
    const { docker, registrations, clock } = await watch();
    docker.setSilently(up);
    await clock.advance(59_999);
    assert.deepEqual(registrations.ids, []);
    await clock.advance(1);
    assert.deepEqual(registrations.ids, [WEB]);
  });
});

describe('a container that cannot be looked at', () => {
  const bad: Shape = { name: 'bad', ports: published({ 80: 8081 }) };
  const BAD = 'host:bad:80';

  it('holds up no other, is said once, and is registered when it can be', async () => {
    const docker = new FakeDocker();
    docker.broken.add(idOf('bad'));
    const { registrations, clock, log, watcher } = await watch({ docker, containers: [bad, up] });
    assert.deepEqual([registrations.ids, watcher.connected], [[WEB], true]);
    const before = docker.looks;
    await clock.advance(50_000);
    assert.ok(docker.looks - before <= 10, `${docker.looks - before} looks in 50 s`);
    const id = idOf('bad').slice(0, 12);
    assert.deepEqual(warnings(log), [
      `warn docker: container ${id} cannot be looked at: driver failed`,
    ]);
    docker.broken.clear();
    await clock.advance(30_000);
    assert.deepEqual(registrations.ids, [BAD, WEB]);
  });

  it('keeps what is registered for it, also over a start of the agent', async () => {
    const docker = new FakeDocker();
    const { registrations, watcher, clock } = await watch({ docker, containers: [bad, up] });
    docker.broken.add(idOf('bad'));
    await docker.tell(idOf('bad'));
    await clock.advance(60_000);
    assert.deepEqual(registrations.ids, [BAD, WEB]);
    await watcher.stop();
    await watch({ docker, registrations });
    assert.deepEqual(registrations.ids, [BAD, WEB]);
  });

  it('because its look hangs lets the others go on after a second', async () => {
    const docker = new FakeDocker();
    let answer: () => void = () => undefined;
    docker.hanging.set(idOf('bad'), new Promise((resolve) => (answer = resolve)));
    const { registrations, clock } = await watch({ docker, containers: [bad, up] });
    await clock.advance(1000);
    assert.deepEqual(registrations.ids, [WEB]);
    for (let i = 0; i < 20; i++) await docker.tell(idOf('bad'));
    await docker.set({ name: 'third', ports: published({ 80: 8082 }) });
    assert.deepEqual(registrations.ids, ['host:third:80', WEB]);
    docker.hanging.clear();
    answer();
    await clock.advance(1000);
    assert.deepEqual(registrations.ids, [BAD, 'host:third:80', WEB]);
  });
});

describe('a container with thousands of labels that cannot be had', () => {
  it('is registered, and has ten lines in the log', async () => {
    const env = Array.from({ length: 3000 }, (_, n) => `SERVICE_K${n}=${'v'.repeat(600)}`);
    const { registrations, clock, log } = await watch({ containers: [{ ...up, env }] });
    await clock.advance(120_000);
    assert.deepEqual(registrations.ids, [WEB]);
    const said = warnings(log);
    assert.equal(said.length, 11);
    assert.equal(
      said[10],
      'warn docker: container web: and 2990 more of its labels cannot be heeded',
    );
  });
});

describe('a container that starts while the list is read', () => {
  it('is registered at once', async () => {
    const docker = new FakeDocker();
    docker.duringList = async () => {
      docker.duringList = async () => undefined;
      await docker.set(up);
    };
    const { registrations } = await watch({ docker });
    await until(() => registrations.ids.includes(WEB));
  });
});

describe('a Docker daemon whose events end again and again', () => {
  it('is asked no more often than the backoff says, whatever wakes the watcher', async () => {
    const docker = new FakeDocker();
    const { clock, log } = await watch({ docker, containers: [up] });
    for (let i = 0; i < 100; i++) {
      await docker.tell(idOf('web'));
      docker.cut();
      await clock.advance(100);
    }
    assert.ok(docker.connections.length <= 12, `${docker.connections.length} in 10 s`);
    assert.ok(log.length <= 12, `${log.length} lines`);
    const before = log.length;
    for (let i = 0; i < 100; i++) {
      docker.cut();
      await clock.advance(1000);
    }
    assert.equal(log.length, before);
  });
});

describe('an agent that refuses', () => {
  it('is asked again every second, and said so once', async () => {
    const registrations = new MemoryRegistrations();
    registrations.refuse = true;
    const { clock, log } = await watch({ containers: [up], registrations });
    await clock.advance(5000);
    assert.deepEqual(warnings(log), ['warn docker: register was refused: the agent is busy']);
    registrations.refuse = false;
    await clock.advance(1000);
    assert.deepEqual(registrations.ids, [WEB]);
  });
});

describe('stop', () => {
  it('may be called twice, leaves no timer and removes nothing', async () => {
    const { registrations, clock, watcher } = await watch({ containers: [up] });
    await watcher.stop();
    await watcher.stop();
    assert.equal(clock.armed, 0);
    assert.deepEqual(registrations.ids, [WEB]);
  });

  it('ends the wait for a daemon too', async () => {
    const docker = new FakeDocker();
    docker.down = true;
    const { clock, watcher } = await watch({ docker });
    await watcher.stop();
    assert.equal(clock.armed, 0);
  });
});
