import assert from 'node:assert/strict';
import { silentLogger } from '../../../../lib/logger.ts';
import { settle } from '../../../support/fakes/fake-clock.ts';
import { HeldLog } from '../../../support/fakes/held-log.ts';
import { READS, SENDERS, start, web } from '../../../support/servers/asked-again.ts';
import { getText, RawClient, withoutDate } from '../../../support/servers/raw-client.ts';
import { startServer } from '../../../support/servers/start-server.ts';
import { until } from '../../../support/until.ts';

describe('the fast path', () => {
  for (const [how, headers] of Object.entries(SENDERS)) {
    it(`gives, asked ${how}, the same bytes as the routes`, async () => {
      const { client, parsed } = await start();
      for (const path of READS) {
        // The first one that is asked for from a cache is said to be new.
        if (path.includes('cached')) await client.ask(getText(path, headers));
        const before = parsed();
        const slow = await client.ask(getText(path, headers));
        const fast = await client.ask(getText(path, headers));
        assert.equal(parsed(), before + 1, `${path} is answered without the parser`);
        assert.equal(withoutDate(fast.head), withoutDate(slow.head), path);
        assert(fast.body.equals(slow.body), path);
        assert.match(fast.head, /^Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r$/m);
      }
    });
  }

  it('leaves alone what another topic touched', async () => {
    const { client, put, parsed } = await start();
    const request = getText('/v1/health/service/web');
    await client.ask(request);
    await put('/v1/kv/other', '1');
    const before = parsed();
    await client.ask(request);
    assert.equal(parsed(), before);
  });

  it('gives no answer to another Accept-Encoding or token than it was made for', async () => {
    const { client, parsed } = await start();
    const path = '/v1/kv/a/b';
    await client.ask(getText(path, { 'Accept-Encoding': 'gzip' }));
    const before = parsed();
    assert.doesNotMatch((await client.ask(getText(path))).head, /Content-Encoding/);
    await client.ask(getText(path, { 'X-Consul-Token': 'other' }));
    assert.equal(parsed(), before + 2);
  });

  it('passes over errors', async () => {
    const { client, parsed } = await start();
    const request = getText('/v1/health/service/web?filter=nonsense');
    const before = parsed();
    assert.match((await client.ask(request)).head, /^HTTP\/1.1 [45]00/);
    await client.ask(request);
    assert.equal(parsed(), before + 2);
  });

  it('learns nothing of a request that names itself for a trace: it would put out what others ask for', async () => {
    const { client, fastPath, parsed } = await start();
    const before = [parsed(), fastPath.size.answers] as const;
    for (let i = 0; i < 20; i++) {
      const traceparent = `00-${String(i).padStart(32, '0')}-00f067aa0ba902b7-01`;
      await client.ask(getText('/v1/health/service/web', { traceparent }));
    }
    assert.deepEqual([parsed(), fastPath.size.answers], [before[0] + 20, before[1]]);
  });

  it('forgets what was learnt first when there is no more room', async () => {
    const { client, fastPath, put } = await start();
    await put('/v1/kv/large', 'x'.repeat(500_000));
    for (let i = 0; i < 200; i++) await client.ask(getText(`/v1/kv/large?raw&n=${i}`));
    assert(fastPath.size.bytes <= 64 * 1024 * 1024);
    assert(fastPath.size.answers < 140);
  });
});

