import assert from 'node:assert/strict';
import type { Command } from '../../../server/commands.ts';
import { Restorer } from '../../../server/http/archive/restore.ts';
import { State } from '../../../server/state/state.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { RawClient } from '../../support/servers/raw-client.ts';
import { startServer, type TestServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

async function save({ port }: TestServer): Promise<Buffer> {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/snapshot`);
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

const READS = [
  '/v1/kv/?recurse',
  '/v1/catalog/node/m',
  '/v1/catalog/services',
  '/v1/health/service/db',
  '/v1/catalog/connect/web',
  '/v1/session/list',
  '/v1/query',
  '/v1/coordinate/nodes',
  '/v1/operator/autopilot/configuration',
];

async function fill({ put, ask, clock }: TestServer) {
  await put('/v1/kv/a', '1');
  await put('/v1/kv/dir/b?flags=18446744073709551615', Buffer.from([0, 255, 1]));
  await put('/v1/kv/empty', '');
  const Definition = { HTTP: 'http://x', Interval: '10s', Header: { A: ['b'] } };
  await put('/v1/catalog/register', {
    Node: 'm',
    Address: '10.0.0.1',
    NodeMeta: { rack: 'ü' },
    Service: { ID: 'db1', Service: 'db', Port: 5432, Tags: ['x'], Weights: { Passing: 3 } },
    Check: { CheckID: 'c', Name: 'c', Status: 'passing', ServiceID: 'db1', Definition },
  });
  await put('/v1/catalog/register', {
    Node: 'm',
    SkipNodeUpdate: true,
    Address: '10.0.0.1',
    Service: {
      Kind: 'connect-proxy',
      Service: 'web-proxy',
      Port: 21000,
      Proxy: {
        DestinationServiceName: 'web',
        Config: { share: 0.5, none: null, list: [1, { deep: '' }] },
        Upstreams: [{ DestinationName: 'db', LocalBindPort: 1 }],
      },
    },
  });
  await ask('POST', '/v1/query', {
    body: { Name: 'geo-', Template: { Type: 'name_prefix_match' }, Service: { Service: 'db' } },
  });
  const session = { Node: 'm', Checks: [], TTL: '20s', LockDelay: '15s', Behavior: 'delete' };
  const { ID } = (await put('/v1/session/create', session)).json as { ID: string };
  await put(`/v1/kv/lock?acquire=${ID}`, 'me');
  await put('/v1/coordinate/update', {
    Node: 'm',
    Coord: { Vec: [0.1, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 },
  });
  await clock.advance(10_000);
  return ID;
}

const all = async ({ get }: TestServer) =>
  await Promise.all(READS.map(async (path) => (await get(path)).json));

describe('a snapshot over HTTP', () => {
  it('puts everything back as it was, with the indexes that it had', async () => {
    const server = await startServer();
    await fill(server);
    const before = await all(server);
    const archive = await save(server);
    await server.put('/v1/kv/a', 'changed');
    await server.put('/v1/kv/later', 'x');
    await server.del('/v1/kv/dir?recurse');
    await server.put('/v1/catalog/deregister', { Node: 'm' });
    await server.put('/v1/catalog/register', { Node: 'new', Address: '10.0.0.9' });
    assert.equal((await server.put('/v1/snapshot', archive)).status, 200);
    assert.deepEqual(await all(server), before);
  });

  it('is the same wherever it is put back, and later indexes go on beyond it', async () => {
    const from = await startServer();
    for (let i = 0; i < 50; i++) await from.put('/v1/kv/a', `${i}`);
    await fill(from);
    const to = await startServer();
    await to.put('/v1/kv/mine', '1');
    assert.equal((await to.put('/v1/snapshot', await save(from))).status, 200);
    assert.deepEqual(await all(to), await all(from));
    assert.equal((await to.get('/v1/kv/mine')).status, 404);
    await to.put('/v1/kv/next', '1');
    const [{ ModifyIndex } = { ModifyIndex: 0 }] = (await to.get('/v1/kv/next')).json as {
      ModifyIndex: number;
    }[];
    assert(ModifyIndex > from.server.state.index, `${ModifyIndex}`);
  });

  it('wakes whoever waits, with what is there now', async () => {
    const server = await startServer();
    await fill(server);
    const archive = await save(server);
    await server.put('/v1/kv/a', 'changed');
    await server.put('/v1/catalog/register', {
      Node: 'm2',
      Address: '10.0.0.2',
      Service: { Service: 'db' },
    });
    const waiting = await Promise.all(
      ['/v1/kv/a?raw', '/v1/kv/?keys', '/v1/health/service/db', '/v1/catalog/services'].map(
        async (path) => {
          const { index } = await server.get(path);
          const sign = path.includes('?') ? '&' : '?';
          return { path, woken: server.get(`${path}${sign}index=${index}&wait=9m`) };
        },
      ),
    );
    await server.put('/v1/snapshot', archive);
    for (const { path, woken } of waiting) {
      assert.equal((await woken).text, (await server.get(path)).text, path);
    }
  });

  it('changes nothing where it is damaged', async () => {
    const server = await startServer();
    await fill(server);
    const archive = await save(server);
    await server.put('/v1/kv/a', 'changed');
    const before = await all(server);
    const { index } = server.server.state;
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('this is no snapshot'),
      archive.subarray(0, archive.length - 1),
      archive.subarray(0, 400),
    ]) {
      const { status, text } = await server.put('/v1/snapshot', bytes);
      assert.equal(status, 500);
      assert.match(text, /^failed to (decompress|read) snapshot/);
    }
    assert.deepEqual(await all(server), before);
    assert.equal(server.server.state.index, index);
  });

  it('keeps the sessions that it restores for as long as they are renewed', async () => {
    const from = await startServer();
    const id = await fill(from);
    const to = await startServer();
    await to.put('/v1/snapshot', await save(from));
    const lives = async () =>
      ((await to.get(`/v1/session/info/${id}`)).json as unknown[]).length === 1;
    await to.clock.advance(19_000);
    assert.equal(await lives(), true);
    await to.clock.advance(60_000);
    assert.equal(await lives(), false, 'nobody renews it here');
  });

  it('says in the log what it could not restore', async () => {
    const logger = new RecordingLogger();
    const server = await startServer(logger);
    await server.put('/v1/snapshot', await save(server));
    assert.match(logger.lines.at(-1) ?? '', /server: 0 rows of snapshot 1-\d+-\d+ were restored$/);
  });
});

describe('two restores at a time', () => {
  it('are one after another: the second is told so', async () => {
    const server = await startServer();
    await fill(server);
    const archive = await save(server);
    const answers = await Promise.all([1, 2].map(() => server.put('/v1/snapshot', archive)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 429]);
  });

  it('are not both read: what is sent beside another is not even taken into memory', async () => {
    const server = await startServer();
    await fill(server);
    const archive = await save(server);
    const slow = await RawClient.connect(server.port);
    const head = `PUT /v1/snapshot HTTP/1.1\r\nHost: x\r\nContent-Length: ${archive.length}\r\n\r\n`;
    slow.send(head);
    const put = async () => (await server.put('/v1/snapshot', archive)).status;
    await until(async () => (await put()) === 429);
    // A place is nobody's for longer than he is there.
    slow.close();
    await until(async () => (await put()) === 200);
  });
});

describe('a restore whose sender has gone', () => {
  async function restoreWith(gone: AbortController, onPropose: (type: string) => void) {
    const server = await startServer();
    await fill(server);
    const archive = await save(server);
    const propose = async ({ type }: Command) => {
      onPropose(type);
      return { applied: true };
    };
    const restorer = new Restorer({
      datacenter: 'dc1',
      propose,
      state: () => new State(),
      random: seededRandom(1),
      logger: new RecordingLogger(),
    });
    const read = async () => archive;
    return restorer.restore({ read, gone: gone.signal, begin: propose });
  }

  it('is not begun', async () => {
    const gone = new AbortController();
    gone.abort();
    const proposed: string[] = [];
    const restored = restoreWith(gone, (type) => proposed.push(type));
    await assert.rejects(restored, { code: 'unavailable' });
    assert.deepEqual(proposed, []);
  });

  it('is ended where it was begun', async () => {
    const gone = new AbortController();
    const proposed: string[] = [];
    await restoreWith(gone, (type) => {
      proposed.push(type);
      gone.abort();
    });
    assert.deepEqual([proposed[0], proposed.at(-1)], ['begin-restore', 'end-restore']);
  });
});
