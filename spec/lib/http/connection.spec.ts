import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { createApp } from '../../../lib/http/app.ts';
import { Listener } from '../../../lib/http/listener.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const put = (path: string, text: string) =>
  `PUT ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

describe('requests on one connection', () => {
  async function start() {
    const server = await startServer();
    return { ...server, client: await RawClient.connect(server.port) };
  }

  it('are answered one after another: a GET sees what the PUT before it put', async () => {
    const { client } = await start();
    for (let n = 0; n < 20; n++) {
      client.send(put('/v1/kv/k', `${n}`) + getText('/v1/kv/k?raw'));
      assert.equal((await client.answer()).body.toString(), 'true');
      assert.equal((await client.answer()).body.toString(), `${n}`);
    }
  });

  it('do not begin before what is before them has ended', async () => {
    const { client, get, put: write, server } = await start();
    await write('/v1/kv/seen', '1');
    const { index } = await get('/v1/kv/seen');
    const wait = getText(`/v1/kv/seen?index=${index}&wait=60s`);
    client.send(wait + put('/v1/kv/later', '1'));
    await until(() => server.answers.waiting === 1);
    await write('/v1/kv/other', '1');
    assert.equal(server.state.kv.get('later'), undefined);
  });

  for (const [hosts, fault] of [
    ['Host: a\r\nHost: b\r\n', 'too many Host headers'],
    ['host: a\r\nHost: a\r\n', 'too many Host headers'],
    ['', 'missing required Host header'],
    ['Host: a b\r\n', 'malformed Host header'],
    ['Host: a/b\r\n', 'malformed Host header'],
  ] as const) {
    it(`are refused as Consul refuses them, and do nothing: ${fault}`, async () => {
      const { client, server } = await start();
      const text = put('/v1/kv/k', 'v').replace('Host: localhost\r\n', hosts);
      client.send(getText('/v1/status/leader') + text + getText('/v1/status/leader'));
      assert.match((await client.answer()).head, /^HTTP\/1.1 200 OK/);
      await client.ended();
      assert.equal(client.rest().split('\r\n')[0], `HTTP/1.1 400 Bad Request: ${fault}`);
      assert.equal(server.state.kv.get('k'), undefined);
    });
  }

  it('may have an empty Host, and none at all in HTTP 1.0', async () => {
    const { port } = await start();
    for (const head of ['HTTP/1.1\r\nHost:', 'HTTP/1.1\r\nHost: [::1]:85', 'HTTP/1.0\r\nX: y']) {
      const client = await RawClient.connect(port);
      const { head: answer } = await client.ask(`GET /v1/status/leader ${head}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1.1 200/);
    }
  });

  it('are read only as far ahead as there is room, and all are answered', async () => {
    const { client, parsed } = await start();
    const ten = getText('/v1/kv/none').repeat(10);
    for (let n = 0; n < 200; n++) client.send(ten);
    await client.answer();
    assert(parsed() < 500, `${parsed()} of 2000 were begun at once`);
    for (let n = 1; n < 2000; n++) assert.match((await client.answer()).head, /^HTTP\/1.1 404/);
  }).timeout(60_000);

  it('leave other connections their turn', async () => {
    const { client, port, parsed } = await start();
    const other = await RawClient.connect(port);
    client.send(getText('/v1/kv/none').repeat(2000));
    await until(() => parsed() > 0);
    await other.ask(getText('/v1/status/leader'));
    assert(parsed() < 1500, `${parsed()} came first`);
  });

  it('have bodies of any size, in chunks of any size', async () => {
    const { client, get } = await start();
    const value = 'v'.repeat(300_000);
    const text = put('/v1/kv/a', value) + put('/v1/kv/b', value) + getText('/v1/kv/a?raw');
    for (let at = 0; at < text.length; at += 9973) client.send(text.slice(at, at + 9973));
    assert.equal((await client.answer()).body.toString(), 'true');
    assert.equal((await client.answer()).body.toString(), 'true');
    assert.equal((await client.answer()).body.length, value.length);
    assert.equal((await get('/v1/kv/b?raw')).text, value);
  });

  it('end with one that says so: what follows neither counts nor replaces its answer', async () => {
    const { client, server } = await start();
    const last = getText('/v1/status/leader', { Connection: 'close' });
    client.send(last + put('/v1/kv/k', '1'));
    assert.match((await client.answer()).head, /^HTTP\/1.1 200/);
    await client.ended();
    assert.equal(client.unread, 0);
    assert.equal(server.state.kv.get('k'), undefined);
  });

  it('that say they are the last may come with their body later', async () => {
    const { client, parsed } = await start();
    const text = put('/v1/kv/k', 'late').replace('Host', 'Connection: close\r\nHost');
    client.send(text.slice(0, -4));
    await until(() => parsed() === 1);
    client.send('late');
    assert.equal((await client.answer()).body.toString(), 'true');
    await client.ended();
  });

  it('are not read while nobody wants their body', async () => {
    const { client, get, put: write, server } = await start();
    await write('/v1/kv/k', '1');
    const { index } = await get('/v1/kv/k');
    const wait = getText(`/v1/kv/k?index=${index}&wait=60s`).slice(0, -2);
    client.send(`${wait}Content-Length: 100000000\r\n\r\n`);
    await until(() => server.answers.waiting === 1);
    const part = Buffer.alloc(1024 * 1024);
    for (let n = 0; n < 50; n++) client.send(part);
    for (let n = 0; n < 20; n++) await get('/v1/status/leader');
    assert(client.unsent > 20 * part.length, `${client.unsent} bytes could not be sent`);
  });

  it('are answered before one that breaks off is refused', async () => {
    const { client, server } = await start();
    const broken = 'PUT /v1/kv/b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n';
    client.send(put('/v1/kv/a', '1') + put('/v1/kv/a', '2') + broken);
    assert.equal((await client.answer()).body.toString(), 'true');
    assert.equal((await client.answer()).body.toString(), 'true');
    await client.ended();
    assert.match(client.rest(), /^HTTP\/1.1 400 Bad Request/);
    assert.equal(server.state.kv.get('b'), undefined);
  });

  it('are answered before one that is none is refused', async () => {
    const { client } = await start();
    client.send(`${getText('/v1/status/leader')}garbage\r\n\r\n`);
    assert.match((await client.answer()).head, /^HTTP\/1.1 200/);
    await client.ended();
    assert.match(client.rest(), /^HTTP\/1.1 400 Bad Request\r\n.*\r\n\r\n400 Bad Request$/s);
  });
});

