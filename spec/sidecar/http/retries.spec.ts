import assert from 'node:assert/strict';
import { type Backend, startBackend } from '../../support/servers/backends.ts';
import { freePort } from '../../support/servers/free-ports.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { call, plain } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const route = (Destination: object) => ({
  Kind: 'service-router',
  Name: 'web',
  Routes: [{ Match: { HTTP: { PathPrefix: '/' } }, Destination }],
});

/** Answers requests with these, one after another, and the last for ever. */
async function scripted(statuses: readonly number[]) {
  const bodies: string[] = [];
  const { port } = await serveHttp((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      bodies.push(Buffer.concat(parts).toString());
      response.statusCode = statuses[bodies.length - 1] ?? statuses.at(-1) ?? 200;
      response.end(`${response.statusCode}`);
    });
  });
  return { port, bodies };
}

/** Takes each connection and breaks it when a request has come. */
const breaking = (): Promise<Backend> =>
  startBackend('breaks', (socket) => socket.once('data', () => socket.resetAndDestroy()));

describe('what a sidecar tries again', () => {
  it('is every request that no host took, bodies and all, at another host', async () => {
    const good = await scripted([200]);
    const { port, lines, admin } = await startHttp([
      { id: 'gone', port: await freePort() },
      { id: 'good', port: good.port },
    ]);
    for (let i = 0; i < 4; i++) {
      const { status } = await ask(port, '/', { method: 'POST', body: `body ${i}` });
      assert.equal(status, 200);
    }
    assert.deepEqual(good.bodies, ['body 0', 'body 1', 'body 2', 'body 3']);
    assert.equal(lines.filter((line) => JSON.parse(line).tries === 2).length, 2);
    assert.match((await admin('/metrics')).text, /retries_total\{upstream="web"\} 2\n/);
  });

  it('is a request that changes nothing, when the host breaks it off; never one that may', async () => {
    const bad = await breaking();
    const good = await scripted([200]);
    const { port } = await startHttp([
      { id: 'bad', port: bad.port },
      { id: 'good', port: good.port },
    ]);
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask(port, '/')).status);
    assert.deepEqual(statuses, [200, 200, 200, 200]);
    const posts = [];
    for (let i = 0; i < 4; i++) posts.push(await ask(port, '/', { method: 'POST', body: 'x' }));
    const failed = posts.filter(({ status }) => status === 503);
    assert.equal(failed.length, 2);
    assert.equal(
      failed[0]?.text,
      'upstream connect error or disconnect/reset before headers. reset reason: connection termination',
    );
  });

  it('is what the route says, as often as it says', async () => {
    const flaky = await scripted([503, 500, 200]);
    const { port, clock, write, lines } = await startHttp(
      [{ id: 'a', port: flaky.port }],
      [route({ NumRetries: 2, RetryOnStatusCodes: [500, 503] })],
    );
    const asked = ask(port, '/', { method: 'POST', body: 'again' });
    // There is one host alone: it is asked again in a while.
    await until(async () => {
      await clock.advance(100);
      return flaky.bodies.length === 3;
    });
    assert.equal((await asked).status, 200);
    assert.deepEqual(flaky.bodies, ['again', 'again', 'again']);
    assert.equal(JSON.parse(lines.at(-1) ?? '').tries, 3);
    const bad = await scripted([503]);
    await write({ Kind: 'service-router', Name: 'web', Routes: [] });
    assert.equal(bad.bodies.length, 0);
  });

  it('is no request of which too much has gone out to be kept', async () => {
    const bad = await scripted([503]);
    const { port } = await startHttp(
      [{ id: 'a', port: bad.port }],
      [route({ NumRetries: 5, RetryOn: ['5xx'] })],
    );
    const { status } = await ask(port, '/', { method: 'PUT', body: 'x'.repeat(70_000) });
    assert.deepEqual([status, bad.bodies.length], [503, 1]);
  });

  it('is a part of all requests alone: who is down for everybody is not asked three times as often', async () => {
    const bad = await breaking();
    const worse = await breaking();
    const { port, lines } = await startHttp([
      { id: 'bad', port: bad.port },
      { id: 'worse', port: worse.port },
    ]);
    for (let i = 0; i < 100; i++) assert.equal((await ask(port, '/')).status, 503);
    const tries = lines.reduce((sum, line) => sum + JSON.parse(line).tries, 0);
    // A fifth more, and three for each of the ten seconds that count.
    assert.ok(tries > 100 && tries <= 150, `${tries}`);
  });
});

