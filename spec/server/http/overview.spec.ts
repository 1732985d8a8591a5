import assert from 'node:assert/strict';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';
import { startServer, startServerWith } from '../../support/servers/start-server.ts';

interface Row {
  readonly Name?: string;
  readonly Node?: string;
  readonly Status?: string;
  readonly Tags: readonly string[];
  readonly Sources: readonly string[];
  readonly HasProxy: boolean;
  readonly Passing: number;
  readonly Warning: number;
  readonly Critical: number;
  readonly Maintenance: number;
  readonly Since: string | null;
}

const SERVICES = '/v1/internal/overview/services';
const NODES = '/v1/internal/overview/nodes';

async function began() {
  const server = await startServer();
  const { put, get, clock } = server;
  const register = (Node: string, body: object = {}) =>
    put('/v1/catalog/register', { Node, Address: '10.0.0.1', ...body });
  const instance = (Node: string, Service: string, status: string, more: object = {}) =>
    register(Node, {
      Service: { Service, ID: Service, ...more },
      Check: { CheckID: `${Service}:c`, Name: 'c', ServiceID: Service, Status: status },
    });
  const all = async (path = SERVICES) => (await get(path)).json as Row[];
  const only = async (path = SERVICES) => {
    const [row, ...others] = await all(path);
    assert.ok(row);
    assert.deepEqual(others, []);
    return row;
  };
  const counts = (row: Row) => [row.Passing, row.Warning, row.Critical, row.Maintenance];
  return { clock, put, get, register, instance, all, only, counts };
}

describe('GET /v1/internal/overview/services', () => {
  it('counts instances, and not checks, by the worst of what counts for them', async () => {
    const { instance, register, only, counts } = await began();
    for (const [i, status] of ['passing', 'passing', 'warning', 'critical'].entries()) {
      await instance(`m${i}`, 'pay', status);
    }
    assert.deepEqual(counts(await only()), [2, 1, 1, 0]);
    await register('m0', { Check: { CheckID: 'disk', Name: 'disk', Status: 'critical' } });
    assert.deepEqual(counts(await only()), [1, 1, 2, 0]);
    const CheckID = '_service_maintenance:pay';
    await register('m1', { Check: { CheckID, Name: 'm', Status: 'critical', ServiceID: 'pay' } });
    assert.deepEqual(counts(await only()), [0, 1, 2, 1]);
  });

  it('says since when not all of them pass', async () => {
    const { instance, only, clock } = await began();
    await instance('m1', 'pay', 'passing');
    assert.equal((await only()).Since, null);
    await instance('m1', 'pay', 'critical');
    const since = new Date(clock.now()).toISOString();
    await clock.advance(60_000);
    await instance('m2', 'pay', 'warning');
    assert.equal((await only()).Since, since);
    await instance('m1', 'pay', 'passing');
    assert.equal((await only()).Since, new Date(clock.now()).toISOString());
  });

  it('says what they are, in whatever case their names are spelt', async () => {
    const { instance, all } = await began();
    await instance('m1', 'pay', 'passing', { Tags: ['b'], Meta: { 'proconsul-source': 'docker' } });
    await instance('m2', 'PAY', 'passing', { Tags: ['a', 'b'] });
    await instance('m2', 'pay-proxy', 'passing', {
      Kind: 'connect-proxy',
      Port: 1,
      Proxy: { DestinationServiceName: 'pay' },
    });
    const [pay, proxy] = await all();
    assert.deepEqual(
      [pay?.Name, pay?.Tags, pay?.Sources, pay?.HasProxy, pay?.Passing],
      ['pay', ['a', 'b'], ['docker'], true, 2],
    );
    assert.deepEqual([proxy?.Name, proxy?.HasProxy], ['pay-proxy', false]);
  });

  it('counts what a filter leaves, and waits for changes', async () => {
    const { instance, get, all } = await began();
    await instance('m1', 'pay', 'passing', { Tags: ['blue'] });
    await instance('m2', 'pay', 'critical');
    const path = `${SERVICES}?filter=${encodeURIComponent('Service.Tags contains blue')}`;
    assert.deepEqual(
      (await all(path)).map(({ Passing, Critical }) => [Passing, Critical]),
      [[1, 0]],
    );
    const { index } = await get(SERVICES);
    const waiting = get(`${SERVICES}?index=${index}`);
    await instance('m1', 'pay', 'warning');
    assert.equal(((await waiting).json as Row[])[0]?.Warning, 1);
  });

  it('leaves out what may not be seen', async () => {
    const rules = 'node_prefix "" { policy = "read" } service "pay" { policy = "read" }';
    const access = new FakeAccess({ t: rules });
    const { put, get } = await startServerWith({ access });
    for (const Service of ['pay', 'shop']) {
      const body = { Node: 'm1', Address: '10.0.0.1', Service: { Service } };
      assert.equal((await put('/v1/catalog/register', body, withToken(MASTER))).status, 200);
    }
    const { json } = await get(SERVICES, withToken('t'));
    assert.deepEqual(
      (json as Row[]).map(({ Name }) => Name),
      ['pay'],
    );
  });
});

