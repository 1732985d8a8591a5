import assert from 'node:assert/strict';
import { STEADY_MS } from '../../../agent/containers/inventory.ts';
import { MemoryRegistrations } from '../../support/fakes/memory-registrations.ts';
import { published, type Shape } from '../../support/servers/containers.ts';
import { warnings, watch } from '../../support/servers/watchers.ts';

const WEB = 'host:web:80';
const CHECK = `docker:${WEB}`;
const up: Shape = { name: 'web', ports: published({ 80: 8080 }) };
const ended: Shape = { name: 'web', status: 'exited', ports: {} };
const restarting: Shape = { ...ended, status: 'restarting' };
const DELAY_MS = 1000;

describe('a container that is', () => {
  it('running before the watcher is registered', async () => {
    const { registrations, watcher } = await watch({ containers: [up] });
    assert.deepEqual(registrations.done, [`register ${WEB}`]);
    assert.equal(watcher.connected, true);
  });

  it('started is registered', async () => {
    const { docker, registrations } = await watch();
    await docker.set(up);
    assert.deepEqual(registrations.ids, [WEB]);
  });

  it('stopped is deregistered when it has not come back within the delay', async () => {
    const { docker, registrations, clock } = await watch({ containers: [up] });
    await docker.set(ended);
    await clock.advance(DELAY_MS - 1);
    assert.deepEqual(registrations.ids, [WEB]);
    await clock.advance(1);
    assert.deepEqual(registrations.ids, []);
  });

  it('removed is deregistered at once', async () => {
    const { docker, registrations } = await watch({ containers: [up] });
    await docker.remove('web');
    assert.deepEqual(registrations.ids, []);
  });

  it('restarted moves nothing', async () => {
    const { docker, registrations, clock } = await watch({ containers: [up] });
    await docker.set(ended);
    await clock.advance(DELAY_MS - 1);
    await docker.set(up);
    await clock.advance(10 * DELAY_MS);
    assert.deepEqual(registrations.done, [`register ${WEB}`]);
  });

  it('restarted on another port is registered with that', async () => {
    const { docker, registrations, clock } = await watch({ containers: [up] });
    await docker.set(ended);
    await docker.set({ ...up, ports: published({ 80: 9090 }) });
    await clock.advance(DELAY_MS);
    assert.deepEqual(registrations.done, [`register ${WEB}`, `register ${WEB}`]);
    assert.equal(registrations.get(WEB)?.Port, 9090);
  });

  it('recreated under its name keeps the id and never leaves', async () => {
    const { docker, registrations, clock } = await watch({ containers: [up] });
    await docker.set(ended);
    await docker.set({ ...up, id: 'f'.repeat(64), created: '2026-01-02' });
    await docker.remove('web');
    await clock.advance(DELAY_MS);
    assert.equal(registrations.get(WEB)?.Meta['container-id'], 'f'.repeat(64));
    assert.ok(!registrations.done.includes(`deregister ${WEB}`));
  });

  it('renamed is registered under its new name alone', async () => {
    const { docker, registrations, clock } = await watch({ containers: [{ ...up, id: 'a1' }] });
    docker.setSilently({ ...up, name: 'new', id: 'a1' });
    await clock.advance(60_000);
    assert.deepEqual(registrations.ids, ['host:new:80']);
  });
});

describe('a container that keeps restarting', () => {
  it('stays, becomes critical after the delay and is trusted when it has run for long', async () => {
    const { docker, registrations, clock } = await watch({ containers: [up] });
    await docker.set(restarting);
    await clock.advance(DELAY_MS);
    assert.equal(registrations.check(CHECK)?.Status, 'critical');
    for (let round = 0; round < 3; round++) {
      await docker.set(up);
      await clock.advance(STEADY_MS - 1);
      await docker.set(restarting);
      await clock.advance(DELAY_MS);
    }
    await docker.set(up);
    await clock.advance(STEADY_MS - 1);
    assert.equal(registrations.check(CHECK)?.Status, 'critical');
    await clock.advance(1);
    assert.equal(registrations.check(CHECK), undefined);
    assert.deepEqual(registrations.done, [
      `register ${WEB}`,
      `register-check ${CHECK}`,
      `update-check ${CHECK} critical`,
      `deregister-check ${CHECK}`,
    ]);
  });
});

describe('a container that is paused', () => {
  it('is critical until it goes on', async () => {
    const { docker, registrations } = await watch({ containers: [up] });
    await docker.set({ ...up, status: 'paused' });
    const { Status, Output } = registrations.check(CHECK) ?? {};
    assert.deepEqual([Status, Output], ['critical', 'The container is paused']);
    await docker.set(up);
    assert.equal(registrations.check(CHECK), undefined);
    assert.deepEqual(registrations.ids, [WEB]);
  });
});

