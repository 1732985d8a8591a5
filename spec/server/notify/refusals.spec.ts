import assert from 'node:assert/strict';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { chat, startTelling as start, target, way } from '../../support/servers/notice-targets.ts';
import { until } from '../../support/until.ts';

const SECOND = 1000;

describe('notices that a target refuses, or needs no more', () => {
  it('reach a target that refuses one of them, but for that one, until it takes it', async () => {
    const { url, notices, answer } = await chat();
    const logger = new RecordingLogger();
    const { server, put, clock, set, knows } = await start(logger);
    const bad = (Status: string) => {
      const Check = { CheckID: 'd', Name: 'd', Status, ServiceID: 'bad' };
      const Service = { ID: 'bad', Service: 'bad' };
      return put('/v1/catalog/register', { Node: 'n4', Address: '10.0.0.4', Service, Check });
    };
    answer.refuses = 'bad';
    await bad('critical');
    await set('critical');
    server.notifier.takeOver([target(url)]);
    await knows('critical');
    for (const status of ['passing', 'critical', 'passing']) {
      await set(status);
      await knows(status);
    }
    await until(async () => {
      await clock.advance(SECOND);
      return /cannot be told of bad.*answers 400/.test(logger.lines.join());
    });
    assert.ok(notices().every(({ Service }) => Service === 'web'));
    answer.refuses = '';
    await until(async () => {
      await clock.advance(SECOND);
      return notices().some(({ Service, To }) => Service === 'bad' && To === 'critical');
    });
  });

  it('are told in one line of a program that is not there, whatever they are about', async () => {
    const logger = new RecordingLogger();
    const { server, put, clock, set } = await start(logger);
    await set('critical');
    for (const name of ['a', 'b', 'c']) {
      const Check = { CheckID: name, Name: name, Status: 'critical', ServiceID: name };
      const Service = { ID: name, Service: name };
      await put('/v1/catalog/register', { Node: 'n4', Address: '10.0.0.4', Service, Check });
    }
    const words = ['/nowhere/to-be-found'];
    server.notifier.takeOver([target('', { name: 'gone', way: { kind: 'program', words } })]);
    const told = () => logger.lines.filter((line) => line.includes('cannot be told'));
    await until(async () => {
      await clock.advance(SECOND);
      return told().length > 0;
    });
    await clock.advance(SECOND);
    assert.equal(told().length, 1);
    assert.match(told().join(), /notify: gone cannot be told, and is tried again: .*ENOENT/);
  });

  it('are repeated to Alertmanager though it refuses one of them', async () => {
    const { url, bodies, answer } = await chat();
    const { server, put, clock, set, knows } = await start();
    const Check = { CheckID: 'd', Name: 'd', Status: 'critical', ServiceID: 'bad' };
    const Service = { ID: 'bad', Service: 'bad' };
    await put('/v1/catalog/register', { Node: 'n4', Address: '10.0.0.4', Service, Check });
    await set('critical');
    server.notifier.takeOver([target(url, way('alertmanager', url))]);
    await knows('critical');
    answer.refuses = 'bad';
    const before = bodies.length;
    await until(async () => {
      await clock.advance(10 * SECOND);
      return bodies.length > before + 1;
    });
    assert.ok(bodies.slice(before).every((body) => !body.includes('"bad"')));
  });

  it('are remembered of no target that is none any more, nor of what it asks no more for', async () => {
    const { url } = await chat();
    const { server, clock, set, knows } = await start();
    await set('critical');
    server.notifier.takeOver([target(url), target(url, { name: 'other' })]);
    await knows('critical');
    await knows('critical', 'other');
    server.notifier.takeOver([target(url, { services: ['api'] })]);
    await clock.advance(5 * 60 * SECOND);
    assert.equal(server.state.told.size, 2, 'the next leader may still know them');
    await until(async () => {
      await clock.advance(30 * SECOND);
      return server.state.told.size === 0;
    });
  });
});