describe('GET /v1/internal/overview/nodes', () => {
  it("tells a node's own status from that of the instances on it", async () => {
    const { instance, register, all, counts } = await began();
    await register('m1');
    await instance('m2', 'pay', 'passing');
    await instance('m2', 'shop', 'critical');
    await register('m2', { Check: { CheckID: 'disk', Name: 'disk', Status: 'warning' } });
    const rows = await all(NODES);
    assert.deepEqual(
      rows.map((row) => [row.Node, row.Status, ...counts(row), row.Since !== null]),
      [
        ['m1', 'none', 0, 0, 0, 0, false],
        ['m2', 'warning', 0, 1, 1, 0, true],
      ],
    );
    const named = await all(`${NODES}?filter=${encodeURIComponent('Node == "m2"')}`);
    assert.equal(named.length, 1);
  });
});

describe('what is reckoned anew of what has changed alone', () => {
  it(`comes to what all of it comes to (seed ${SEED})`, async () => {
    const { put, instance, register, all, clock } = await began();
    const random = seededRandom(SEED);
    const some = (of: readonly string[]) => of[Math.floor(random.next() * of.length)] ?? '';
    const nodes = ['m1', 'm2', 'm3'];
    const services = ['pay', 'PAY', 'shop', 'db'];
    const statuses = ['passing', 'warning', 'critical'];
    const changes = [
      () => instance(some(nodes), some(services), some(statuses)),
      () => register(some(nodes), { NodeMeta: { rack: some(statuses) } }),
      () =>
        register(some(nodes), { Check: { CheckID: 'disk', Name: 'd', Status: some(statuses) } }),
      () => put('/v1/catalog/deregister', { Node: some(nodes), ServiceID: some(services) }),
      () => put('/v1/catalog/deregister', { Node: some(nodes), CheckID: 'disk' }),
      () => put('/v1/catalog/deregister', { Node: some(nodes) }),
      () =>
        instance(some(nodes), 'pay-proxy', 'passing', {
          Kind: 'connect-proxy',
          Port: 1,
          Proxy: { DestinationServiceName: some(services) },
        }),
    ];
    for (let i = 0; i < 120; i++) {
      await changes[Math.floor(random.next() * changes.length)]?.();
      await clock.advance(1000);
      const whole = encodeURIComponent('Service.Service != "-"');
      assert.deepEqual(await all(), await all(`${SERVICES}?filter=${whole}`), `services, ${i}`);
      const wholeNodes = encodeURIComponent('Node != "-"');
      assert.deepEqual(await all(NODES), await all(`${NODES}?filter=${wholeNodes}`), `nodes, ${i}`);
    }
  });
});
