import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import {
  chat,
  startTelling as start,
  target,
  way,
  web,
} from '../../support/servers/notice-targets.ts';
import { until } from '../../support/until.ts';

const SECOND = 1000;

describe('notices of a leader', () => {
  it('tell of a service that has changed, once that has stood still', async () => {
    const { url, notices } = await chat();
    const { server, clock, set, knows } = await start();
    await set('passing');
    server.notifier.takeOver([target(url)]);
    await knows('passing');
    assert.deepEqual(notices(), [], 'what is well at the beginning is no news');
    await set('critical');
    await clock.advance(1500);
    assert.deepEqual(notices(), []);
    await knows('critical');
    const [first, ...others] = notices();
    assert.deepEqual(others, []);
    const { Service, From, To, Changes, Passing } = first ?? {};
    assert.deepEqual([Service, From, To, Changes, Passing], ['web', 'passing', 'critical', 1, 0]);
    assert.equal(first?.Failing[0]?.Output, 'is critical');
    await set('passing');
    await knows('passing');
    assert.equal(notices().at(-1)?.To, 'passing');
  });

  it('say warning where some instances fail, and gone where there are none any more', async () => {
    const { url, notices } = await chat();
    const { server, set, gone, knows } = await start();
    await set('passing');
    await set('critical', 'n3');
    server.notifier.takeOver([target(url)]);
    await knows('warning');
    await gone('n3');
    await knows('passing');
    await gone();
    await knows(undefined);
    assert.deepEqual(
      notices().map(({ To }) => To),
      ['warning', 'passing', 'absent'],
    );
  });

  it('say nothing of what came and went again, and of what never stands still how often', async () => {
    const { url, notices } = await chat();
    const { server, clock, set, knows } = await start();
    await set('passing');
    server.notifier.takeOver([target(url)]);
    await knows('passing');
    await set('critical');
    await clock.advance(500);
    await set('passing');
    await clock.advance(6 * SECOND);
    assert.deepEqual(notices(), []);
    for (let at = 0; at < 14; at++) {
      await set(at % 2 === 0 ? 'critical' : 'passing');
      await clock.advance(SECOND);
    }
    await until(() => notices().length > 0);
    assert.ok((notices()[0]?.Changes ?? 0) > 10);
  });

  it('tell only of the services and the occasions that a target asks for', async () => {
    const { url, notices } = await chat();
    const { server, put, set, knows } = await start();
    server.notifier.takeOver([target(url, { services: ['we*', 'exact'], on: ['critical'] })]);
    const db = { ID: 'db', Service: 'db' };
    const Check = { CheckID: 'd', Name: 'd', Status: 'critical', ServiceID: 'db' };
    await put('/v1/catalog/register', { Node: 'n4', Address: '10.0.0.4', Service: db, Check });
    await set('passing');
    await knows('passing');
    await set('critical');
    await knows('critical');
    await set('passing');
    await knows('passing');
    await set('critical');
    await knows('critical');
    assert.deepEqual(
      notices().map(({ Service, From, To }) => [Service, From, To]),
      [
        ['web', 'passing', 'critical'],
        ['web', 'passing', 'critical'],
      ],
    );
  });

  it('go on trying, without the secret of a URL in the log, and tell how it stands by then', async () => {
    const logger = new RecordingLogger();
    const { url, answer, notices, paths } = await chat();
    const { server, clock, set, knows } = await start(logger);
    await set('passing');
    server.notifier.takeOver([target(url)]);
    await knows('passing');
    for (const status of [500, 302, 404]) {
      answer.status = status;
      const asked = paths.length;
      await set(status === 302 ? 'warning' : 'critical');
      await until(async () => {
        await clock.advance(500);
        return paths.length > asked;
      });
    }
    answer.status = 200;
    await knows('critical');
    assert.deepEqual(
      notices().map(({ From, To }) => [From, To]),
      [['passing', 'critical']],
    );
    const said = logger.lines.filter((line) => line.includes('notify'));
    assert.match(
      said.join('\n'),
      /warn notify: ops cannot be told of web, and is tried again: answers 500/,
    );
    assert.match(said.join('\n'), /redirects are not followed/);
    assert.match(said.at(-1) ?? '', /told again/);
    assert.ok(!said.join().includes('secret'));
  });

  it('hold up nothing where a target says nothing, and give it up after its time', async () => {
    const { url, answer } = await chat();
    const other = await chat();
    const { server, clock, set, get, knows } = await start();
    answer.silent = true;
    server.notifier.takeOver([target(url), target(other.url, { name: 'others' })]);
    await set('critical');
    await knows('critical', 'others');
    assert.equal((await get('/v1/kv/a')).status, 404);
    await until(async () => {
      await clock.advance(SECOND);
      return server
        .metrics()
        .some(
          (row) =>
            row.name === 'proconsul.notify.failed' && 'read' in row && Number(row.read()) > 0,
        );
    });
  });

  it('kill a program that hangs, and wait for none that is done and left children behind', async () => {
    const { server, clock, set, knows } = await start();
    const count = (name: string) =>
      server.metrics().reduce((all, row) => {
        const isIt = row.name === `proconsul.notify.${name}` && 'read' in row;
        return isIt ? all + Number(row.read()) : all;
      }, 0);
    const tellBy = (name: string, line: string) => {
      const words = ['/bin/sh', '-c', line];
      server.notifier.takeOver([target('', { name, way: { kind: 'program', words } })]);
    };
    tellBy('hangs', 'sleep 100');
    await set('critical');
    await until(async () => {
      await clock.advance(SECOND);
      return count('failed') > 0;
    });
    for (const [name, line] of [
      ['leaves', 'sleep 100 & exit 0'],
      ['escapes', 'setsid sleep 5 & exit 0'],
    ] as const) {
      tellBy(name, line);
      await knows('critical', name);
    }
    assert.equal(count('sent'), 2);
  });

  it('are sent by the next leader where the one before has not written that they were', async () => {
    const { url, notices } = await chat();
    const { server, set, knows } = await start();
    await set('passing');
    server.notifier.takeOver([target(url)]);
    await knows('passing');
    const { term, server: id } = server.state.leadership;
    await set('critical');
    await server.propose({ type: 'claim-leadership', server: id, replaces: term });
    const outdated = await server.propose({
      type: 'notices-told',
      term,
      target: 'ops',
      told: [['web', 'critical']],
    });
    assert.equal(outdated.applied, false);
    await knows('critical');
    assert.deepEqual(
      notices().map(({ To }) => To),
      ['critical'],
    );
  });

  it('are told a reload’s targets, and no others', async () => {
    const before = await chat();
    const after = await chat();
    const { server, set, knows } = await start();
    server.notifier.takeOver([target(before.url)]);
    server.notifier.takeOver([target(after.url)]);
    await set('critical');
    await knows('critical');
    assert.deepEqual([before.bodies.length, after.bodies.length], [0, 1]);
  });

  it('reach no address of a cloud’s metadata', async () => {
    const logger = new RecordingLogger();
    const { server, clock, set } = await start(logger);
    server.notifier.takeOver([target('http://169.254.169.254/latest')]);
    await set('critical');
    await until(async () => {
      await clock.advance(SECOND);
      return /link-local/.test(logger.lines.join());
    });
  });
});

