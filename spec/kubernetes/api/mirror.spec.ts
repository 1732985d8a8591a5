/** Lists and watches as a real API server has them: see spec/support/kubernetes/api-server.ts. */
import assert from 'node:assert/strict';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { startApiServer } from '../../support/kubernetes/api-server.ts';
import { kubeService, mirrorOf } from '../../support/kubernetes/cluster.ts';
import { until } from '../../support/until.ts';

const SERVICES = '/api/v1/services';

async function started(count = 2) {
  const server = await startApiServer();
  const { objects } = server;
  for (let i = 0; i < count; i++) objects.create('services', kubeService(`s${i}`));
  const logger = new RecordingLogger();
  const mirrored = mirrorOf(server, SERVICES, { logger });
  mirrored.run();
  const { clock, names, mirror } = mirrored;
  await until(() => mirror.isWhole && server.watches === 1);
  /** Until it knows these, however often it has to try. */
  const knows = (...wanted: readonly string[]) =>
    until(
      async () => {
        await clock.advance(500);
        return names().join() === wanted.map((name) => `default/${name}`).join();
      },
      () => names(),
    );
  const watches = () => server.requests.filter((each) => each.includes('watch=true'));
  const lists = () => server.requests.filter((each) => !each.includes('watch=true'));
  return { server, objects, logger, ...mirrored, knows, watches, lists };
}

