import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { createApp } from '../../../lib/http/app.ts';
import { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../lib/http/listener.ts';
import { RouteTimes } from '../../../lib/http/route-times.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { send, startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

describe('the times of routes', () => {
  const ending: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ending.splice(0)) await end();
  });

  async function start(fallback?: () => { json: string }) {
    const { server, put } = await startServer();
    const times = new RouteTimes();
    const fastPath = new FastPath();
    const listener = new Listener({
      listener: createApp(
        { routes: server.routes(), ...(fallback && { fallback }) },
        { times, fastPath, logger: silentLogger },
      ),
      shortcut: fastPath,
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
    });
    await listener.start();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    ending.push(
      () => agent.destroy(),
      () => listener.stop(),
    );
    const ask = (method: string, path: string, body = '') =>
      send(listener.port, method, path, { agent, ...(body !== '' && { body }) });
    /** How many observations there are, by the names that have any. */
    const counts = () =>
      Object.fromEntries(
        times
          .metrics()
          .map(({ name, labels = {}, ...each }): [string, number] => [
            [name, ...Object.values(labels)].join(' ').trim(),
            each.kind === 'sample' ? each.samples.reduce((n, { count }) => n + count, 0) : 0,
          ])
          .filter(([, count]) => count > 0),
      );
    const byClass = () =>
      Object.fromEntries(
        times
          .metrics()
          .flatMap((each) =>
            each.kind === 'counter' ? [[each.labels?.['code'], each.read()]] : [],
          ),
      );
    return { ask, put, server, counts, byClass, fastPath, times };
  }

  it('count each answer at its row, whichever way it went', async () => {
    const { ask, counts, byClass, fastPath } = await start();
    await ask('PUT', '/v1/kv/a', '1');
    for (let i = 0; i < 5; i++) await ask('GET', '/v1/kv/a');
    await ask('GET', '/v1/kv/none');
    assert.ok(fastPath.answered >= 3, 'some were answered unparsed');
    assert.deepEqual(counts(), {
      'http.GET.v1.kv._': 6,
      'http.PUT.v1.kv._': 1,
      'proconsul.http.request GET /v1/kv/': 6,
      'proconsul.http.request PUT /v1/kv/': 1,
    });
    assert.deepEqual(byClass(), { '2xx': 6, '3xx': 0, '4xx': 1, '5xx': 0 });
  });

  it('keep waits apart, which are no latency', async () => {
    const { ask, put, server, counts, times } = await start();
    await put('/v1/kv/a', '1');
    const { index } = await ask('GET', '/v1/kv/a');
    const waiting = ask('GET', `/v1/kv/a?index=${index}`);
    await until(() => server.answers.waiting === 1);
    await put('/v1/kv/a', '2');
    await waiting;
    assert.deepEqual(counts(), {
      'http.GET.v1.kv._': 2,
      'proconsul.http.request GET /v1/kv/': 1,
      'proconsul.http.waited': 1,
    });
    assert.equal(times.of({ method: 'GET', path: '/v1/kv/' }).waited.count, 1);
  });

  it('count what is handed on, and nothing under a name that a client made up', async () => {
    const { ask, counts } = await start(() => ({ json: 'x' }));
    for (let i = 0; i < 50; i++) await ask('GET', `/v1/made-up-${i}/${'x'.repeat(i)}`);
    assert.deepEqual(counts(), { 'proconsul.http.request  (handed on to a server)': 50 });
  });

  it('tell answers apart by the first digit of their status', async () => {
    const { ask, byClass } = await start();
    await ask('GET', '/v1/kv/none');
    await ask('PUT', '/v1/kv/a', '1');
    await ask('POST', '/v1/kv/a', '1');
    assert.deepEqual(byClass(), { '2xx': 1, '3xx': 0, '4xx': 2, '5xx': 0 });
  });
});
