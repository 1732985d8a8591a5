import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { startBackend } from '../../support/servers/backends.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { call } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const program = (name: string) =>
  serveHttp((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method, url, headers } = request;
      const body = Buffer.concat(parts).toString();
      response.setHeader('X-Who', name);
      response.end(JSON.stringify({ name, method, url, headers, body }));
    });
  });

/** What came back, when the connection is over. */
async function raw(port: number, text: string): Promise<string> {
  const { socket, state } = call(port);
  socket.write(text, 'latin1');
  await until(
    () => state.closed || state.ended,
    () => state,
  );
  return state.text;
}

describe("a sidecar's requests by HTTP", () => {
  it('carries a request and its answer, each with its headers and its body', async () => {
    const { port } = await program('a');
    const sidecar = await startHttp([{ id: 'a', port }]);
    const answer = await ask(sidecar.port, '/x?y=1', {
      method: 'POST',
      headers: { 'X-Mine': ['1', '2'], Connection: 'close, X-Way', 'X-Way': '3', Host: 'web.test' },
      body: 'hello',
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-who'], 'a');
    const { method, url, headers, body } = JSON.parse(answer.text);
    assert.deepEqual([method, url, body], ['POST', '/x?y=1', 'hello']);
    assert.deepEqual(
      [headers['x-mine'], headers['x-way'], headers.host],
      ['1, 2', undefined, 'web.test'],
    );
    const line = JSON.parse(sidecar.lines.at(-1) ?? '');
    assert.deepEqual(
      [line.method, line.authority, line.path, line.status, line.tries, line.fault],
      ['POST', 'web.test', '/x', 200, 1, ''],
    );
  });

  it('chooses a host for each request, and uses its connections again', async () => {
    const [a, b] = [await program('a'), await program('b')];
    let opened = 0;
    for (const { server } of [a, b]) server.on('connection', () => opened++);
    const { port } = await startHttp([
      { id: 'a', port: a.port },
      { id: 'b', port: b.port },
    ]);
    const { socket, said, state } = call(port);
    const who: string[] = [];
    for (let i = 0; i < 6; i++) {
      state.text = '';
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await said('"body":""}');
      who.push(/"name":"(.)"/.exec(state.text)?.[1] ?? '');
    }
    assert.deepEqual([...who].sort(), ['a', 'a', 'a', 'b', 'b', 'b']);
    assert.equal(opened, 2);
  });

  it('passes on trailers, and a body of which nobody knows how long it is', async () => {
    const { port } = await serveHttp((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => {
        body += part;
      });
      request.on('end', () => {
        response.writeHead(200, { Trailer: 'X-Sum' });
        response.write(`${body} ${request.headers['transfer-encoding']} `);
        response.addTrailers({ 'X-Sum': request.trailers['x-mine'] ?? '' });
        response.end();
      });
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const text = await raw(
      sidecar.port,
      'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n' +
        '3\r\nabc\r\n0\r\nX-Mine: 7\r\n\r\n',
    );
    assert.match(text, /\r\nabc chunked \r\n0\r\nx-sum: 7\r\n\r\n$/);
  });

  it('streams both ways: a part of an answer is there before the request is over', async () => {
    const { port } = await serveHttp((request, response) => {
      response.writeHead(200);
      request.pipe(response);
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (const part of ['one', 'two', 'six']) {
      socket.write(`3\r\n${part}\r\n`);
      await said(part);
    }
    socket.write('0\r\n\r\n');
    await said('\r\n0\r\n\r\n');
  });

  for (const [what, text] of [
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'a length and parts',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'another encoding',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an encoding behind parts',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
    ],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: x\r\nX: 1\r\n 2\r\n\r\n'],
    ['a space before a colon', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello'],
    ['a line feed alone', 'GET / HTTP/1.1\r\nHost: x\r\nX: 1\nY: 2\r\n\r\n'],
    ['a host with a user', 'GET http://u@y/ HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a path that is none', 'GET x HTTP/1.1\r\nHost: x\r\n\r\n'],
    [
      'a part longer than it says',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n',
    ],
    [
      'a part with a length in words',
      'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n',
    ],
  ] as const) {
    it(`refuses a request with ${what}: nobody behind it reads another one out of it`, async () => {
      const seen: string[] = [];
      const backend = await startBackend('a', (socket) => {
        socket.on('data', (data: Buffer) => seen.push(data.toString()));
      });
      const { port } = await startHttp([{ id: 'a', port: backend.port }]);
      assert.match(await raw(port, text), /^HTTP\/1\.1 400 /);
      // A part of its body may have gone on; a request that could be read in two ways has not.
      assert.ok(
        seen.every((each) => !/x: |content-length|xchunked|gzip/i.test(each)),
        String(seen),
      );
    });
  }

  it('takes what the target says for the host, and an empty path for the root', async () => {
    const { port } = await program('a');
    const sidecar = await startHttp([{ id: 'a', port }]);
    const text = await raw(
      sidecar.port,
      'GET http://real.test?q HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n',
    );
    assert.match(text, /"url":"\/\?q","headers":\{"host":"real.test"/);
  });

  it('answers CONNECT as a path that there is not', async () => {
    const { port } = await program('a');
    const sidecar = await startHttp([{ id: 'a', port }]);
    assert.match(
      await raw(sidecar.port, 'CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n'),
      /^HTTP\/1\.1 404 /,
    );
  });

  it('changes to a WebSocket, and carries what each side says', async () => {
    const { port, server } = await serveHttp((_, response) => response.end('no socket'));
    server.on('upgrade', (request, socket, head) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `X-Key: ${request.headers['sec-websocket-key']}\r\n\r\nfirst ${head}`,
      );
      socket.pipe(socket);
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said, state } = call(sidecar.port);
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nearly',
    );
    await said('early');
    assert.match(state.text, /^HTTP\/1\.1 101 .*\r\nx-key: k\r\nconnection: upgrade\r\n/is);
    socket.write(' later');
    await said(' later');
    socket.end();
    await until(() => state.closed);
    await until(() => sidecar.lines.length === 1);
    const line = JSON.parse(sidecar.lines[0] ?? '');
    assert.deepEqual([line.status, line.fault], [101, '']);
  });

  it('goes on as it is where another protocol is offered that it does not want', async () => {
    const { port } = await program('a');
    const sidecar = await startHttp([{ id: 'a', port }]);
    const text = await raw(
      sidecar.port,
      'POST /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n' +
        'Content-Length: 2\r\n\r\nhiGET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    );
    assert.match(text, /"url":"\/x".*"body":"hi"/);
    assert.match(text, /"url":"\/last"/);
    assert.doesNotMatch(text, /h2c|AAM/);
  });

  it('breaks an answer off that its host breaks off: nobody takes it for whole', async () => {
    const backend = await startBackend('a', (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', () =>
          socket.resetAndDestroy(),
        );
      });
    });
    const sidecar = await startHttp([{ id: 'a', port: backend.port }]);
    await assert.rejects(ask(sidecar.port, '/'), /ECONNRESET|aborted|hang up/);
    await until(() => sidecar.lines.length === 1);
    assert.notEqual(JSON.parse(sidecar.lines[0] ?? '').fault, '');
  });

  it('tells the host nothing more of a request whose caller has gone', async () => {
    const gone: string[] = [];
    const { port } = await serveHttp((request, response) => {
      response.write('begun');
      request.socket.on('close', () => gone.push('gone'));
    });
    const sidecar = await startHttp([{ id: 'a', port }]);
    const { socket, said } = call(sidecar.port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await said('begun');
    socket.destroy();
    await until(() => gone.length === 1);
    await until(() => sidecar.lines.length === 1);
    assert.equal(JSON.parse(sidecar.lines[0] ?? '').fault, 'the caller has gone');
  });

  it('reads no faster from a host than the caller takes it', async () => {
    const size = 64 * 1024 * 1024;
    let written = 0;
    const backend = await startBackend('a', (socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
        const more = () => {
          while (written < size) {
            written += 65_536;
            if (!socket.write(Buffer.alloc(65_536))) return;
          }
        };
        socket.on('drain', more);
        more();
      });
    });
    const { port } = await startHttp([{ id: 'a', port: backend.port }]);
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let last = -1;
    // Until nobody takes any more: what is on its way is in buffers that do not grow.
    await until(() => {
      const isStill = written === last && written > 0;
      last = written;
      return isStill;
    });
    assert.ok(written < size / 2, `${written}`);
    let got = 0;
    socket.on('data', (data: Buffer) => {
      got += data.length;
    });
    await until(() => got > size);
    socket.destroy();
  });
});
