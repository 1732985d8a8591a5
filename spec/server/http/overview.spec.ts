import assert from 'node:assert/strict';
import { fold } from '../../../server/state/topic-names.ts';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';
import {
  startServer,
  startServerWith,
  type TestServer,
} from '../../support/servers/start-server.ts';

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

interface Changes {
  readonly Since: number;
  readonly Changed: readonly Row[];
  readonly Gone: readonly string[];
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

describe('?since', () => {
  it('tells what has changed since alone, and whom that leaves out', async () => {
    const { put, get, instance } = await began();
    await instance('m1', 'pay', 'passing');
    await instance('m1', 'shop', 'passing');
    const { index, json } = await get(SERVICES);
    assert.deepEqual(
      (json as Row[]).map(({ Name }) => Name),
      ['pay', 'shop'],
    );
    const waiting = get(`${SERVICES}?index=${index}&since=${index}`);
    await instance('m1', 'pay', 'critical');
    const next = await waiting;
    const { Since, Changed, Gone } = next.json as Changes;
    assert.deepEqual([Since, Gone], [index, []]);
    assert.deepEqual(
      Changed.map(({ Name, Critical }) => [Name, Critical]),
      [['pay', 1]],
    );
    await put('/v1/catalog/deregister', { Node: 'm1', ServiceID: 'shop' });
    const { json: last } = await get(`${SERVICES}?since=${next.index}`);
    assert.deepEqual(last, { Since: next.index, Changed: [], Gone: ['shop'] });
  });

  it('wakes whoever waits where nothing that is told has changed, and tells nothing', async () => {
    const { register, get, instance } = await began();
    await instance('m1', 'pay', 'passing');
    const { index } = await get(SERVICES);
    const waiting = get(`${SERVICES}?index=${index}&since=${index}`);
    const Check = { CheckID: 'pay:c', Name: 'c', ServiceID: 'pay', Status: 'passing', Output: 'x' };
    await register('m1', { Check });
    assert.deepEqual((await waiting).json, { Since: index, Changed: [], Gone: [] });
  });

  it('tells all where it is not known what has changed, and of what a filter leaves', async () => {
    const { get, instance } = await began();
    await instance('m1', 'pay', 'passing');
    await instance('m1', 'shop', 'passing');
    const filter = encodeURIComponent('Service.Service == "pay"');
    for (const query of ['?since=1', '?since=0', `?since=9&filter=${filter}`]) {
      assert.ok(Array.isArray((await get(`${SERVICES}${query}`)).json), query);
    }
    for (const path of [SERVICES, NODES]) {
      const { status, text } = await get(`${path}?since=x`);
      assert.deepEqual([status, text], [400, 'Invalid since']);
    }
  });

  it('tells all to whoever may not see all of it', async () => {
    const access = new FakeAccess({
      t: 'service "pay" { policy = "read" } node_prefix "" { policy = "read" }',
    });
    const { put, get } = await startServerWith({ access });
    const body = { Node: 'm1', Address: '10.0.0.1', Service: { Service: 'pay' } };
    await put('/v1/catalog/register', body, withToken(MASTER));
    const { index } = await get(SERVICES, withToken('t'));
    const { json } = await get(`${SERVICES}?since=${index}`, withToken('t'));
    assert.ok(Array.isArray(json));
  });
});

/** As one who was told all once, and of changes since. */
class Follower {
  #index = 0;
  readonly #rows = new Map<string, Row>();
  readonly #path: string;
  readonly #nameOf: (row: Row) => string;

  constructor(path: string, nameOf: (row: Row) => string) {
    this.#path = path;
    this.#nameOf = nameOf;
  }

  async follow(get: TestServer['get']): Promise<readonly Row[]> {
    const { json, index } = await get(`${this.#path}?since=${this.#index}`);
    this.#index = index;
    if (Array.isArray(json)) this.#rows.clear();
    const { Changed = json as Row[], Gone = [] } = json as Partial<Changes>;
    for (const name of Gone) this.#rows.delete(name);
    for (const row of Changed) this.#rows.set(this.#nameOf(row), row);
    const names = [...this.#rows.keys()].sort((a, b) => (fold(a) < fold(b) ? -1 : 1));
    return names.map((name) => this.#rows.get(name) as Row);
  }
}

describe('what is reckoned anew of what has changed alone', () => {
  it(`comes to what all of it comes to, and so does what is told of changes (seed ${SEED})`, async () => {
    const { put, get, instance, register, all, clock } = await began();
    // One looks each time, and one seldom.
    const [often, seldom] = [0, 1].map(() => new Follower(SERVICES, ({ Name }) => Name ?? ''));
    const ofNodes = new Follower(NODES, ({ Node }) => Node ?? '');
    const random = seededRandom(SEED);
    const some = (of: readonly string[]) => of[Math.floor(random.next() * of.length)] ?? '';
    const machines = ['m1', 'm2', 'M2', 'm3'];
    const names = ['pay', 'PAY', 'shop', 'db'];
    const statuses = ['passing', 'warning', 'critical'];
    const changes = [
      () => instance(some(machines), some(names), some(statuses)),
      () => register(some(machines), { NodeMeta: { rack: some(statuses) } }),
      () =>
        register(some(machines), { Check: { CheckID: 'disk', Name: 'd', Status: some(statuses) } }),
      () => put('/v1/catalog/deregister', { Node: some(machines), ServiceID: some(names) }),
      () => put('/v1/catalog/deregister', { Node: some(machines), CheckID: 'disk' }),
      () => put('/v1/catalog/deregister', { Node: some(machines) }),
      () =>
        instance(some(machines), 'pay-proxy', 'passing', {
          Kind: 'connect-proxy',
          Port: 1,
          Proxy: { DestinationServiceName: some(names) },
        }),
    ];
    for (let i = 0; i < 70; i++) {
      await changes[Math.floor(random.next() * changes.length)]?.();
      await clock.advance(1000);
      const whole = encodeURIComponent('Service.Service != "-"');
      const services = await all(`${SERVICES}?filter=${whole}`);
      assert.deepEqual(await all(), services, `services, ${i}`);
      assert.deepEqual(await often?.follow(get), services, `services, told, ${i}`);
      if (i % 7 === 0) assert.deepEqual(await seldom?.follow(get), services, `told of many, ${i}`);
      const wholeNodes = encodeURIComponent('Node != "-"');
      const nodes = await all(`${NODES}?filter=${wholeNodes}`);
      assert.deepEqual(await all(NODES), nodes, `nodes, ${i}`);
      assert.deepEqual(await ofNodes.follow(get), nodes, `nodes, told, ${i}`);
    }
  });
});
