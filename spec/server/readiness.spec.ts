import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { noLeader, ProconsulError } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { LocalLookups } from '../../server/dns-lookups.ts';
import type { EventLog } from '../../server/log/event-log.ts';
import { askUdp } from '../support/servers/dns-client.ts';
import { serveDns } from '../support/servers/start-dns.ts';
import { startServer } from '../support/servers/start-server.ts';

/** A log that is another's but for some of its methods. */
function but(changes: (log: EventLog) => Partial<EventLog>) {
  return (log: EventLog): EventLog => {
    const all: EventLog = {
      start: (sink) => log.start(sink),
      append: (batch) => log.append(batch),
      readIndex: (by) => log.readIndex(by),
      saveSnapshot: (snapshot) => log.saveSnapshot(snapshot),
      newestSnapshot: () => log.newestSnapshot(),
      status: () => log.status(),
      servers: () => log.servers(),
      account: () => log.account(),
      stop: () => log.stop(),
    };
    return { ...all, ...changes(log) };
  };
}

/** Its log is being read, for as long as the spec lasts. */
const startUnread = () =>
  startServer(
    silentLogger,
    but(() => ({ start: () => new Promise(() => undefined) })),
    async (server) => void server.start(),
  );

describe('a server that is parted from the others', () => {
  const startParted = () =>
    startServer(
      silentLogger,
      but((log) => ({
        readIndex: (by) => (by === 'majority' ? Promise.reject(noLeader()) : log.readIndex(by)),
      })),
    );
  const unknown = '00000000-0000-4000-a000-000000000000';

  it('does not tell the holder of a session that it does not know that it is gone', async () => {
    const { put } = await startParted();
    const { status, text } = await put(`/v1/session/renew/${unknown}`);
    assert.equal(status, 500);
    assert.match(text, /^No cluster leader/);
  });

  it('renews one that it knows', async () => {
    const { put } = await startParted();
    await put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
    const { json } = await put('/v1/session/create', { Node: 'n1', TTL: '10s', NodeChecks: [] });
    const { ID } = json as { ID: string };
    assert.equal((await put(`/v1/session/renew/${ID}`)).status, 200);
  });
});

describe('a server that has not read its log yet', () => {
  for (const path of [
    '/v1/kv/a?stale',
    '/v1/kv/a',
    '/v1/catalog/service/web?stale',
    '/v1/event/list',
    '/v1/event/list?index=1',
    '/v1/query/any/execute?stale',
    '/v1/operator/autopilot/configuration',
  ]) {
    it(`says to GET ${path} that it cannot tell`, async () => {
      const { get } = await startUnread();
      const { status, text } = await get(path);
      assert.equal(status, 500);
      assert.match(text, /^No cluster leader/);
    });
  }

  it('says of no node that it is not there', async () => {
    const { put } = await startUnread();
    const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 };
    const { text } = await put('/v1/coordinate/update', { Node: 'n1', Coord });
    assert.match(text, /^No cluster leader/);
  });

  for (const allowStale of [true, false]) {
    it(`answers SERVFAIL by DNS, with allow_stale = ${allowStale}`, async () => {
      const { server, clock } = await startUnread();
      const lookups = new LocalLookups(server.deps, { allowStale, maxStaleMs: 0 }, () => '');
      const { port } = await serveDns(lookups, clock);
      for (const name of ['web.service.consul', 'n1.node.consul', 'q.query.consul']) {
        assert.equal((await askUdp(port, { name, type: 'A' })).rcode, 2, name);
      }
      const reverse = { name: '1.0.0.127.in-addr.arpa', type: 'PTR' } as const;
      assert.equal((await askUdp(port, reverse)).rcode, 2);
    });
  }
});

describe('a read whose log has told an index and never brings it', () => {
  for (const consistency of ['', '?consistent']) {
    it(`ends as if there were no leader: GET /v1/kv/a${consistency}`, async () => {
      const { clock, get } = await startServer(
        silentLogger,
        but(() => ({ readIndex: async () => 1000 })),
      );
      const armed = clock.armed;
      const waiting = get(`/v1/kv/a${consistency}`);
      await clock.untilArmed(armed + 1);
      await clock.advance(7000);
      const { status, text } = await waiting;
      assert.equal(status, 500);
      assert.match(text, /^No cluster leader/);
    });
  }

  it('rejects at once where the log knows of no index', async () => {
    const unavailable = new ProconsulError('unavailable', 'no');
    const { get } = await startServer(
      silentLogger,
      but(() => ({ readIndex: () => Promise.reject(unavailable) })),
    );
    assert.equal((await get('/v1/kv/a')).status, 500);
  });
});