describe('a body', () => {
  it('that is encoded in yet another way is refused, and not kept as it came', async () => {
    for (const coding of ['gzip, chunked', 'identity, chunked']) {
      const { port, get } = await startServer();
      const client = await RawClient.connect(port);
      const head = `PUT /v1/kv/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: ${coding}\r\n\r\n`;
      client.send(`${head}3\r\nabc\r\n0\r\n\r\n`);
      assert.match((await client.answer()).head, /^HTTP\/1.1 501/);
      assert.equal((await get('/v1/kv/k')).status, 404);
    }
  });

  for (const [what, head] of Object.entries({
    'a folded header': 'X-Consul-Token: a\r\n b\r\nContent-Length: 1',
    'its length twice, though the same': 'Content-Length: 1\r\nContent-Length: 1',
    'two lengths': 'Content-Length: 1\r\nContent-Length: 2',
    'a length beside chunks': 'Content-Length: 1\r\nTransfer-Encoding: chunked',
  })) {
    it(`that has ${what} is refused, and nothing of it is done`, async () => {
      const { port, get } = await startServer();
      const client = await RawClient.connect(port);
      client.send(`PUT /v1/kv/k HTTP/1.1\r\nHost: x\r\n${head}\r\n\r\n1\r\nx\r\n0\r\n\r\n`);
      await client.ended();
      assert.match(client.rest(), /^HTTP\/1.1 400 Bad Request\r\n/);
      assert.equal((await get('/v1/kv/k')).status, 404);
    });
  }

  it('that says that it is too large is refused before it comes', async () => {
    const { port } = await startServer();
    const client = await RawClient.connect(port);
    client.send('PUT /v1/kv/k HTTP/1.1\r\nHost: x\r\nContent-Length: 600000\r\n\r\n');
    const { head, body } = await client.answer();
    assert.match(head, /^HTTP\/1.1 413/);
    assert.match(body.toString(), /^Request body\(600000 bytes\) too large/);
    assert.match(head, /^connection: close\r?$/im);
  });
});

describe('a client that closes its side', () => {
  async function ask(port: number, ...texts: string[]): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
    });
    socket.end(texts.join(''));
    await new Promise((resolve) => socket.once('close', resolve));
    return got;
  }

  it('gets its answers all the same, and then the connection ends', async () => {
    const { port } = await startServer();
    const got = await ask(port, put('/v1/kv/k', '7'), getText('/v1/kv/k?raw'));
    assert.match(got, /^HTTP\/1.1 200 .*\r\n\r\ntrueHTTP\/1.1 200 .*\r\n\r\n7$/s);
  });

  it('gets a large answer whole', async () => {
    const { port, put: write } = await startServer();
    await write('/v1/kv/k', 'x'.repeat(400_000));
    const got = await ask(port, getText('/v1/kv/k?raw'));
    assert.equal(got.length - got.indexOf('\r\n\r\n') - 4, 400_000);
  });

  it('and waits is answered at once with what there is', async () => {
    const { port, get, put: write, server } = await startServer();
    await write('/v1/kv/k', '1');
    const { index } = await get('/v1/kv/k');
    const wait = getText(`/v1/kv/k?raw&index=${index}&wait=60s`);
    assert.match(await ask(port, wait), /\r\n\r\n1$/);
    assert.equal(server.answers.waiting, 0);
  });

  it('and waits with others on the fast path is answered too', async () => {
    const { port, get, put: write, server, fastPath } = await startServer();
    await write('/v1/kv/k', '1');
    const { index } = await get('/v1/kv/k');
    const wait = getText(`/v1/kv/k?raw&index=${index}&wait=60s`);
    const other = await RawClient.connect(port);
    other.send(wait);
    await until(() => server.answers.waiting === 1);
    assert.match(await ask(port, getText('/v1/status/leader'), wait), /\r\n\r\n1$/);
    const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    client.on('data', (chunk: Buffer) => {
      got += chunk.toString();
    });
    client.write(getText('/v1/status/leader'));
    await until(() => got.endsWith('"'));
    client.write(wait);
    await until(() => fastPath.size.parked === 1);
    client.end();
    await until(() => got.endsWith('\r\n\r\n1'));
    assert.equal(fastPath.size.parked, 0);
    assert.equal(server.answers.waiting, 1);
  });

  it('in the middle of a request is refused', async () => {
    const { port } = await startServer();
    assert.match(await ask(port, 'GET /v1/kv/a HT'), /^HTTP\/1.1 400 Bad Request/);
  });
});

