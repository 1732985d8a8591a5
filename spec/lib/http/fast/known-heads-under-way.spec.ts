import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createApp } from '../../../../lib/http/app.ts';
import type { Audit } from '../../../../lib/http/audit.ts';
import { FastPath } from '../../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../../lib/http/listener.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { anyone } from '../../../../lib/http/right.ts';
import type { HttpRequest } from '../../../../lib/http/route.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { RawClient, withoutDate } from '../../../support/servers/raw-client.ts';
import { requestText } from '../../../support/servers/request-text.ts';
import { until } from '../../../support/until.ts';

interface Surface {
  readonly client: RawClient;
  readonly listener: Listener;
  /** Those that wait for their answer. */
  readonly held: ((reply: Reply) => void)[];
  readonly parsed: () => number;
}

let running: Listener[] = [];
afterEach(async () => {
  const left = running;
  running = [];
  await Promise.all(left.map((listener) => listener.stop()));
});

/** A row whose answers a spec gives; a first request, which is parsed, has been answered. */
async function surface(audit?: Audit): Promise<Surface> {
  const held: Surface['held'] = [];
  let count = 0;
  const row = {
    method: 'PUT',
    path: '/v1/kv/',
    rest: 'key',
    body: { what: 'the value' },
    right: anyone,
    does: 'waits',
    handle: async (request: HttpRequest) => {
      await request.body(1000);
      return await new Promise<Reply>((resolve) => held.push(resolve));
    },
  } as const;
  const fastPath = new FastPath();
  const app = createApp({ routes: [row] }, { fastPath, audit, logger: silentLogger });
  const listener = new Listener({
    listener: (message: IncomingMessage, response: ServerResponse) => {
      count++;
      app(message, response);
    },
    shortcut: fastPath,
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  running.push(listener);
  const client = await RawClient.connect(listener.port);
  client.send(requestText('PUT', '/v1/kv/a', 'x'));
  await until(() => held.length === 1);
  held.shift()?.({ json: true });
  await client.answer();
  return { client, listener, held, parsed: () => count };
}

describe('a write whose head is known, while it is under way', () => {
  const put = requestText('PUT', '/v1/kv/b', 'y');

  it('is answered before its listener has stopped, and its connection ends with it', async () => {
    const { client, listener, held, parsed: count } = await surface();
    client.send(put);
    await until(() => held.length === 1);
    assert.equal(count(), 1);
    const stopped = listener.stop();
    held[0]?.({ json: true });
    const { head, body } = await client.answer();
    assert.match(head, /\r\nConnection: close\r\n\r\n$/);
    assert.equal(body.toString(), 'true');
    await stopped;
    await client.ended();
  });

  it('is answered though it lay at an idle connection, not yet read, when its listener was stopped', async () => {
    const { client, listener, held } = await surface();
    client.send(put);
    const stopped = listener.stop();
    await until(() => held.length === 1);
    held[0]?.({ json: true });
    assert.match((await client.answer()).head, /\r\nConnection: close\r\n\r\n$/);
    await stopped;
  });

  it('is answered to a client that will send nothing more, which then is done with', async () => {
    const { client, held } = await surface();
    client.send(put);
    await until(() => held.length === 1);
    client.end();
    held[0]?.({ json: true });
    assert.equal((await client.answer()).body.toString(), 'true');
    await client.ended();
  });

  it('has what was sent behind it wait', async () => {
    const { client, held } = await surface();
    client.send(put);
    await until(() => held.length === 1);
    client.send(put);
    client.send(put);
    held.shift()?.({ text: 'first' });
    assert.equal((await client.answer()).body.toString(), 'first');
    for (const text of ['second', 'third']) {
      await until(() => held.length === 1);
      held.shift()?.({ text });
      assert.equal((await client.answer()).body.toString(), text);
    }
  });

  it('is over when its client goes, with no answer in the audit', async () => {
    const ends: (readonly [sent: boolean, status: number])[] = [];
    const audit: Audit = {
      begins: (_, response) => {
        response.once('close', () => ends.push([response.headersSent, response.statusCode]));
        return { asker: () => assert.fail(), starts: () => undefined, repeated: () => undefined };
      },
    };
    const { client, held } = await surface(audit);
    client.send(put);
    await until(() => held.length === 1);
    client.reset();
    await until(() => ends.length === 2);
    held[0]?.({ json: true });
    assert.deepEqual(ends, [
      [true, 200],
      [false, 200],
    ]);
  });

  it('is refused with a body that is too large, after which nothing is read', async () => {
    const { client, held, parsed: count } = await surface();
    client.send(requestText('PUT', '/v1/kv/b', 'y'.repeat(1001)) + put);
    const { head, body } = await client.answer();
    assert.match(head, /^HTTP\/1.1 413 /);
    assert.match(body.toString(), /^Request body\(1001 bytes\) too large/);
    await client.ended();
    assert.deepEqual([held.length, count()], [0, 2]);
    const other = await surface();
    other.client.send(requestText('PUT', '/v1/kv/b', 'y'.repeat(1001)));
    const taken = await other.client.answer();
    assert.equal(other.parsed(), 1);
    assert.equal(withoutDate(taken.head), withoutDate(head));
    other.client.send(put);
    await other.client.ended();
    assert.equal(other.held.length, 0);
  });

  it('gets a large answer in pieces, and goes on', async () => {
    const { client, held, parsed: count } = await surface();
    const large = Buffer.alloc(3_000_000, 'z');
    for (const bytes of [large, large.subarray(0, 100_000)]) {
      client.send(put);
      await until(() => held.length === 1);
      held.shift()?.({ bytes });
      assert((await client.answer()).body.equals(bytes));
    }
    assert.equal(count(), 1);
  });
});
