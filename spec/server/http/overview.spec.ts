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
  readonly Since: string;
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
  const MARK = 'x-proconsul-mark';
  const marked = async (get: TestServer['get'], query = '', options = {}) => {
    const { json, index, headers } = await get(`${SERVICES}${query}`, options);
    return { json, index, mark: String(headers[MARK] ?? '') };
  };

  it('tells what has changed since alone, and whom that leaves out', async () => {
    const { put, get, instance } = await began();
    await instance('m1', 'pay', 'passing');
    await instance('m1', 'shop', 'passing');
    const { index, json, mark } = await marked(get);
    assert.deepEqual(
      (json as Row[]).map(({ Name }) => Name),
      ['pay', 'shop'],
    );
    const waiting = marked(get, `?index=${index}&since=${mark}`);
    await instance('m1', 'pay', 'critical');
    const next = await waiting;
    const { Since, Changed, Gone } = next.json as Changes;
    assert.deepEqual([Since, Gone], [mark, []]);
    assert.deepEqual(
      Changed.map(({ Name, Critical }) => [Name, Critical]),
      [['pay', 1]],
    );
    await put('/v1/catalog/deregister', { Node: 'm1', ServiceID: 'shop' });
    const { json: last } = await marked(get, `?since=${next.mark}`);
    assert.deepEqual(last, { Since: next.mark, Changed: [], Gone: ['shop'] });
  });

  it('wakes whoever waits where nothing that is told has changed, and tells nothing', async () => {
    const { register, get, instance } = await began();
    await instance('m1', 'pay', 'passing');
    const { index, mark } = await marked(get);
    const waiting = marked(get, `?index=${index}&since=${mark}`);
    const Check = { CheckID: 'pay:c', Name: 'c', ServiceID: 'pay', Status: 'passing', Output: 'x' };
    await register('m1', { Check });
    const next = await waiting;
    assert.deepEqual(next.json, { Since: mark, Changed: [], Gone: [] });
    assert.equal(next.mark, mark);
  });

  it('tells all where it is not known what has changed, and of what a filter leaves', async () => {
    const { get, instance } = await began();
    await instance('m1', 'pay', 'passing');
    await instance('m1', 'shop', 'passing');
    const { mark } = await marked(get);
    const filter = `filter=${encodeURIComponent('Service.Service == "pay"')}`;
    for (const query of ['?since=1', '?since=', `?since=${mark}&${filter}`, '?since=x']) {
      assert.ok(Array.isArray((await get(`${SERVICES}${query}`)).json), query);
    }
    assert.equal((await marked(get, `?${filter}`)).mark, '');
    assert.ok(Array.isArray((await get(`${NODES}?since=${mark}`)).json), 'a mark of services');
  });

  it('tells all to whoever was told by another server', async () => {
    const [here, there] = [await began(), await began()];
    for (const { instance } of [here, there]) await instance('m1', 'pay', 'passing');
    const ours = await marked(here.get);
    const { mark } = await marked(there.get, `?index=${ours.index - 1}`);
    const { json } = await marked(here.get, `?index=${ours.index - 1}&since=${mark}`);
    assert.deepEqual(json, ours.json);
  });

  const access = {
    part: 'service "pay" { policy = "read" } node_prefix "" { policy = "read" }',
    reads: 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
  };
  async function guarded() {
    const server = await startServerWith({ access: new FakeAccess(access) });
    for (const Service of ['pay', 'shop']) {
      const body = { Node: 'm1', Address: '10.0.0.1', Service: { Service } };
      await server.put('/v1/catalog/register', body, withToken(MASTER));
    }
    return server;
  }

  it('gives no mark to whoever may not see all of it, so that all is told once it may', async () => {
    const { get } = await guarded();
    const { mark, json } = await marked(get, '', withToken('part'));
    assert.deepEqual([mark, (json as Row[]).length], ['', 1]);
    const whole = await marked(get, '', withToken('reads'));
    const later = await marked(get, `?since=${whole.mark}`, withToken('part'));
    assert.deepEqual([later.mark, later.json], ['', json]);
  });

  it('tells what has changed to whoever may read all of it, and no more than that', async () => {
    const { get } = await guarded();
    for (const path of [SERVICES, NODES]) {
      const { headers } = await get(path, withToken('reads'));
      const { json } = await get(`${path}?since=${headers[MARK]}`, withToken('reads'));
      assert.deepEqual(json, { Since: headers[MARK], Changed: [], Gone: [] });
    }
  });
});

/** As one who was told all once, and of changes since. */
class Follower {
  #mark = '';
  readonly #rows = new Map<string, Row>();
  readonly #path: string;
  readonly #nameOf: (row: Row) => string;

  constructor(path: string, nameOf: (row: Row) => string) {
    this.#path = path;
    this.#nameOf = nameOf;
  }

  async follow(get: TestServer['get']): Promise<readonly Row[]> {
    const { json, headers } = await get(`${this.#path}?since=${this.#mark}`);
    this.#mark = String(headers['x-proconsul-mark'] ?? '');
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
