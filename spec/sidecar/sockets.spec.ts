import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { portOf } from '../../lib/listening.ts';
import { Sockets } from '../../sidecar/sockets.ts';
import { until } from '../support/until.ts';

const open = new Set<{ close(): void } | { destroy(): void }>();

afterEach(() => {
  for (const each of open) {
    if ('destroy' in each) each.destroy();
    else each.close();
  }
  open.clear();
});

/** Tells each who calls its name, and that this was all. */
function named(name: string): Server {
  const server = createServer((socket) => void socket.on('error', () => undefined).end(name));
  open.add(server);
  return server;
}

/** A caller, and what he is told; else why not. */
function called(port: number): { readonly socket: Socket; readonly told: Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  open.add(socket);
  const told = new Promise<string>((resolve) => {
    let text = '';
    socket.on('data', (data) => {
      text += data.toString();
    });
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => resolve(code));
    socket.on('end', () => resolve(text));
  });
  return { socket, told };
}

/** So many in line: the kernel has let them in, and nobody has taken them. */
async function inLine(port: number, count: number) {
  const all = Array.from({ length: count }, () => called(port));
  await new Promise((resolve) => process.nextTick(resolve));
  return all;
}

async function start(name = 'a') {
  const sockets = new Sockets();
  const server = named(name);
  const at = { host: '127.0.0.1', port: 0 };
  await sockets.listen(server, at);
  return { sockets, server, at: { ...at, port: portOf(server) } };
}

const answers = (all: readonly { readonly told: Promise<string> }[]) =>
  Promise.all(all.map(({ told }) => told));

describe('Sockets', () => {
  it('takes all who are in line where it closes, and refuses those who come later', async () => {
    const { sockets, server, at } = await start();
    const line = await inLine(at.port, 40);
    const closed = sockets.close(server);
    assert.deepEqual(new Set(await answers(line)), new Set(['a']));
    await closed;
    assert.equal(await called(at.port).told, 'ECONNREFUSED');
  });

  it('takes those too who come while it does', async () => {
    const { sockets, server, at } = await start();
    const line = await inLine(at.port, 20);
    const later: ReturnType<typeof called>[] = [];
    server.on('connection', () => {
      if (later.length < 20) later.push(called(at.port));
    });
    await sockets.close(server);
    assert.deepEqual(new Set(await answers([...line, ...later])), new Set(['a']));
  });

  it('closes when nobody comes for a moment, and tells its own callers nothing', async () => {
    const { sockets, server, at } = await start();
    let came = 0;
    server.on('connection', () => came++);
    await sockets.close(server);
    assert.equal(came, 0);
    assert.equal(await called(at.port).told, 'ECONNREFUSED');
  });

  it('leaves those in line to whoever is to listen there instead, and refuses nobody meanwhile', async () => {
    const { sockets, server, at } = await start();
    const line = await inLine(at.port, 20);
    const closed = sockets.close(server);
    const next = named('b');
    await sockets.listen(next, at);
    const later = called(at.port);
    assert.deepEqual(new Set(await answers([...line, later])), new Set(['b']));
    await closed;
    assert.equal(await called(at.port).told, 'b');
    // And whoever comes after that one closes is refused, as ever.
    await sockets.close(next);
    assert.equal(await called(at.port).told, 'ECONNREFUSED');
  });

  it('resets nobody where it is told twice to close', async () => {
    const { sockets, server, at } = await start();
    const line = await inLine(at.port, 5);
    const closed = [sockets.close(server), sockets.close(server)];
    assert.deepEqual(new Set(await answers(line)), new Set(['a']));
    await Promise.all(closed);
    await sockets.close(server);
    const other = named('b');
    await sockets.listen(other, at);
    assert.equal(await called(at.port).told, 'b');
  });

  it('closes where another process may listen too, and leaves the line to that one', async () => {
    const { sockets, server, at } = await start();
    assert.equal(sockets.share().size, 1);
    const line = await inLine(at.port, 5);
    await sockets.close(server);
    assert.deepEqual(new Set(await answers(line)), new Set(['a']));
    assert.equal(sockets.share().size, 0);
  });

  it('closes one that has been handed a socket and has not begun: the next one has it', async () => {
    const first = await start();
    const sockets = new Sockets(first.sockets.share());
    const [held, next] = [named('held'), named('next')];
    await sockets.listen(held, first.at);
    const gone = once(held, 'close');
    await sockets.close(held);
    await gone;
    await sockets.listen(next, first.at);
    await sockets.begin();
    await until(() => next.listening);
    assert.equal(await called(first.at.port).told, 'next');
  });
});
