/** What callers and hosts may say to end a sidecar, or to have one's answer taken for another's. */
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { startBackend, stopBackends } from '../../support/servers/backends.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { call } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** The answer to one request by HTTP/2; its status is 0 where none came. */
function askByH2(port: number) {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  stops.push(() => client.destroy());
  return new Promise<Record<string, unknown>>((resolve) => {
    const stream = client.request({ ':path': '/' });
    let seen: Record<string, unknown> = {};
    stream.on('response', (answer, _, raw: readonly string[] = []) => {
      seen = { ...answer, raw };
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(seen));
    stream.resume();
  });
}

/** A host that says this to whatever it is asked. */
const says = (text: string) =>
  startBackend('a', (socket) => socket.on('data', () => socket.write(text, 'latin1')));

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [HEADERS, RESET, SETTINGS] = [1, 3, 4];
const [END_OF_STREAM, END_OF_HEADERS] = [1, 4];

function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** As HPACK writes what is in no table. */
const field = (name: string, value: string) =>
  Buffer.from(
    `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`,
  );

describe('a sidecar among hostile ones', () => {
  for (const name of [
    'x-content-type-options',
    'access-control-max-age',
    'access-control-allow-credentials',
    'access-control-request-method',
    'etag',
    'set-cookie',
    '__proto__',
  ]) {
    it(`passes on to a caller of HTTP/2 what a host says twice of ${name}`, async () => {
      const head = `${name}: 1\r\n${name}: 2\r\nContent-Length: 2`;
      const { port } = await says(`HTTP/1.1 200 OK\r\n${head}\r\n\r\nok`);
      const sidecar = await startHttp([{ id: 'a', port }]);
      const { raw } = await askByH2(sidecar.port);
      const said = (raw as readonly string[]).filter(
        (_, i, all) => i % 2 === 1 && all[i - 1] === name,
      );
      assert.deepEqual(said, ['1', '2']);
    });
  }

  for (const status of ['000', '099', '600']) {
    it(`answers in place of a host of HTTP/2 whose status is ${status}`, async () => {
      const host = await startBackend('a', (socket) => {
        socket.write(frame(SETTINGS, 0, 0));
        socket.once('data', () =>
          socket.write(frame(HEADERS, END_OF_STREAM | END_OF_HEADERS, 1, field(':status', status))),
        );
      });
      const at = [{ id: 'a', port: host.port }];
      const sidecar = await startHttp(at, [], { protocol: 'http2' });
      assert.equal((await ask(sidecar.port, '/')).status, 503);
    });
  }

  for (const [what, text] of [
    ['a WebSocket', 'GET /2 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n'],
    ['another', 'GET /2 HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n'],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n'],
  ] as const) {
    it(`closes a connection whose protocol is to be ${what} before it was answered`, async () => {
      const { port } = await serveHttp((request, response) => {
        if (request.url !== '/slow') response.end(`fast ${request.url}`);
      });
      const sidecar = await startHttp([{ id: 'a', port }]);
      const { socket, state } = call(sidecar.port);
      socket.write(`GET /slow HTTP/1.1\r\nHost: x\r\n\r\n${text}\r\n`);
      await until(
        () => state.closed || state.ended,
        () => state,
      );
      assert.equal(state.text, '');
      assert.equal((await ask(sidecar.port, '/')).text, 'fast /');
    });
  }

  it('drops what a connection names, also where it asks for a protocol that nobody has', async () => {
    const { port } = await serveHttp((request, response) => {
      response.end(`${request.headers['x-way']} ${request.headers['x-end']};`);
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said, state } = call(sidecar.port);
    const head = 'Upgrade: h2c\r\nConnection: Upgrade, X-Way\r\nX-Way: 1\r\nX-End: 2\r\n';
    for (let i = 0; i < 20; i++) {
      state.text = '';
      socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${head}\r\n`);
      await said('undefined 2;');
    }
  });

  it('goes on where a request that cannot be taken is reset with its head', async () => {
    const { port } = await serveHttp((_, response) => response.end('ok'));
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    const head = Buffer.concat([
      field(':method', 'GET'),
      field(':path', '/'),
      field(':scheme', 'http'),
      field(':authority', 'u@x'),
    ]);
    const ping = frame(6, 0, 0, Buffer.from('12345678'));
    const reset = frame(RESET, 0, 1, Buffer.from([0, 0, 0, 8]));
    const asked = frame(HEADERS, END_OF_STREAM | END_OF_HEADERS, 1, head);
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), asked, reset, ping]));
    await said('12345678');
    assert.equal((await ask(sidecar.port, '/')).text, 'ok');
  });

  it('takes no answer for whole whose connection broke', async () => {
    const { port } = await startBackend('a', (socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\nhalf')),
    );
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said, state } = call(sidecar.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await said('half');
    await stopBackends();
    await until(() => state.closed);
    assert.equal(state.error, 'ECONNRESET');
    assert.ok(!state.text.includes('\r\n0\r\n'));
  });

  it('says of no answer without content how long it is', async () => {
    const { port } = await says('HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n');
    const sidecar = await startHttp([{ id: 'a', port }]);
    const answer = await ask(sidecar.port, '/');
    assert.deepEqual([answer.status, answer.headers['content-length']], [204, undefined]);
    assert.equal((await askByH2(sidecar.port))[':status'], 204);
  });

  it('waits five minutes for a body that does not go on, where nobody answers', async () => {
    const host = await startBackend('a', (socket) => socket.resume());
    const sidecar = await startHttp([{ id: 'a', port: host.port }]);
    const stopped = call(sidecar.port);
    const going = call(sidecar.port);
    for (const { socket } of [stopped, going]) {
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    }
    const read = () => [...host.sockets].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    // Head and first part of both.
    const both = 2 * 'POST / HTTP/1.1rnhost: xrntransfer-encoding: chunkedrnrn1rnarn'.length;
    await until(
      () => read() === both,
      () => read(),
    );
    await sidecar.clock.advance(300_000);
    going.socket.write('1\r\nb\r\n');
    await until(() => read() > both);
    assert.equal(stopped.state.text, '');
    await sidecar.clock.advance(300_000);
    await until(() => stopped.state.ended);
    assert.match(stopped.state.text, /^HTTP\/1.1 408 .*stream timeout$/s);
    assert.deepEqual([going.state.text, going.state.ended], ['', false]);
  });

  it('refuses to change the protocol behind a body', async () => {
    const { port } = await serveHttp((_, response) => response.end('ok'));
    const sidecar = await startHttp([{ id: 'a', port }]);
    for (const body of ['Content-Length: 2\r\n\r\nab', 'Transfer-Encoding: chunked\r\n\r\n']) {
      const { socket, said } = call(sidecar.port);
      const upgrade = 'Upgrade: websocket\r\nConnection: upgrade';
      socket.write(`POST / HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n${body}`);
      await said('HTTP/1.1 400 ');
    }
  });

  it('refuses a path with a fragment', async () => {
    const { port } = await serveHttp((_, response) => response.end('ok'));
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    socket.write('GET /admin#x HTTP/1.1\r\nHost: x\r\n\r\n');
    await said('HTTP/1.1 400 ');
  });

  it('passes on no trailers that are about who calls, or about what the body is', async () => {
    const { port } = await serveHttp((request, response) => {
      request.resume();
      request.on('end', () => response.end(`${JSON.stringify(request.trailers)};`));
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    socket.write(
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 7\r\n' +
        'X-Forwarded-Client-Cert: 1\r\nX_Forwarded_Client_Cert: 2\r\nAuthorization: 3\r\n' +
        'Content-Type: 4\r\nCookie: 5\r\n\r\n',
    );
    await said('{"x-sum":"7"};');
  });
});