describe('a mirror of a list', () => {
  it('tells what there is before it says that it is whole', async () => {
    const { told } = await started();
    assert.deepEqual(told, ['+default/s0', '+default/s1', 'whole']);
  });

  it('reads a long list by pages, and is whole once the last is there', async () => {
    const { told, lists } = await started(1200);
    assert.equal(told.indexOf('whole'), 1200);
    assert.equal(lists().length, 3);
  });

  it('tells each change once', async () => {
    const { objects, told, knows } = await started();
    objects.create('services', kubeService('s2'));
    objects.set('services', kubeService('s0', { labels: { a: '1' } }));
    objects.delete('services', 'default', 's1');
    await knows('s0', 's2');
    await until(() => told.length === 6);
    assert.deepEqual(told.slice(3), ['+default/s2', '~default/s0', '-default/s1']);
  });

  it('lists anew where a watch brings a line that is too long, and goes on with all others', async () => {
    const { objects, knows, told, lists, logger } = await started();
    objects.set('services', kubeService('s0', { annotations: { a: 'x'.repeat(9 * 1024 * 1024) } }));
    await until(() => logger.lines.some((line) => line.includes('a line of a watch has more')));
    objects.create('services', kubeService('s2'));
    await knows('s0', 's1', 's2');
    assert.deepEqual(told.slice(3).sort(), ['+default/s2', '~default/s0', '~default/s1'].sort());
    assert.equal(lists().length, 2);
  });

  it('goes on from the last bookmark when a watch ends, without a list', async () => {
    const { server, objects, knows, watches, lists } = await started();
    for (let i = 0; i < 5; i++)
      objects.set('pods', { metadata: { name: 'p', labels: { i: `${i}` } } });
    server.bookmark();
    const version = objects.version;
    await until(() => server.watches === 1);
    server.endWatches();
    objects.create('services', kubeService('s2'));
    await knows('s0', 's1', 's2');
    assert.equal(lists().length, 1);
    assert.match(watches()[1] ?? '', new RegExp(`resourceVersion=${version}&`));
  });

  it('lists anew where its version is too old, and tells what has gone meanwhile', async () => {
    const { server, objects, told, knows, logger, lists } = await started();
    await server.away();
    objects.delete('services', 'default', 's0');
    objects.create('services', kubeService('s2'));
    objects.compact();
    await server.back();
    await knows('s1', 's2');
    assert.ok(told.includes('-default/s0'));
    assert.equal(told.filter((each) => each === 'whole').length, 1);
    assert.equal(lists().length, 2);
    assert.deepEqual(
      logger.lines.filter((line) => line.includes('too old')),
      [],
    );
  });

  it('keeps what it knows while the server is away, says so once, and goes on where it was', async () => {
    const { server, objects, clock, names, knows, logger, lists } = await started();
    await server.away();
    await clock.advance(60_000);
    assert.deepEqual(names(), ['default/s0', 'default/s1']);
    objects.create('services', kubeService('s2'));
    await server.back();
    await knows('s0', 's1', 's2');
    assert.equal(lists().length, 1);
    const warned = logger.lines.filter((line) => line.includes('cannot read'));
    assert.equal(warned.length, 1, warned.join('\n'));
  });

  it('asks a server that is back within a second', async () => {
    const { server, clock, watches } = await started();
    await server.away();
    await clock.advance(60_000);
    await server.back();
    const before = watches().length;
    await clock.advance(1000);
    await until(() => watches().length > before);
  });

  it('gives up a stream that says nothing at all, and reads what it has missed', async () => {
    const { server, objects, clock, knows } = await started();
    server.isMute = true;
    objects.create('services', kubeService('s2'));
    await clock.advance(74_000);
    assert.equal(server.watches, 1);
    server.isMute = false;
    await clock.advance(2000);
    await knows('s0', 's1', 's2');
  });

  it('lists anew after a watch that was silent to its end: its version may never come', async () => {
    const { server, objects, knows, lists } = await started();
    server.isMute = true;
    objects.delete('services', 'default', 's1');
    server.endWatches();
    server.isMute = false;
    await knows('s0');
    assert.equal(lists().length, 2);
  });

  it('takes the token of now: one that was put in place of is not sent again', async () => {
    const { server, objects, token, knows, logger } = await started();
    server.tokens.delete('t1');
    server.tokens.set('t2', 'all');
    token.value = 't2';
    server.endWatches();
    objects.create('services', kubeService('s2'));
    await knows('s0', 's1', 's2');
    assert.deepEqual(
      logger.lines.filter((line) => line.includes('cannot read')),
      [],
    );
  });

  it('waits longer and longer where it is refused, and is there once it is not', async () => {
    const { server, clock, token, knows, logger, objects } = await started();
    token.value = 'wrong';
    server.endWatches();
    const before = server.requests.length;
    await until(async () => {
      await clock.advance(1000);
      return server.requests.length >= before + 3;
    });
    assert.match(logger.lines.join('\n'), /cannot read .*401 \(Unauthorized\)/);
    objects.create('services', kubeService('s2'));
    token.value = 't1';
    await clock.advance(30_000);
    await knows('s0', 's1', 's2');
  });

  it('leaves a server alone for as long as it asks to be', async () => {
    const { server, objects, clock, knows } = await started();
    server.turnedAway = 1;
    server.endWatches();
    objects.create('services', kubeService('s2'));
    await until(async () => {
      await clock.advance(10);
      return server.turnedAway === 0;
    });
    const before = server.requests.length;
    await clock.advance(900);
    assert.equal(server.requests.length, before);
    await clock.advance(2000);
    await knows('s0', 's1', 's2');
  });

  it('takes what only looks like an empty list for none: nothing goes by it', async () => {
    const { server, clock, names, logger, objects, knows } = await started();
    server.page = { kind: 'Status', metadata: { resourceVersion: '5' } };
    objects.compact();
    server.endWatches();
    await until(async () => {
      await clock.advance(500);
      return logger.lines.some((line) => line.includes('the answer is no list'));
    });
    assert.deepEqual(names(), ['default/s0', 'default/s1']);
    server.page = undefined;
    objects.delete('services', 'default', 's0');
    await knows('s1');
  });

  it('gives up a list that goes on without end, and keeps what it knows', async () => {
    const { server, clock, names, logger, objects, knows } = await started();
    const metadata = { resourceVersion: '5', continue: 'more' };
    server.page = { kind: 'ServiceList', metadata, items: [] };
    objects.compact();
    server.endWatches();
    await until(async () => {
      await clock.advance(500);
      return logger.lines.some((line) => line.includes('the list has no end'));
    });
    assert.deepEqual(names(), ['default/s0', 'default/s1']);
    server.page = undefined;
    objects.delete('services', 'default', 's0');
    await knows('s1');
  });

  it('lists less and less often where each watch says at once that its version is too old', async () => {
    const { server, clock, lists, objects, knows } = await started();
    server.forgets = true;
    server.endWatches();
    const gaps: number[] = [];
    while (gaps.length < 9) {
      const before = lists().length;
      let gap = 0;
      await until(async () => {
        await clock.advance(100);
        gap += 100;
        return lists().length > before;
      });
      gaps.push(gap);
    }
    assert.ok((gaps.at(-1) ?? 0) >= 5000, `${gaps}`);
    server.forgets = false;
    objects.create('services', kubeService('s2'));
    await knows('s0', 's1', 's2');
  });

  it('asks for fewer at once where so many are too large for an answer', async () => {
    const server = await startApiServer();
    const annotations = { long: 'x'.repeat(250_000) };
    for (let i = 0; i < 100; i++)
      server.objects.create('services', kubeService(`s${i}`, { annotations }));
    const { mirror, clock, run } = mirrorOf(server, SERVICES);
    run();
    await until(
      async () => {
        await clock.advance(500);
        return mirror.isWhole;
      },
      () => server.requests,
      30_000,
    );
  }).timeout(60_000);

  it('is read anew where somebody has to know, though its watch is silent', async () => {
    const { server, objects, mirror, names, told, knows } = await started();
    server.isMute = true;
    objects.create('services', kubeService('s2'));
    await mirror.listAnew(new AbortController().signal);
    assert.deepEqual(names(), ['default/s0', 'default/s1', 'default/s2']);
    server.isMute = false;
    objects.delete('services', 'default', 's0');
    await knows('s1', 's2');
    assert.equal(told.filter((each) => each === 'whole').length, 1);
  });
});
