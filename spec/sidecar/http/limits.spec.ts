import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { plain } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const limited = (limits: object) => ({ upstreams: [plain('web', { limits })] });

/** Answers when it is told to; notes over how many connections it was asked. */
async function holding() {
  const held: ServerResponse[] = [];
  const ports = new Set<number>();
  const { port } = await serveHttp((request, response) => {
    ports.add(request.socket.remotePort ?? 0);
    held.push(response);
  });
  return { port, held, ports };
}

describe('the limits of an upstream that speaks HTTP', () => {
  it('has no more connections to its hosts than may be; the others wait, and too many are refused', async () => {
    const { port, held, ports } = await holding();
    const more = limited({ connections: 2, pending: 2 });
    const sidecar = await startHttp([{ id: 'a', port }], [], more);
    const answers = ['/1', '/2', '/3', '/4'].map((path) => ask(sidecar.port, path));
    await until(() => held.length === 2);
    await until(async () => (await sidecar.admin('/hosts')).text.includes('"active":4'));
    const refused = await ask(sidecar.port, '/5');
    assert.deepEqual(
      [refused.status, refused.headers['x-envoy-overloaded'], refused.text.split(': ').at(-1)],
      [503, 'true', 'overflow'],
    );
    for (let i = 0; i < 4; i++) {
      await until(() => held.length > 0);
      held.shift()?.end('done');
    }
    for (const { text } of await Promise.all(answers)) assert.equal(text, 'done');
    assert.equal(ports.size, 2);
    const { text } = await sidecar.admin('/metrics');
    assert.match(text, /refused_total\{upstream="web",limit="pending"\} 1/);
    assert.match(text, /refused_total\{upstream="web",limit="connections"\} 0/);
  });

  it('lets whoever has left keep nobody from waiting, and passes a place on that a broken connection had', async () => {
    const { port, held } = await holding();
    const more = limited({ connections: 1, pending: 1 });
    const sidecar = await startHttp([{ id: 'a', port }], [], more);
    const first = ask(sidecar.port, '/1').catch(() => undefined);
    await until(() => held.length === 1);
    const leaves = new AbortController();
    const left = fetch(`http://127.0.0.1:${sidecar.port}/2`, { signal: leaves.signal });
    left.catch(() => undefined);
    await until(async () => (await sidecar.admin('/hosts')).text.includes('"active":2'));
    leaves.abort();
    await until(async () => (await sidecar.admin('/hosts')).text.includes('"active":1'));
    const waits = ask(sidecar.port, '/3', { method: 'POST', body: 'x' });
    await until(async () => (await sidecar.admin('/hosts')).text.includes('"active":2'));
    held.shift()?.destroy();
    await first;
    await until(() => held.length > 0);
    // The first was asked once more, in its turn.
    let text = '';
    void waits.then((answer) => {
      text = answer.text;
    });
    await until(() => {
      held.shift()?.end('done');
      return text === 'done';
    });
  });

  it('gives each host a connection, though others have all that may be', async () => {
    const [a, b] = [await holding(), await holding()];
    const more = limited({ connections: 1 });
    const all = [
      { id: 'a', port: a.port },
      { id: 'b', port: b.port },
    ];
    const sidecar = await startHttp(all, [], more);
    const answers = [ask(sidecar.port, '/1'), ask(sidecar.port, '/2')];
    await until(() => a.held.length === 1 && b.held.length === 1);
    for (const { held } of [a, b]) held.shift()?.end('done');
    for (const { text } of await Promise.all(answers)) assert.equal(text, 'done');
  });

  it('has requests wait for a stream where a host lets few be at once', async () => {
    const held: ServerHttp2Stream[] = [];
    const server = createServer({ settings: { maxConcurrentStreams: 2 } }, () => undefined);
    let [sessions, most] = [0, 0];
    server.on('session', (session) => {
      sessions++;
      stops.push(() => session.destroy());
    });
    server.on('stream', (stream) => {
      held.push(stream);
      most = Math.max(most, held.length);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stops.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    const more = { protocol: 'http2', ...limited({ connections: 1 }) };
    const sidecar = await startHttp([{ id: 'a', port }], [], more);
    const first = ask(sidecar.port, '/0');
    await until(() => held.length === 1);
    const answers = [first, ...Array.from({ length: 5 }, (_, i) => ask(sidecar.port, `/${i + 1}`))];
    await until(async () => (await sidecar.admin('/hosts')).text.includes('"active":6'));
    for (let i = 0; i < 6; i++) {
      await until(() => held.length > 0);
      const stream = held.shift();
      stream?.respond({ ':status': 200 });
      stream?.end('done');
    }
    for (const { text } of await Promise.all(answers)) assert.equal(text, 'done');
    assert.deepEqual([sessions, most], [1, 2]);
  });

  it('answers no more requests at once than may be', async () => {
    const { port, held } = await holding();
    const sidecar = await startHttp([{ id: 'a', port }], [], limited({ requests: 1 }));
    const first = ask(sidecar.port, '/1');
    await until(() => held.length === 1);
    assert.equal((await ask(sidecar.port, '/2')).status, 503);
    held.shift()?.end('done');
    assert.equal((await first).text, 'done');
  });

  it('counts every answer of 500 against a host where its health is looked at so', async () => {
    const bad = await serveHttp((_, response) => response.writeHead(500).end());
    const good = await serveHttp((_, response) => response.end('good'));
    const outliers = { inARow: 2, maxShare: 1 };
    const all = [
      { id: 'bad', port: bad.port },
      { id: 'good', port: good.port },
    ];
    const statuses = async (upstreams: Parameters<typeof startHttp>[2]) => {
      const sidecar = await startHttp(all, [], upstreams);
      const found: number[] = [];
      for (let i = 0; i < 10; i++) found.push((await ask(sidecar.port, '/')).status);
      return found.filter((status) => status === 500).length;
    };
    assert.equal(await statuses({ upstreams: [plain('web')] }), 5);
    assert.equal(await statuses({ upstreams: [plain('web', { outliers })] }), 2);
  });
});