describe('a service whose hosts are all gone', () => {
  it('is tried little more often than it is called, by requests that no host takes', async () => {
    const ids = ['a', 'b', 'c'];
    const gone = await Promise.all(ids.map(async (id) => ({ id, port: await freePort() })));
    const { port, lines, register } = await startHttp(gone);
    for (let i = 0; i < 200; i++) {
      assert.equal((await ask(port, '/', { method: 'POST', body: 'x' })).status, 503);
    }
    const tries = lines.reduce((sum, line) => sum + JSON.parse(line).tries, 0);
    // Each has one beside it as long as there is room: a fifth of the calls were in vain, and three a second.
    assert.ok(tries > 200 && tries <= 200 + 2 * (40 + 30), `${tries}`);
    const good = await scripted([200]);
    await register({ id: 'c', port: good.port });
    await until(async () => (await ask(port, '/')).status === 200);
  });

  it('costs those nothing that another takes: one of two is gone, and no call of many is lost', async () => {
    const good = await scripted([200]);
    const none = { tuning: { retries: { ratio: 0, minPerSecond: 1 }, outliers: { inARow: 0 } } };
    const { port, lines } = await startHttp(
      [
        { id: 'gone', port: await freePort() },
        { id: 'good', port: good.port },
      ],
      [],
      { upstreams: [plain('web', none)] },
    );
    for (let i = 0; i < 60; i++) {
      assert.equal((await ask(port, '/', { method: 'POST', body: 'x' })).status, 200);
    }
    assert.equal(lines.filter((line) => JSON.parse(line).tries === 2).length, 30);
  });
});

describe('what a sidecar does not wait for', () => {
  it('is an answer that takes longer than the route lets it', async () => {
    let asked = 0;
    const { port } = await serveHttp(() => asked++);
    const sidecar = await startHttp([{ id: 'a', port }], [route({ RequestTimeout: '2s' })]);
    const answer = ask(sidecar.port, '/');
    await until(() => asked === 1);
    await sidecar.clock.advance(2001);
    const { status, text } = await answer;
    assert.deepEqual([status, text], [504, 'upstream request timeout']);
    assert.equal(JSON.parse(sidecar.lines[0] ?? '').fault, 'upstream request timeout');
  });

  it('is the beginning of an answer after 15 s, where nobody says how long; streams go on', async () => {
    let asked = 0;
    const { port } = await serveHttp((request, response) => {
      asked++;
      if (request.url === '/stream') response.write('begun');
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said, state } = call(sidecar.port);
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await said('begun');
    const late = ask(sidecar.port, '/');
    await until(() => asked === 2);
    await sidecar.clock.advance(15_001);
    assert.equal((await late).status, 504);
    assert.deepEqual([state.closed, state.ended], [false, false]);
  });

  it('is the rest of an answer, where the resolver says how long all of it may take, or the route how long nothing', async () => {
    for (const entry of [
      { Kind: 'service-resolver', Name: 'web', RequestTimeout: '2s' },
      route({ IdleTimeout: '2s' }),
    ]) {
      const { port } = await serveHttp((_, response) => void response.write('begun'));
      const sidecar = await startHttp([{ id: 'a', port }], [entry]);
      const { socket, said, state } = call(sidecar.port);
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await said('begun');
      await sidecar.clock.advance(4001);
      await until(() => state.closed || state.ended);
      assert.doesNotMatch(state.text, /\r\n0\r\n/);
    }
  });

  it('is a host, where none is healthy', async () => {
    const { port, lines } = await startHttp([]);
    const { status, text } = await ask(port, '/');
    assert.deepEqual([status, text], [503, 'no healthy upstream']);
    assert.equal(JSON.parse(lines[0] ?? '').status, 503);
  });

  it('is a place, where too many requests are under way', async () => {
    let asked = 0;
    const { port } = await serveHttp(() => asked++);
    const sidecar = await startHttp([{ id: 'a', port }], [], {
      upstreams: [plain('web', { maxConnections: 2 })],
    });
    const { socket } = call(sidecar.port);
    const { socket: other } = call(sidecar.port);
    for (const each of [socket, other]) each.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => asked === 2);
    // One connection too many is reset before anything is read.
    await assert.rejects(ask(sidecar.port, '/'), /ECONNRESET|hang up/);
  });
});

describe('a host that fails', () => {
  it('is set aside for a while after five failures in a row, and tells how it did', async () => {
    const bad = await scripted([503]);
    const good = await scripted([200]);
    const { port, hosts, admin, clock } = await startHttp([
      { id: 'bad', port: bad.port },
      { id: 'good', port: good.port },
    ]);
    for (let i = 0; i < 14; i++) await ask(port, '/');
    assert.equal(bad.bodies.length, 5);
    const ejected = (await hosts()).filter((each) => 'ejected' in each && each.ejected === true);
    assert.deepEqual(
      ejected.map(({ id }) => id),
      ['m/bad'],
    );
    const { text } = await admin('/metrics');
    for (const line of [
      'proconsul_sidecar_answers_total{upstream="web",status="2xx"} 9',
      'proconsul_sidecar_answers_total{upstream="web",status="5xx"} 5',
      'proconsul_sidecar_host_answers{upstream="web",instance="m/bad",status="5xx"} 5',
      'proconsul_sidecar_host_ejected{upstream="web",instance="m/bad"} 1',
      'proconsul_sidecar_answer_seconds_count{upstream="web"} 14',
    ]) {
      assert.ok(text.includes(`${line}\n`), `${line} in ${text}`);
    }
    await clock.advance(10_001);
    for (let i = 0; i < 4; i++) await ask(port, '/');
    assert.equal(bad.bodies.length, 7);
  });
});