describe('a connection that mixes known requests with others', () => {
  const hot = getText('/v1/kv/a/b?raw');
  const put = (text: string) =>
    `PUT /v1/kv/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${text.length}\r\n\r\n${text}`;

  it('gets every answer in order', async () => {
    const { client, parsed } = await start();
    await client.ask(hot);
    const before = parsed();
    for (let i = 0; i < 10; i++) {
      assert.equal((await client.ask(put(`${i}`))).body.toString(), 'true');
      assert.equal((await client.ask(hot)).body.length, 3000);
      assert.equal((await client.ask(getText('/v1/kv/c?raw'))).body.toString(), `${i}`);
      assert.equal((await client.ask(hot)).body.length, 3000);
    }
    assert.equal(
      parsed(),
      before + 2,
      'only the first write and the first read of what it wrote are parsed',
    );
  });

  it('gets two answers to two requests in one chunk', async () => {
    const { client } = await start();
    await client.ask(hot);
    client.send(hot + getText('/v1/kv/none'));
    assert.equal((await client.answer()).body.length, 3000);
    assert.match((await client.answer()).head, /^HTTP\/1.1 404/);
    client.send(hot + hot);
    assert.equal((await client.answer()).body.length, 3000);
    assert.equal((await client.answer()).body.length, 3000);
  });

  it('gets one answer to a request that comes in two chunks', async () => {
    const { client } = await start();
    await client.ask(hot);
    const before = client.unread;
    client.send(hot.slice(0, 20));
    client.send(hot.slice(20));
    assert.equal((await client.answer()).body.length, 3000);
    assert.equal(client.unread, before);
    assert.equal((await client.ask(hot)).body.length, 3000);
  });

  it('has its bodies taken as bodies, whatever they look like', async () => {
    const { client, get } = await start();
    await client.ask(hot);
    const text = put(hot);
    const head = text.slice(0, -hot.length);
    client.send(head);
    // So that the body is a chunk of its own, byte for byte a request that is known.
    await until(async () => (await get('/v1/status/leader')).status === 200);
    client.send(hot);
    assert.equal((await client.answer()).body.toString(), 'true');
    assert.equal((await get('/v1/kv/c?raw')).text, hot);
    assert.equal(client.unread, 0);
  });

  it('has its chunked bodies taken as bodies too', async () => {
    const { client, get } = await start();
    await client.ask(hot);
    client.send('PUT /v1/kv/c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until(async () => (await get('/v1/status/leader')).status === 200);
    client.send(`${hot.length.toString(16)}\r\n${hot}\r\n0\r\n\r\n`);
    assert.equal((await client.answer()).body.toString(), 'true');
    assert.equal((await get('/v1/kv/c?raw')).text, hot);
    assert.equal((await client.ask(hot)).body.length, 3000);
  });

  it('is closed where the client wishes it, and told so', async () => {
    const { client } = await start();
    await client.ask(hot);
    const { head } = await client.ask(getText('/v1/kv/a/b?raw', { Connection: 'close' }));
    assert.match(head, /^Connection: close\r$/m);
    await client.ended();
  });

  it('is closed after a request of HTTP/1.0', async () => {
    const { client } = await start();
    await client.ask(hot);
    const { body } = await client.ask(hot.replace('HTTP/1.1', 'HTTP/1.0'));
    assert.equal(body.length, 3000);
    await client.ended();
  });

  it('is never answered from what a GET with a body said', async () => {
    const { client, parsed } = await start();
    const odd = `${hot.slice(0, -2)}Content-Length: 2\r\n\r\nxx`;
    const before = parsed();
    await client.ask(odd);
    await client.ask(odd);
    assert.equal(parsed(), before + 2);
  });
});

describe('a wait that many share', () => {
  async function waiting(count: number) {
    const server = await start();
    const { index } = await server.get('/v1/health/service/web');
    const request = getText(`/v1/health/service/web?index=${index}&wait=60s`);
    const clients: RawClient[] = [];
    for (let i = 0; i < count; i++) {
      const client = await RawClient.connect(server.port);
      await client.ask(getText('/v1/status/leader'));
      client.send(request);
      clients.push(client);
      await until(() => server.server.answers.waiting === i + 1);
    }
    return { ...server, clients, request, index };
  }

  it('is entered by the same bytes without the parser, and all get the answer', async () => {
    const { clients, parsed, put, fastPath } = await waiting(100);
    assert.equal(fastPath.size.parked, 99);
    const before = parsed();
    await put('/v1/catalog/register', web('n2'));
    const answers = await Promise.all(clients.map((client) => client.answer()));
    assert.equal(parsed(), before + 1, 'only the registration');
    const [first] = answers;
    assert.equal(JSON.parse(first?.body.toString() ?? '').length, 2);
    for (const { head, body } of answers) {
      assert.equal(withoutDate(head), withoutDate(first?.head ?? ''));
      assert(body.equals(first?.body ?? Buffer.alloc(0)));
    }
    assert.equal(fastPath.size.parked, 0);
  });

  it('ends with the same again when nothing changes', async () => {
    const { clients, clock, index } = await waiting(3);
    await clock.advance(70_000);
    for (const client of clients) {
      const { head } = await client.answer();
      assert.match(head, new RegExp(`^X-Consul-Index: ${index}\r$`, 'm'));
    }
  });

  it('is entered anew by who asks again after it ended without a change', async () => {
    const { clients, clock, request, server } = await waiting(3);
    await clock.advance(70_000);
    for (const client of clients) await client.answer();
    for (const client of clients) client.send(request);
    await until(() => server.answers.waiting === 3);
    assert(clients.every(({ unread }) => unread === 0));
  });

  it('is left by a client that goes away', async () => {
    const { clients, server, fastPath } = await waiting(3);
    for (const client of clients) client.close();
    await until(() => server.answers.waiting === 0);
    assert.equal(fastPath.size.parked, 0);
  });

  it('goes on for a client that sends more before it has its answer', async () => {
    const { clients, put, server } = await waiting(2);
    const [, client] = clients;
    client?.send(getText('/v1/kv/a/b?raw'));
    await until(() => server.answers.waiting === 2);
    assert.equal(client?.unread, 0, 'no answer overtakes another');
    await put('/v1/catalog/register', web('n2'));
    assert.match((await client?.answer())?.head ?? '', /application\/json/);
    assert.equal((await client?.answer())?.body.length, 3000);
  });

  it('can be entered again on the same connections, by the next index', async () => {
    const { clients, put, server, fastPath, parsed } = await waiting(3);
    for (let round = 0; round < 5; round++) {
      const before = parsed();
      await put('/v1/catalog/register', web(`m${round}`));
      for (const client of clients) {
        const { head, body } = await client.answer();
        assert.equal(JSON.parse(body.toString()).length, round + 2);
        const index = /^X-Consul-Index: (\d+)\r$/m.exec(head)?.[1];
        client.send(getText(`/v1/health/service/web?index=${index}&wait=60s`));
        await until(() => server.answers.waiting === clients.indexOf(client) + 1);
      }
      assert.equal(parsed(), before + 1, 'the registration alone');
      assert.deepEqual([fastPath.size.parked, fastPath.size.waits], [3, 1]);
    }
  });
});

describe('a read that waits until it may be answered', () => {
  it('ends with its client, and the server goes on', async () => {
    let log: HeldLog | undefined;
    const server = await startServer(silentLogger, (inner) => {
      log = new HeldLog(inner);
      return log;
    });
    assert(log !== undefined);
    const { waiting } = log;
    const client = await RawClient.connect(server.port);
    await client.ask(getText('/v1/status/leader'));
    await client.ask(getText('/v1/catalog/nodes'));
    const { parsed } = server;
    const before = parsed();
    log.hold();
    client.send(getText('/v1/catalog/nodes'));
    await until(() => (log?.waiting ?? 0) > waiting);
    assert.equal(parsed(), before, 'it waits in front of the parser');
    client.close();
    await settle();
    log.refuse();
    assert.equal((await server.get('/v1/catalog/nodes')).status, 200);
  });
});
