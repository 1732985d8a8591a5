import assert from 'node:assert/strict';
import { connect, constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import * as grpc from '@grpc/grpc-js';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { call, untilRefused } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A program that speaks HTTP/2 alone, without TLS. */
async function serveH2(serve: (stream: ServerHttp2Stream, path: string) => void): Promise<number> {
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    serve(stream, String(headers[':path']));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function session(port: number) {
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  stops.push(() => client.destroy());
  const get = (headers: Record<string, string>, body?: string) =>
    new Promise<{ status: number; text: string; trailers: Record<string, unknown>; rst: number }>(
      (resolve) => {
        const stream = client.request(headers, { endStream: body === undefined });
        const seen = { status: 0, text: '', trailers: {}, rst: 0 };
        stream.on('response', (answer) => {
          seen.status = Number(answer[':status']);
        });
        stream.on('trailers', (trailers) => {
          seen.trailers = { ...trailers };
        });
        stream.on('data', (data: Buffer) => {
          seen.text += data;
        });
        stream.on('error', () => undefined);
        stream.on('close', () => resolve({ ...seen, rst: stream.rstCode ?? 0 }));
        if (body !== undefined) stream.end(body);
      },
    );
  return { client, get };
}

const bytes = { serialize: (text: string) => Buffer.from(text), deserialize: String };
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  ...{ path: `/echo/${name}`, requestStream, responseStream },
  ...{ requestSerialize: bytes.serialize, requestDeserialize: bytes.deserialize },
  ...{ responseSerialize: bytes.serialize, responseDeserialize: bytes.deserialize },
});
const ECHO = { one: method('one', false, false), both: method('both', true, true) };

async function startGrpc(name: string): Promise<number> {
  const server = new grpc.Server();
  server.addService(ECHO, {
    one: (call: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) => {
      const trailer = new grpc.Metadata();
      trailer.set('who', name);
      if (call.request === 'fail') done({ code: grpc.status.NOT_FOUND, details: 'no such thing' });
      else done(null, `${name}: ${call.request}`, trailer);
    },
    both: (call: grpc.ServerDuplexStream<string, string>) => {
      call.on('data', (text: string) => call.write(`${name}: ${text}`));
      call.on('end', () => call.end());
    },
  });
  stops.push(() => server.forceShutdown());
  return await new Promise((resolve, reject) => {
    const credentials = grpc.ServerCredentials.createInsecure();
    server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
}

function grpcClient(port: number) {
  const Client = grpc.makeGenericClientConstructor(ECHO, 'echo');
  const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  stops.push(() => client.close());
  const one = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const call = client['one'] as unknown as (
        text: string,
        done: (error: grpc.ServiceError | null, answer: string) => void,
      ) => void;
      call.call(client, text, (error, answer) =>
        error === null ? resolve(answer) : reject(error),
      );
    });
  const both = () =>
    (client['both'] as unknown as () => grpc.ClientDuplexStream<string, string>).call(client);
  return { one, both };
}

describe("a sidecar's requests by HTTP/2", () => {
  it('go each to a host of their own, on one connection, with bodies and trailers', async () => {
    const answers = (name: string) => (stream: ServerHttp2Stream, path: string) => {
      let body = '';
      stream.on('data', (data: Buffer) => {
        body += data;
      });
      stream.on('end', () => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': `${body.length}` }));
        stream.end(`${name}${path}`);
      });
    };
    const [a, b] = [await serveH2(answers('a')), await serveH2(answers('b'))];
    const { port, lines } = await startHttp(
      [
        { id: 'a', port: a },
        { id: 'b', port: b },
      ],
      [],
      { protocol: 'http2' },
    );
    const { get } = session(port);
    const all = await Promise.all(
      ['/1', '/2', '/3', '/4'].map((path) => get({ ':path': path, ':method': 'POST' }, 'hello')),
    );
    assert.deepEqual(all.map(({ text }) => text.slice(0, 1)).sort(), ['a', 'a', 'b', 'b']);
    for (const { status, trailers } of all) {
      assert.deepEqual([status, trailers['x-sum']], [200, '5']);
    }
    await until(() => lines.length === 4);
  });

  it('are taken where programs speak HTTP/1.1, and the other way round', async () => {
    const h1 = await serveHttp((request, response) => {
      response.end(`${request.headers.host} ${request.headers.cookie}`);
    });
    const sidecar = await startHttp([{ id: 'a', port: h1.port }]);
    const { get } = session(sidecar.port);
    const { status, text } = await get({
      ':path': '/',
      ':authority': 'x.test',
      cookie: 'a=1; b=2',
    });
    assert.deepEqual([status, text], [200, 'x.test a=1; b=2']);
    const h2 = await serveH2((stream, path) => {
      stream.respond({ ':status': 200 });
      stream.end(path);
    });
    const other = await startHttp([{ id: 'a', port: h2 }], [], { protocol: 'http2' });
    assert.equal((await ask(other.port, '/by/h1')).text, '/by/h1');
  });

  it('may be tried again when a host says that it has done nothing', async () => {
    let refused = 0;
    const [bad, good] = [
      await serveH2((stream) => {
        refused++;
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      }),
      await serveH2((stream) => {
        stream.respond({ ':status': 200 });
        stream.end('good');
      }),
    ];
    const { port } = await startHttp(
      [
        { id: 'bad', port: bad },
        { id: 'good', port: good },
      ],
      [],
      { protocol: 'http2' },
    );
    const { get } = session(port);
    for (let i = 0; i < 4; i++) {
      assert.equal((await get({ ':path': '/', ':method': 'POST' }, 'x')).text, 'good');
    }
    assert.equal(refused, 2);
  });

  it('are gRPC: one answer, errors in trailers, streams both ways', async () => {
    const { port } = await startHttp([{ id: 'a', port: await startGrpc('a') }], [], {
      protocol: 'grpc',
    });
    const { one, both } = grpcClient(port);
    assert.equal(await one('hello'), 'a: hello');
    await assert.rejects(one('fail'), /5 NOT_FOUND: no such thing/);
    const stream = both();
    const heard: string[] = [];
    stream.on('data', (text: string) => heard.push(text));
    for (const text of ['one', 'two']) {
      stream.write(text);
      await until(() => heard.includes(`a: ${text}`));
    }
    const ended = new Promise((resolve) => stream.on('end', resolve));
    stream.end();
    await ended;
  });

  it('have their own answers in gRPC as gRPC has them', async () => {
    const { port } = await startHttp([], [], { protocol: 'grpc' });
    await assert.rejects(grpcClient(port).one('x'), /14 UNAVAILABLE: no healthy upstream/);
  });

  it('are cut when the host breaks them off in the middle: nobody takes the answer for whole', async () => {
    const port = await serveH2((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('part', () => stream.session?.destroy());
    });
    const sidecar = await startHttp([{ id: 'a', port }], [], { protocol: 'http2' });
    const { rst } = await session(sidecar.port).get({ ':path': '/' });
    assert.notEqual(rst, 0);
  });
});

