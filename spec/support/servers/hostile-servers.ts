/** Servers that no check may trust: each does one thing that a good one never does. */
import { readFileSync } from 'node:fs';
import { createServer as createHttp2, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';

export interface Hostile {
  readonly host: string;
  /** Connections that it has had, and those that are open. */
  readonly connections: () => { readonly total: number; readonly open: number };
}

const running: { readonly server: Server; readonly sockets: Set<Socket> }[] = [];

/** For a root hook or the end of an experiment. */
export async function stopHostileServers(): Promise<void> {
  for (const { server, sockets } of running.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function listen(server: Server): Promise<Hostile> {
  const sockets = new Set<Socket>();
  let total = 0;
  server.on('connection', (socket: Socket) => {
    total++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    // Else it would never learn that the other side has gone.
    socket.resume();
  });
  running.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { host: `127.0.0.1:${port}`, connections: () => ({ total, open: sockets.size }) };
}

export interface HostileKind {
  readonly name: string;
  readonly serve: () => Promise<Hostile>;
}

type OnSocket = (socket: Socket) => void;

const tcp = (name: string, onSocket: OnSocket): HostileKind => ({
  name,
  serve: () => listen(createServer(onSocket)),
});

/** Writes the same again and again, as fast as it is read. */
function flood(socket: NodeJS.WritableStream & { destroyed?: boolean }, part: Buffer): void {
  const more = () => {
    while (socket.destroyed !== true && socket.write(part));
    if (socket.destroyed !== true) socket.once('drain', more);
  };
  more();
}

const HTTP_OK = 'HTTP/1.1 200 OK\r\n';

/** Answers an HTTP/1 request with these bytes; `end` closes behind them. */
const http = (name: string, answer: string, { end = true } = {}) =>
  tcp(name, (socket) =>
    socket.once('data', () => (end ? socket.end(answer) : socket.write(answer))),
  );

/** Answers an HTTP/2 request. */
const http2 = (name: string, onStream: (stream: ServerHttp2Stream) => void): HostileKind => ({
  name,
  serve: () => {
    const server = createHttp2();
    server.on('sessionError', () => undefined);
    server.on('stream', (stream) => {
      stream.on('error', () => undefined);
      stream.on('data', () => undefined);
      onStream(stream);
    });
    return listen(server as unknown as Server);
  },
});

const GRPC = { ':status': 200, 'content-type': 'application/grpc' } as const;

const grpc = (name: string, trailers: Record<string, string>, body = Buffer.alloc(0)) =>
  http2(name, (stream) => {
    stream.respond(GRPC, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(body);
  });

const frame = (message: Buffer) => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
};

const file = (name: string) => readFileSync(new URL(`docker-tls/${name}`, import.meta.url), 'utf8');

const tls = (name: string, onSocket: OnSocket): HostileKind => ({
  name,
  serve: () => {
    const server = createTls(
      { cert: file('server.pem'), key: file('server-key.pem') },
      (socket) => {
        socket.on('error', () => undefined);
        socket.resume();
        onSocket(socket);
      },
    );
    server.on('tlsClientError', () => undefined);
    return listen(server);
  },
});

export const HOSTILE: readonly HostileKind[] = [
  tcp('resets', (socket) => socket.resetAndDestroy()),
  tcp('closes at once', (socket) => socket.end()),
  tcp('resets at the first byte', (socket) => socket.once('data', () => socket.resetAndDestroy())),
  tcp('says nothing', () => undefined),
  tcp('says one byte and no more', (socket) => socket.write('H')),
  tcp('floods', (socket) => flood(socket, Buffer.alloc(64 * 1024, 'x'))),
  tcp('floods with NUL', (socket) => flood(socket, Buffer.alloc(64 * 1024))),
  tcp('floods after the request', (socket) =>
    socket.once('data', () => flood(socket, Buffer.alloc(64 * 1024, 0xff))),
  ),
  tls('speaks TLS and says nothing', () => undefined),
  tls('speaks TLS and closes', (socket) => socket.end()),
  tls('floods in TLS', (socket) => flood(socket, Buffer.alloc(64 * 1024, 'y'))),

  http('garbled status line', 'HTTP/9.9 %s 100%%\r\n\r\n'),
  http('status of 0', 'HTTP/1.1 000 Nothing\r\n\r\n'),
  http('reason with %', 'HTTP/1.1 500 100% full %s %d %\r\nContent-Length: 4\r\n\r\n%d%s'),
  http('garbled chunk', `${HTTP_OK}Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n`),
  http('less than it said', `${HTTP_OK}Content-Length: 100\r\n\r\nabc`),
  http('headers without end', `${HTTP_OK}${'X-A: 1\r\n'.repeat(100_000)}`, { end: false }),
  http('one huge header', `${HTTP_OK}X-A: ${'a'.repeat(1 << 20)}\r\n\r\nhello`),
  http('a body that never ends', `${HTTP_OK}\r\nhel`, { end: false }),
  http('100 without end', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(10_000), { end: false }),
  http('switches protocols', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
  http('redirects to itself', 'HTTP/1.1 302 F\r\nLocation: /\r\nConnection: close\r\n\r\n'),
  http('redirects nowhere', 'HTTP/1.1 302 F\r\nLocation: http://%%/\r\n\r\n'),
  http('redirects to a file', 'HTTP/1.1 307 F\r\nLocation: file:///etc/passwd\r\n\r\n'),
  http('redirects to metadata', 'HTTP/1.1 302 F\r\nLocation: http://169.254.169.254/\r\n\r\n'),
  tcp('floods a body', (socket) =>
    socket.once('data', () => {
      socket.write(`${HTTP_OK}\r\n`);
      flood(socket, Buffer.alloc(64 * 1024, 'b'));
    }),
  ),

  http2('a stream without an answer', () => undefined),
  http2('resets the stream', (stream) => stream.close(2)),
  http2('no gRPC', (stream) => {
    stream.respond({ ':status': 404, 'content-type': 'text/html' });
    stream.end('<h1>100%</h1>');
  }),
  http2('a body without end', (stream) => {
    stream.respond(GRPC);
    flood(stream, Buffer.alloc(64 * 1024, 'z'));
  }),
  http2('messages without end', (stream) => {
    stream.respond(GRPC);
    flood(stream, frame(Buffer.from([0x08, 0x02])));
  }),
  http2('a message of 4 GB', (stream) => {
    stream.respond(GRPC);
    stream.write(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]));
    flood(stream, Buffer.alloc(64 * 1024, 'm'));
  }),
  http2('pushes', (stream) => {
    stream.pushStream({ ':path': '/p' }, (_, pushed) => {
      pushed?.on('error', () => undefined);
      pushed?.respond({ ':status': 200 });
    });
  }),
  grpc('a message with %', { 'grpc-status': '14', 'grpc-message': '100% full' }),
  grpc('a message with %zz', { 'grpc-status': '2', 'grpc-message': '%zz%ff%' }),
  grpc('a status that is none', { 'grpc-status': 'abc' }),
  grpc('a status of 2^53', { 'grpc-status': '9007199254740993' }),
  grpc('no status', {}),
  grpc('status 0 without a message', { 'grpc-status': '0' }),
  grpc('half a message', { 'grpc-status': '0' }, Buffer.from([0, 0, 0, 0, 9, 8])),
  grpc('a compressed message', { 'grpc-status': '0' }, Buffer.from([1, 0, 0, 0, 2, 8, 1])),
  grpc('a garbled message', { 'grpc-status': '0' }, frame(Buffer.alloc(20, 0xff))),
  grpc('huge trailers', { 'grpc-status': '2', 'grpc-message': 'm'.repeat(60_000) }),
];