describe('HEALTHCHECK', () => {
  const health = (Status: string, Output = '') => ({
    ...up,
    health: { Status, Log: [{ Output }] },
  });

  it('is the service’s check', async () => {
    const { docker, registrations } = await watch({ containers: [health('starting')] });
    const statuses = [registrations.check(CHECK)?.Status];
    for (const status of ['healthy', 'unhealthy']) {
      await docker.set(health(status, `it is ${status}\n`));
      statuses.push(registrations.check(CHECK)?.Status);
    }
    assert.deepEqual(statuses, ['critical', 'passing', 'critical']);
    assert.equal(registrations.check(CHECK)?.Output, 'it is unhealthy');
  });

  it('that says the same in other words wakes nobody', async () => {
    const { docker, registrations } = await watch({ containers: [health('healthy', 'a')] });
    const before = registrations.done.length;
    await docker.set(health('healthy', 'b'));
    assert.equal(registrations.done.length, before);
  });

  it('is renewed at each comparison, as it was', async () => {
    const { registrations, clock } = await watch({ containers: [health('healthy', 'a')] });
    await clock.advance(60_000);
    assert.equal(registrations.done.at(-1), `update-check ${CHECK} passing`);
    assert.equal(registrations.check(CHECK)?.Output, 'a');
  });

  it('gives way to a check that was asked for, unless told otherwise', async () => {
    const env = ['SERVICE_CHECK_TCP=true'];
    const asked = await watch({ containers: [{ ...health('unhealthy'), env }] });
    assert.equal(asked.registrations.check(CHECK), undefined);
    const labels = { 'proconsul.healthcheck': 'true' };
    const both = await watch({ containers: [{ ...health('unhealthy'), env, labels }] });
    assert.equal(both.registrations.check(CHECK)?.Status, 'critical');
  });

  it('is left out with proconsul.healthcheck=false', async () => {
    const labels = { 'proconsul.healthcheck': 'false' };
    const { registrations } = await watch({ containers: [{ ...health('unhealthy'), labels }] });
    assert.deepEqual([...registrations.checks()], []);
  });
});

describe('docker { deregister }', () => {
  for (const [mode, exitCode, stays] of [
    ['always', 3, false],
    ['on-success', 0, false],
    ['on-success', 137, false],
    ['on-success', 3, true],
    ['never', 0, true],
  ] as const) {
    const what = stays ? 'keeps as critical' : 'removes';
    it(`${mode} ${what} a container that ended with ${exitCode}`, async () => {
      const block = { deregister: mode };
      const { docker, registrations, clock } = await watch({ containers: [up], block });
      await docker.set({ ...ended, exitCode });
      await clock.advance(DELAY_MS);
      assert.deepEqual(registrations.ids, stays ? [WEB] : []);
      const status = stays ? 'critical' : undefined;
      assert.equal(registrations.check(CHECK)?.Status, status);
      await clock.advance(60_000);
      assert.deepEqual(registrations.ids, stays ? [WEB] : []);
      await docker.remove('web');
      assert.deepEqual(registrations.ids, []);
    });
  }
});

describe('what the agent has registered already', () => {
  it('stays as it is when the watcher is started again', async () => {
    const { docker, registrations, watcher } = await watch({ containers: [up] });
    await watcher.stop();
    const before = registrations.get(WEB);
    await watch({ docker, registrations });
    assert.deepEqual(registrations.get(WEB), before);
    assert.deepEqual(registrations.done, [`register ${WEB}`, `register ${WEB}`]);
  });

  it('is removed where its container ended while no watcher was there', async () => {
    for (const gone of [true, false]) {
      const { docker, registrations, watcher } = await watch({ containers: [up] });
      await watcher.stop();
      if (gone) await docker.remove('web');
      else docker.setSilently(ended);
      await watch({ docker, registrations });
      assert.deepEqual(registrations.ids, []);
    }
  });

  it('is kept where its container failed and failures are kept', async () => {
    const block = { deregister: 'on-success' } as const;
    const { docker, registrations, watcher } = await watch({ containers: [up], block });
    await watcher.stop();
    docker.setSilently({ ...ended, exitCode: 1 });
    await watch({ docker, registrations, block });
    assert.equal(registrations.check(CHECK)?.Status, 'critical');
  });

  it('by someone else is never touched', async () => {
    const registrations = new MemoryRegistrations();
    registrations.put({ ID: 'mine', Meta: {} });
    registrations.put({ ID: 'host:old:80', Meta: {} });
    const env = ['SERVICE_ID=mine'];
    const { log } = await watch({ containers: [{ ...up, env }], registrations });
    assert.deepEqual(registrations.done, []);
    assert.deepEqual(warnings(log), [
      "warn docker: the service id mine is taken by someone else's service",
    ]);
  });

  it('by registrator is taken over', async () => {
    const registrations = new MemoryRegistrations();
    registrations.put({ ID: WEB, Meta: {} });
    await watch({ containers: [up], registrations });
    assert.equal(registrations.get(WEB)?.Meta['proconsul-source'], 'docker');
  });

  it('by registrator for a container that is gone is removed with cleanup alone', async () => {
    const registrations = new MemoryRegistrations();
    for (const ID of ['host:old:80', 'host:old:53:udp', 'other:old:80', 'host:a b:80']) {
      registrations.put({ ID, Meta: {} });
    }
    await watch({ registrations });
    assert.equal(registrations.ids.length, 4);
    await watch({ registrations, block: { cleanup: true } });
    assert.deepEqual(registrations.ids, ['host:a b:80', 'other:old:80']);
  });

  it('and was deregistered behind the watcher’s back comes back', async () => {
    const { registrations, clock } = await watch({ containers: [up] });
    await registrations.deregisterService(WEB);
    await clock.advance(60_000);
    assert.deepEqual(registrations.ids, [WEB]);
  });
});

describe('two containers that want the same id', () => {
  it('get it one after the other, the older first', async () => {
    const env = ['SERVICE_ID=x'];
    const [a, b] = [
      { ...up, name: 'a', env, created: '2026-01-02' },
      { ...up, name: 'b', env, created: '2026-01-01' },
    ];
    const { docker, registrations, log } = await watch({ containers: [a, b] });
    assert.equal(registrations.get('x')?.Meta['container-name'], 'b');
    assert.deepEqual(warnings(log), [
      "warn docker: container a: the id x is another service's already",
    ]);
    await docker.remove('b');
    assert.equal(registrations.get('x')?.Meta['container-name'], 'a');
  });
});
