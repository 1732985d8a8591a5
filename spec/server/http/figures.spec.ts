/** What is worked out of a large service: for many who ask at once, and for those who go. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { Reader } from '../../../server/query/reader.ts';
import { availabilityOf } from '../../../server/query/service-availability.ts';
import { webOn } from '../../support/factories.ts';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { startServer, startServerWith } from '../../support/servers/start-server.ts';
import { Turns } from '../../support/turns.ts';
import { until } from '../../support/until.ts';

describe('figures of a service', () => {
  const MANY = '/v1/internal/availability/service/web?steps=100';

  /** Of some instances on a node with a hundred changes: a figure takes three slices. */
  async function withChanges() {
    const started = await startServer();
    const { put } = started;
    const at = { Node: 'a', Address: '10.0.0.1' };
    for (let n = 0; n < 100; n++) {
      const Status = n % 2 === 0 ? 'passing' : 'critical';
      await put('/v1/catalog/register', { ...at, Check: { CheckID: 'n', Name: 'n', Status } });
    }
    for (let n = 0; n < 60; n++) {
      await put('/v1/catalog/register', { ...at, Service: { ID: `web-${n}`, Service: 'web' } });
    }
    return started;
  }

  it('are made in slices, between which all else goes on, and of an address one at a time', async () => {
    const { get, put } = await withChanges();
    let asked = 0;
    const figures = Array.from({ length: 60 }, async () => {
      const { status } = await get(MANY);
      asked++;
      return status;
    });
    await until(() => asked > 0);
    const { status } = await put('/v1/kv/large', Buffer.alloc(100_000));
    assert.equal(status, 200);
    // Other slices are between its own, and not all that was asked for before.
    assert(asked < 50, `${asked} were made before a write`);
    const turns = new Turns();
    assert.deepEqual(new Set(await Promise.all(figures)), new Set([200]));
    assert(turns.stop() >= 20);
  });

  it('are not made for one who closes his side while he waits for them', async () => {
    const { get, port } = await withChanges();
    const others = Array.from({ length: 10 }, () => get(MANY));
    const client = await RawClient.connect(port);
    client.send(getText(MANY));
    client.end();
    await client.ended();
    assert.equal(client.unread, 0);
    for (const { status } of await Promise.all(others)) assert.equal(status, 200);
  });

  it('are told to one who has closed his side where he has not to wait', async () => {
    const { put, port } = await startServer();
    await put('/v1/catalog/register', webOn('a'));
    const client = await RawClient.connect(port);
    client.send(getText('/v1/internal/availability/service/web'));
    client.end();
    assert.match((await client.answer()).head, /^HTTP\/1\.1 200/);
  });

  for (const path of ['availability', 'performance']) {
    it(`are told to who listens in one line, also where JSON is for people: ${path}`, async () => {
      const { put, port } = await startServer();
      await put('/v1/catalog/register', webOn('a'));
      const client = await RawClient.connect(port);
      client.send(getText(`/v1/internal/${path}/service/web?stream&pretty`));
      await until(() => client.rest().includes('}\n\r\n'));
      const [, size = '', line = ''] =
        /\r\n\r\n([0-9a-f]+)\r\n(.*)\n\r\n$/.exec(client.rest()) ?? [];
      assert.equal(Number.parseInt(size, 16), line.length + 1);
      assert.equal(typeof JSON.parse(line).Time, 'string');
    });
  }

  it('are those of a moment, whatever is written while they are made', async () => {
    const { get, put, clock, server } = await withChanges();
    await clock.advance(60_000);
    const before = (await get(MANY)).json as { Time: string; Windows: unknown };
    const asked = get(MANY);
    const writes = Array.from({ length: 30 }, (_, n) =>
      put('/v1/catalog/deregister', { Node: 'a', ServiceID: `web-${2 * n}` }),
    );
    const { Windows } = (await asked).json as { Windows: unknown };
    await Promise.all(writes);
    assert.deepEqual(Windows, before.Windows);
    assert.equal([...server.state.catalog.instancesOf('web')].length, 30);
  });

  async function withWide() {
    const access = new FakeAccess({ reader: '' });
    const started = await startServerWith({ access });
    const at = { Node: 'a', Address: '10.0.0.1' };
    await Promise.all(
      Array.from({ length: 500 }, (_, n) =>
        started.put(
          '/v1/catalog/register',
          { ...at, Service: { ID: `wide-${n}`, Service: 'wide' } },
          withToken(MASTER),
        ),
      ),
    );
    return { ...started, access };
  }

  it('count what they pass over for one who may not see it: it takes its time too', async () => {
    const { server, access, clock } = await withWide();
    const { rights } = await access.callerOf('reader');
    const asked = { service: 'wide', now: clock.now(), instances: 1, steps: 0 };
    let steps = 0;
    for (const cost of availabilityOf(new Reader(server.state, rights), asked)) {
      assert(cost < 64 * 1024);
      steps++;
    }
    assert(steps >= 500);
  });

  it('and changes are looked for once in a turn for an address, whatever is asked of them', async () => {
    const { server, get } = await withWide();
    const { answers } = server.deps;
    let [before, most, isOver] = [answers.evaluations, 0, false];
    const look = () => {
      most = Math.max(most, answers.evaluations - before);
      before = answers.evaluations;
      if (!isOver) setImmediate(look);
    };
    setImmediate(look);
    const agent = new Agent({ keepAlive: true });
    const ask = (round: number) =>
      Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          get(`/v1/internal/history/service/wide?since=${round}${n}`, {
            agent,
            ...withToken('reader'),
          }),
        ),
      );
    // By connections that are there, all come in one turn.
    await ask(1);
    most = 0;
    for (const { status } of await ask(2)) assert.equal(status, 200);
    isOver = true;
    agent.destroy();
    assert.equal(most, 1);
  });
});