describe('the shapes of notices', () => {
  it('are text for Slack, in which nobody can call a channel', async () => {
    const { url, bodies } = await chat();
    const { server, put, knows, set } = await start();
    server.notifier.takeOver([target(url, way('slack', url))]);
    const Output = '<!channel> & all';
    await put('/v1/catalog/register', {
      ...web('critical'),
      Check: { ...web('critical').Check, Output },
    });
    await knows('critical');
    const { text } = JSON.parse(bodies[0] ?? '{}') as { text: string };
    assert.equal(
      text,
      'dc1: web is critical, 0 of 1 passing (was absent) — web on n2: &lt;!channel&gt; &amp; all',
    );
    await set('passing');
    await knows('passing');
  });

  it('are alerts for Alertmanager, repeated while they last, and ended', async () => {
    const { url, bodies, paths } = await chat();
    const { server, clock, set, knows } = await start();
    server.notifier.takeOver([target(url, way('alertmanager', url.replace('/secret-path', '')))]);
    await set('critical');
    await knows('critical');
    assert.equal(paths[0], '/api/v2/alerts');
    interface Alert {
      readonly labels: Readonly<Record<string, string>>;
      readonly endsAt: string;
    }
    const sent = () => bodies.flatMap((body) => JSON.parse(body) as readonly Alert[]);
    const labels = { alertname: 'ProconsulService', service: 'web', severity: 'critical' };
    assert.deepEqual({ ...sent()[0]?.labels }, { ...labels, datacenter: 'dc1' });
    const before = bodies.length;
    await until(async () => {
      await clock.advance(10 * SECOND);
      return bodies.length > before;
    });
    assert.ok(Date.parse(sent().at(-1)?.endsAt ?? '') > clock.now());
    await set('warning');
    await knows('warning');
    const pair = sent().slice(-2);
    assert.deepEqual(
      pair.map(({ labels: { severity }, endsAt }) => [severity, Date.parse(endsAt) > clock.now()]),
      [
        ['critical', false],
        ['warning', true],
      ],
    );
    await set('passing');
    await knows('passing');
    assert.ok(Date.parse(sent().at(-1)?.endsAt ?? '') <= clock.now());
  });

  it('are JSON on the standard input of a program', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'proconsul-notify-'));
    try {
      const { server, set, knows } = await start();
      const words = ['/bin/sh', '-c', `cat >${folder}/told`];
      server.notifier.takeOver([target('', { way: { kind: 'program', words } })]);
      await set('critical');
      await knows('critical');
      const { Notices, Datacenter } = JSON.parse(readFileSync(join(folder, 'told'), 'utf8'));
      assert.deepEqual([Datacenter, Notices[0].Service, Notices[0].To], ['dc1', 'web', 'critical']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
