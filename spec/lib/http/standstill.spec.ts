import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { createApp } from '../../../lib/http/app.ts';
import { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../lib/http/listener.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Method, Route } from '../../../lib/http/route.ts';
import { Standstill } from '../../../lib/http/standstill.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { TestAuthority, tlsSettings } from '../../support/certificates.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { serveHttps } from '../../support/servers/https-servers.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { requestText } from '../../support/servers/request-text.ts';

/** Time passes, and no timer has had its turn yet. */
class StillClock extends FakeClock {
  passedMs = 0;

  override monotonic(): number {
    return super.monotonic() + this.passedMs;
  }
}

const NOT_BEGUN = /^HTTP\/1\.1 500 .*\r\nX-Proconsul-Applied: no\r\n/s;
const LARGE = 'x'.repeat(300_000);

const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** One who asks, and then says nothing more. */
async function leave(client: RawClient, request: string): Promise<string> {
  client.send(request);
  client.end();
  await client.ended();
  return client.rest();
}

interface Surface {
  readonly clock: StillClock;
  readonly port: number;
  /** What was begun, by its method and key. */
  readonly begun: string[];
  /** How long it stood still, each time. */
  readonly noticed: number[];
  /** A connection whose next write need not be parsed. */
  readonly known: () => Promise<RawClient>;
}

async function surface(fastPath: FastPath | undefined): Promise<Surface> {
  const clock = new StillClock();
  const noticed: number[] = [];
  const begun: string[] = [];
  const row = (method: Method): Route => ({
    method,
    path: '/v1/kv/',
    rest: 'key',
    ...(method === 'PUT' && { body: { what: 'the value' } }),
    right: anyone,
    does: 'notes that it was begun',
    handle: async (request) => {
      if (method === 'PUT') await request.body(1_000_000);
      begun.push(`${method} ${request.rest}`);
      return { json: true };
    },
  });
  const routes = [row('GET'), row('PUT'), row('DELETE')];
  const standstill = new Standstill({ clock, onNoticed: (ms) => noticed.push(ms) });
  const listener = new Listener({
    listener: createApp({ routes }, { ...(fastPath && { fastPath }), logger: silentLogger }),
    shortcut: fastPath,
    standstill,
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  standstill.start();
  await listener.start();
  ending.push(async () => {
    standstill.stop();
    await listener.stop();
    assert.equal(clock.armed, 0);
  });
  const { port } = listener;
  const known = async () => {
    const client = await RawClient.connect(port);
    await client.ask(requestText('PUT', '/v1/kv/before', 'x'));
    begun.length = 0;
    return client;
  };
  return { clock, port, begun, noticed, known };
}

for (const way of ['parsed', 'unparsed']) {
  const start = () => surface(way === 'unparsed' ? new FastPath() : undefined);
  const put = requestText('PUT', '/v1/kv/a', 'y');

  describe(`what lies at the sockets of a process that stood still (writes ${way})`, () => {
    for (const [what, request] of [
      ['a write', put],
      ['a deletion', requestText('DELETE', '/v1/kv/a', '')],
      ['a write with a large body', requestText('PUT', '/v1/kv/a', LARGE)],
    ] as const) {
      it(`is not begun where it is ${what} of one who has gone`, async () => {
        const { clock, begun, known, port } = await start();
        const [gone, other] = [await known(), await RawClient.connect(port)];
        clock.passedMs += 8000;
        assert.match(await leave(gone, request), NOT_BEGUN);
        await other.ask(getText('/v1/kv/b'));
        assert.deepEqual(begun, ['GET b']);
      });
    }

    it('is not begun for those whom it takes from its line only now, though it moves again', async () => {
      const { clock, begun, noticed, port } = await start();
      await clock.stall(8000);
      assert.deepEqual(noticed, [8000]);
      for (let n = 0; n < 20; n++) {
        const gone = await RawClient.connect(port);
        gone.send(put);
        gone.close();
        await clock.advance(500);
      }
      const stays = await RawClient.connect(port);
      await stays.ask(requestText('PUT', '/v1/kv/b', 'y'));
      assert.deepEqual([begun, noticed], [['PUT b'], [8000]]);
    });

    it('is answered where it is a read, though whoever asks says nothing more', async () => {
      const { clock, begun, known } = await start();
      const client = await known();
      clock.passedMs += 8000;
      assert.match(await leave(client, getText('/v1/kv/a')), /^HTTP\/1\.1 200 /);
      assert.deepEqual(begun, ['GET a']);
    });

    it('is begun in its order for whoever is still there', async () => {
      const { clock, begun, known } = await start();
      const client = await known();
      clock.passedMs += 8000;
      client.send(requestText('PUT', '/v1/kv/a', LARGE) + getText('/v1/kv/b') + put);
      for (let n = 0; n < 3; n++) assert.match((await client.answer()).head, /^HTTP\/1\.1 200 /);
      assert.deepEqual(begun, ['PUT a', 'GET b', 'PUT a']);
    });

    it('is begun for whoever has only closed his side, once it has moved for long or where it never stood still', async () => {
      const { clock, begun, noticed, known } = await start();
      const ask = async () => (await leave(await known(), put)).slice(0, 12);
      await clock.advance(60_000);
      assert.deepEqual([await ask(), noticed, begun], ['HTTP/1.1 200', [], ['PUT a']]);
      await clock.stall(1000);
      assert.equal(await ask(), 'HTTP/1.1 500');
      await clock.advance(29_000);
      assert.equal(await ask(), 'HTTP/1.1 500');
      await clock.advance(1000);
      assert.deepEqual([await ask(), noticed, begun], ['HTTP/1.1 200', [1000], ['PUT a']]);
    });

    it('is not begun either where the machine slept, and with it its monotonic time', async () => {
      const { clock, begun, noticed, known } = await start();
      const gone = await known();
      clock.setWall(3_600_000);
      assert.match(await leave(gone, put), NOT_BEGUN);
      assert.deepEqual([begun, noticed], [[], [3_600_000]]);
    });
  });
}

describe('what lies under TLS at the sockets of a process that stood still', () => {
  it('is not begun where it is a write of one who has gone', async () => {
    const authority = await TestAuthority.create();
    const clock = new StillClock();
    const standstill = new Standstill({ clock, onNoticed: () => undefined });
    let begun = 0;
    const serve: RequestListener = (_, response) => {
      begun++;
      response.end('here');
    };
    const config = tlsSettings(await authority.files());
    const { port } = await serveHttps(config, serve, { standstill });
    const clients = await Promise.all(
      [1, 2].map(() => RawClient.connectTls(port, { ca: authority.pair.cert })),
    );
    const [gone, stays] = clients as [RawClient, RawClient];
    standstill.start();
    clock.passedMs += 8000;
    assert.match(await leave(gone, requestText('PUT', '/v1/kv/a', 'y')), NOT_BEGUN);
    await stays.ask(requestText('PUT', '/v1/kv/a', 'y'));
    standstill.stop();
    assert.equal(begun, 1);
  });
});

describe('a write whose asker ends behind its body, as a process goes on that stood still', () => {
  it('is not begun, though its head came before', async () => {
    const { clock, begun, port } = await surface(undefined);
    const client = await RawClient.connect(port);
    const text = requestText('PUT', '/v1/kv/a', LARGE);
    client.send(text.slice(0, 1000));
    await settle();
    clock.passedMs += 8000;
    assert.match(await leave(client, text.slice(1000)), NOT_BEGUN);
    assert.deepEqual(begun, []);
  });
});
