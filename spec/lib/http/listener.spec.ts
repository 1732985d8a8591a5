import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Listener } from '../../../lib/http/listener.ts';
import type { Shortcut } from '../../../lib/http/shortcut.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { until } from '../../support/until.ts';

let folder = '';
let listener: Listener | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'listener-'));
});

afterEach(async () => {
  await listener?.stop();
  listener = undefined;
  rmSync(folder, { recursive: true });
});

function listenAt(path: string): Listener {
  listener = new Listener({
    listener: (_, response) => void response.end('here'),
    at: { path },
    limits: { connectionsPerAddress: () => 0 },
  });
  return listener;
}

/** Says `here` to the first request of a connection, which is never for a shortcut. */
function withShortcut(take: Shortcut['take']): Listener {
  return new Listener({
    listener: (_, response) => void response.end('here'),
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
    shortcut: { take },
  });
}

describe('a Listener that thousands ask at once', () => {
  it('begins no more in a turn of the loop than others can wait for', async () => {
    const begun: number[] = [0];
    listener = new Listener({
      listener: (_, response) => {
        begun[begun.length - 1] = (begun.at(-1) ?? 0) + 1;
        response.end('here');
      },
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
    });
    await listener.start();
    const { port } = listener;
    const clients = await Promise.all(Array.from({ length: 400 }, () => RawClient.connect(port)));
    for (const client of clients) await client.ask(getText('/'));
    const turn = setInterval(() => begun.push(0), 0);
    for (const client of clients) client.send(getText('/'));
    // All of it is there to be read by now.
    const until50 = performance.now() + 50;
    while (performance.now() < until50);
    const answers = await Promise.all(clients.map((client) => client.answer()));
    clearInterval(turn);
    assert(answers.every(({ head }) => head.startsWith('HTTP/1.1 200')));
    assert(Math.max(...begun.slice(1)) <= 256, `${begun}`);
  });
});

describe('a Listener that stops', () => {
  it('answers what has begun, says that it is the last, and takes nothing more', async () => {
    let served = 0;
    let end: () => void = () => undefined;
    listener = new Listener({
      listener: (_, response) => {
        served++;
        end = () => void response.end('here');
        if (served === 1) end();
      },
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
    });
    await listener.start();
    const client = await RawClient.connect(listener.port);
    await client.ask(getText('/'));
    client.send(getText('/'));
    await until(() => served === 2);
    const stopped = listener.stop();
    client.send(getText('/'));
    end();
    assert.match((await client.answer()).head, /\r\nConnection: close\r\n/);
    await client.ended();
    await stopped;
    assert.deepEqual([served, client.rest()], [2, '']);
  });

  it('answers those who stand in line at its socket, and cuts none off that a shortcut answers', async () => {
    let go: () => void = () => undefined;
    listener = withShortcut((_, socket, done) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nth');
      go = () => socket.write('is', () => done(true));
      return { withdraw: () => false };
    });
    await listener.start();
    const { port } = listener;
    const served = await RawClient.connect(port);
    await served.ask(getText('/'));
    served.send(getText('/'));
    await until(() => served.rest().endsWith('th'));
    const inLine = Array.from({ length: 20 }, async () => {
      const client = await RawClient.connect(port);
      return await client.ask(getText('/'));
    });
    // All of them are known to the kernel by then, and the first to the listener.
    await Promise.race(inLine);
    const stopped = listener.stop();
    go();
    for (const { head } of await Promise.all(inLine)) assert.match(head, /^HTTP\/1.1 200/);
    assert.equal(String((await served.answer()).body), 'this');
    await served.ended();
    await stopped;
  });
});

describe('a connection of which nothing is heard for as long as it may be idle', () => {
  it('stays while a shortcut waits for its answer, and ends where nothing is asked', async () => {
    const sockets: Socket[] = [];
    let answer: () => void = () => undefined;
    listener = withShortcut((_, socket, done) => {
      sockets.push(socket);
      answer = () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nthis');
        done(true);
      };
      return { withdraw: () => false };
    });
    await listener.start();
    const client = await RawClient.connect(listener.port);
    await client.ask(getText('/'));
    client.send(getText('/'));
    await until(() => sockets.length === 1);
    // Node's own timer says it, after minutes.
    const silence = () => sockets[0]?.emit('timeout');
    silence();
    answer();
    assert.equal(String((await client.answer()).body), 'this');
    silence();
    await client.ended();
  });
});

describe('a Listener whose client has as many connections as it may have', () => {
  it('says so to one more, of which it reads nothing, and which does not stay', async () => {
    let served = 0;
    listener = new Listener({
      listener: (message, response) => {
        served++;
        message.resume();
        response.end('here');
      },
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 1 },
    });
    await listener.start();
    const first = await RawClient.connect(listener.port);
    await first.ask(getText('/'));
    const second = await RawClient.connect(listener.port);
    second.send('PUT /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx');
    await second.ended();
    // What it sent may have had its connection reset before it could read.
    assert.match(second.rest(), /^(HTTP\/1.1 429 Too Many Requests\r\n|$)/);
    assert.equal(listener.connections, 1);
    await first.ask(getText('/'));
    assert.equal(served, 2);
    first.close();
    await until(() => listener?.connections === 0);
    const third = await RawClient.connect(listener.port);
    assert.match((await third.ask(getText('/'))).head, /^HTTP\/1.1 200/);
  });
});

describe('a Listener at a socket', () => {
  it('takes the place of one that a killed process left behind', async () => {
    const path = join(folder, 'http.sock');
    const leave = `require('net').createServer().listen(${JSON.stringify(path)},
      () => process.kill(process.pid, 'SIGKILL'))`;
    assert.throws(() => execFileSync(process.execPath, ['-e', leave]));
    await listenAt(path).start();
    const status = await new Promise((resolve, reject) => {
      get({ socketPath: path }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    assert.equal(status, 200);
  });

  it('does not touch a file of another kind', async () => {
    const path = join(folder, 'precious');
    writeFileSync(path, 'data');
    await assert.rejects(listenAt(path).start(), { code: 'EADDRINUSE' });
    assert.equal(readFileSync(path, 'utf8'), 'data');
  });
});