describe("a sidecar's connection of HTTP/2 to a host", () => {
  it('is closed when it had no request for a minute, and the next makes another', async () => {
    const open = new Set<object>();
    const a = await serveH2((stream) => {
      const { session: from } = stream;
      if (from !== undefined && !open.has(from)) from.on('close', () => open.delete(from));
      if (from !== undefined) open.add(from);
      stream.respond({ ':status': 200 });
      stream.end('ok');
    });
    const { port, clock } = await startHttp([{ id: 'a', port: a }], [], { protocol: 'http2' });
    assert.equal((await ask(port, '/')).text, 'ok');
    await clock.advance(59_000);
    assert.equal((await ask(port, '/')).text, 'ok');
    await clock.advance(59_000);
    assert.equal(open.size, 1);
    await clock.advance(1000);
    await until(() => open.size === 0);
    assert.equal((await ask(port, '/')).text, 'ok');
  });
});

describe('a sidecar that is to end', () => {
  it('lets the requests that it has come to their end, and takes the next on another connection', async () => {
    const held: (() => void)[] = [];
    const h1 = await serveHttp((_, response) => void held.push(() => response.end('done')));
    const { port, sidecar, clock } = await startHttp([{ id: 'a', port: h1.port }]);
    const { client, get } = session(port);
    const [byH1, byH2] = [ask(port, '/'), get({ ':path': '/' })];
    await until(() => held.length === 2);
    let isOver = false;
    const ending = sidecar.stop(60_000).then(() => {
      isOver = true;
    });
    await untilRefused(port);
    await clock.advance(1000);
    await until(() => client.closed);
    assert.equal(isOver, false);
    for (const answer of held) answer();
    const { text, headers } = await byH1;
    assert.deepEqual([text, headers.connection], ['done', 'close']);
    assert.equal((await byH2).text, 'done');
    await ending;
    await assert.rejects(ask(port, '/'), /ECONNREFUSED/);
  });

  it('ends a connection by HTTP/1.1 with the answer that was under way, and waits for nobody then', async () => {
    const held: (() => void)[] = [];
    const h1 = await serveHttp((_, response) => void held.push(() => response.end('done')));
    const { port, sidecar, clock } = await startHttp([{ id: 'a', port: h1.port }]);
    const { socket, said, state } = call(port);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => held.length === 1);
    const ending = sidecar.stop(60_000);
    await untilRefused(port);
    await clock.advance(1000);
    held[0]?.();
    await said('done');
    assert.match(state.text, /\r\nconnection: close\r\n/i);
    socket.end();
    await ending;
  });

  it('waits a second for those that say nothing, whether they ever did or not', async () => {
    const h1 = await serveHttp((_, response) => response.end('done'));
    const { port, sidecar, clock } = await startHttp([{ id: 'a', port: h1.port }]);
    const [asked, silent] = [call(port), call(port)];
    asked.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await asked.said('done');
    const ending = sidecar.stop(60_000);
    await untilRefused(port);
    await clock.advance(999);
    assert.deepEqual([asked.state.ended, silent.state.ended], [false, false]);
    await clock.advance(1);
    await ending;
  });
});