describe('a server that is to have caught up with the others', () => {
  it('has once all is here that the log has, or at once where nobody can say', async () => {
    let [ahead, isKnown, has] = [0, true, false];
    const { server, clock, put } = await startServer(
      silentLogger,
      but((log) => ({
        readIndex: async (by) => {
          if (!isKnown) throw noLeader();
          return (await log.readIndex(by)) + ahead;
        },
      })),
    );
    const { readiness } = server.deps;
    await readiness.caughtUp();
    const armed = clock.armed;
    ahead = 1;
    const caughtUp = readiness.caughtUp().then(() => {
      has = true;
    });
    await clock.untilArmed(armed + 1);
    assert.equal(has, false);
    ahead = 0;
    await put('/v1/kv/a', 'b');
    await caughtUp;
    isKnown = false;
    await readiness.caughtUp();
  });
});

describe('a read that may be stale, but not by more than it says', () => {
  /** A server that heard of its log's end so long ago. */
  async function behind(lastContactMs: number, writable: boolean) {
    const asked: string[] = [];
    const test = await startServer(
      silentLogger,
      but((log) => ({
        status: () => ({ writable, lastContactMs }),
        readIndex: (by) => {
          asked.push(by ?? '');
          return log.readIndex(by);
        },
      })),
    );
    asked.length = 0;
    return { ...test, asked };
  }

  for (const path of [
    '/v1/kv/a',
    '/v1/catalog/nodes',
    '/v1/query',
    '/v1/operator/raft/configuration',
  ])
    for (const stale of ['', '&stale']) {
      it(`is as fresh as the log where this server is further behind: ${path}${stale}`, async () => {
        const { get, asked } = await behind(5001, true);
        await get(`${path}?max_stale=6s${stale}`);
        assert.deepEqual(asked, []);
        const { headers } = await get(`${path}?max_stale=5s${stale}`);
        assert.deepEqual(asked, ['log']);
        assert.notEqual(headers['x-consul-effective-consistency'], 'stale');
        assert.notEqual(headers['x-consul-lastcontact'], '5001');
      });
    }

  for (const path of [
    '/v1/kv/a',
    '/v1/catalog/nodes',
    '/v1/query/one/execute',
    '/v1/query/one/explain',
    '/v1/operator/usage',
    '/v1/snapshot',
  ])
    it(`says how old it may be, and is not where the log was asked: ${path}`, async () => {
      const { get, put, ask } = await behind(173, true);
      await put('/v1/kv/a', 'b');
      const body = JSON.stringify({ Name: 'one', Service: { Service: 'web' } });
      await ask('POST', '/v1/query', { body });
      const age = async (mode: string) =>
        (await get(`${path}?${mode}`)).headers['x-consul-lastcontact'];
      assert.deepEqual(await Promise.all(['', 'consistent', 'stale'].map(age)), ['0', '0', '173']);
    });

  it('is refused where nobody can say how the log goes on', async () => {
    const { get } = await behind(5001, false);
    assert.equal((await get('/v1/catalog/nodes?max_stale=6s')).status, 200);
    const { status, text } = await get('/v1/catalog/nodes?max_stale=5s');
    assert.equal(status, 500);
    assert.match(text, /^No cluster leader/);
  });

  it('is answered anew on the fast path once it has become too old', async () => {
    const age = { lastContactMs: 0 };
    const { get } = await startServer(
      silentLogger,
      but(() => ({ status: () => ({ writable: true, ...age }) })),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const consistency = async () => {
      const { headers } = await get('/v1/catalog/nodes?max_stale=5s', { agent });
      return headers['x-consul-effective-consistency'];
    };
    assert.deepEqual([await consistency(), await consistency()], ['stale', 'stale']);
    age.lastContactMs = 5001;
    assert.deepEqual([await consistency(), await consistency()], ['leader', 'leader']);
    agent.destroy();
  });

  it('gives DNS nothing that is older than max_stale', async () => {
    const { server, asked } = await behind(5001, true);
    for (const [maxStaleMs, current] of [
      [6000, true],
      [5000, false],
    ] as const) {
      const lookups = new LocalLookups(server.deps, { allowStale: true, maxStaleMs }, () => '');
      assert.equal((await lookups.node('a')).isCurrent(), current);
    }
    assert.deepEqual(asked, ['log']);
  });

  for (const [sent, complaint] of [
    ['soon', 'Invalid max_stale value "soon"'],
    ['1s&consistent', 'Cannot specify ?stale with ?consistent, conflicting semantics.'],
  ]) {
    it(`is refused as Consul does: ?max_stale=${sent}`, async () => {
      const { get } = await startServer();
      const { status, text } = await get(`/v1/catalog/nodes?max_stale=${sent}`);
      assert.deepEqual([status, text], [400, complaint]);
    });
  }
});