describe('a path', () => {
  it('may hold raw UTF-8, as Consul takes it', async () => {
    const { port, get } = await startServer();
    const client = await RawClient.connect(port);
    await client.ask(put('/v1/kv/ä/😀', 'x'));
    assert.equal((await get('/v1/kv/%C3%A4/%F0%9F%98%80?raw')).text, 'x');
    assert.equal((await client.ask(getText('/v1/kv/ä/😀?raw'))).body.toString(), 'x');
  });

  it('may hold it on a connection whose requests came in pieces, or with a body in chunks', async () => {
    const { port, put: write } = await startServer();
    await write('/v1/kv/%C3%A4', '1');
    const client = await RawClient.connect(port);
    const raw = getText('/v1/kv/ä?raw');
    const chunked =
      'PUT /v1/kv/c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
    for (const parts of [
      [raw],
      [raw.slice(0, 30), raw.slice(30)],
      [`${chunked}1\r\nx\r\n0\r\n\r\n`],
    ]) {
      for (const part of parts) {
        client.send(part);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.match((await client.answer()).head, /^HTTP\/1.1 200/);
      assert.equal((await client.ask(raw)).body.toString(), '1');
    }
  });

  it('of raw bytes that are no UTF-8 is refused', async () => {
    const { port } = await startServer();
    const client = await RawClient.connect(port);
    client.send(Buffer.from(getText('/v1/kv/\xe4'), 'latin1'));
    assert.match((await client.answer()).head, /^HTTP\/1.1 400/);
  });
});

describe('a connection beyond the limit of its address', () => {
  let listener: Listener | undefined;
  afterEach(() => listener?.stop());

  let max = 2;
  beforeEach(() => {
    max = 2;
  });

  async function start() {
    const writes: string[] = [];
    const handle = async (request: HttpRequest): Promise<Reply> => {
      writes.push((await request.body(1000)).toString());
      return { json: true };
    };
    const body = { what: 'what is written' };
    const row: Route = { method: 'PUT', path: '/v1/x', right: anyone, body, does: 'x', handle };
    const app = createApp({ routes: [row] }, { logger: silentLogger });
    listener = new Listener({
      listener: app,
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => max },
    });
    await listener.start();
    const { port, server } = listener;
    const open = () =>
      new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    const held = [await RawClient.connect(port), await RawClient.connect(port)];
    await until(async () => (await open()) === 2);
    return { port, writes, open, held };
  }

  it('is told so, and nothing that it sends is carried out', async () => {
    const { port, writes, held, open } = await start();
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let got = '';
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.write(put('/v1/x', 'refused'));
    await new Promise((resolve) => socket.once('end', resolve));
    socket.destroy();
    assert.match(got, /^HTTP\/1.1 429 .*http_max_conns_per_client\)\n$/s);
    await until(async () => (await open()) === 2);
    assert.equal((await held[0]?.ask(put('/v1/x', 'taken')))?.body.toString(), 'true');
    assert.deepEqual(writes, ['taken']);
  });

  it('is none any more once the limit is higher, as after a reload', async () => {
    const { port } = await start();
    max = 3;
    const third = await RawClient.connect(port);
    assert.equal((await third.ask(put('/v1/x', 'taken'))).body.toString(), 'true');
    const fourth = await RawClient.connect(port);
    fourth.send(put('/v1/x', 'refused'));
    assert.match((await fourth.answer()).head, /^HTTP\/1.1 429/);
  });

  it('does not stay, though its client neither sends nor closes', async () => {
    const { port, open } = await start();
    const clients = Array.from({ length: 100 }, () => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      return socket.on('error', () => undefined).resume();
    });
    await Promise.all(clients.map((each) => new Promise((done) => each.once('end', done))));
    await until(async () => (await open()) === 2);
    for (const client of clients) client.destroy();
  });

  it('is taken again once another has closed', async () => {
    const { port, open, held } = await start();
    held[0]?.close();
    await until(async () => (await open()) === 1);
    const client = await RawClient.connect(port);
    assert.equal((await client.ask(put('/v1/x', 'taken'))).body.toString(), 'true');
  });
});
