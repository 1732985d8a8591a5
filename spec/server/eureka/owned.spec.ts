import assert from 'node:assert/strict';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { type Applications, instanceOf, JSON_FORM } from './instances.ts';

async function start() {
  const one = await startServer();
  const eureka = await startEureka(one);
  const post = (app: string, over: object = {}) =>
    eureka.ask('POST', `/eureka/apps/${app}`, {
      headers: { 'Content-Type': 'application/json' },
      body: instanceOf(app, over),
    });
  const instances = async (path = '/eureka/apps') => {
    const { json } = await eureka.ask('GET', path, { headers: JSON_FORM });
    return (json as Applications).applications.application.flatMap(({ instance }) => instance);
  };
  const statuses = async (path?: string) => (await instances(path)).map(({ status }) => status);
  const passing = async () =>
    ((await one.get('/v1/health/service/shop?passing')).json as unknown[]).length;
  const register = (over: object) =>
    one.put('/v1/catalog/register', { Node: 'h1', SkipNodeUpdate: true, ...over });
  return { ...one, eureka, post, instances, statuses, passing, register };
}

const LEASE = 'service:h1:shop';

describe('What came by Eureka, changed by what Consul offers', () => {
  it('is refused another port, name or meta, and takes what it says already', async () => {
    const { post, get, register } = await start();
    await post('SHOP');
    const [row] = (await get('/v1/health/service/shop')).json as [{ Service: object }];
    const Service = row.Service;
    for (const over of [{ Port: 9 }, { Service: 'cart' }, { Meta: null }, { Tags: ['v2'] }]) {
      const { status, text } = await register({ Service: { ...Service, ...over } });
      const why = 'service "h1:shop" came by Eureka, and is changed there';
      assert.deepEqual([status, text], [500, `failed inserting service: ${why}`]);
    }
    assert.equal((await register({ Service })).status, 200);
    assert.deepEqual((await get('/v1/health/service/shop')).json, [row]);
  });

  it("keeps its lease's check: as it is, and for as long as the instance is there", async () => {
    const { post, put, register, statuses, passing } = await start();
    await post('SHOP');
    const Check = { CheckID: LEASE, Name: 'c', Status: 'critical', ServiceID: 'h1:shop' };
    const why = `check "${LEASE}" came by Eureka, and is changed there`;
    const said = await register({ Check });
    const prefix = 'failed inserting check: ';
    assert.deepEqual([said.status, said.text], [500, `${prefix}${why} on node "h1"`]);
    assert.equal((await register({ Check: { ...Check, ServiceID: '' } })).status, 500);
    const gone = await put('/v1/catalog/deregister', { Node: 'h1', CheckID: LEASE });
    assert.deepEqual([gone.status, gone.text], [500, why]);
    assert.deepEqual([await statuses(), await passing()], [['UP'], 1]);
  });

  it('is refused in a transaction, which says which operation it was', async () => {
    const { post, put, instances } = await start();
    await post('SHOP');
    const Service = { ID: 'h1:shop', Service: 'shop', Port: 9 };
    const ops = [
      { KV: { Verb: 'set', Key: 'k', Value: '' } },
      { Service: { Verb: 'set', Node: 'h1', Service } },
      { Check: { Verb: 'delete', Check: { Node: 'h1', CheckID: LEASE } } },
    ];
    const { status, json } = await put('/v1/txn', ops);
    const { Errors } = json as { Errors: { OpIndex: number; What: string }[] };
    assert.equal(status, 409);
    assert.deepEqual(
      Errors.map(({ OpIndex, What }) => [OpIndex, /came by Eureka/.test(What)]),
      [
        [1, true],
        [2, true],
      ],
    );
    assert.equal((await instances())[0]?.port.$, 8080);
  });

  it('may have further checks, which count for both', async () => {
    const { post, put, register, statuses, passing } = await start();
    await post('SHOP');
    const Check = { CheckID: 'c', Name: 'c', Status: 'critical', ServiceID: 'h1:shop' };
    await register({ Check });
    assert.deepEqual([await statuses(), await passing()], [['DOWN'], 0]);
    assert.deepEqual(await statuses('/eureka/apps/delta'), ['DOWN']);
    await put('/v1/catalog/deregister', { Node: 'h1', CheckID: 'c' });
    assert.deepEqual([await statuses(), await passing()], [['UP'], 1]);
    assert.deepEqual(await statuses('/eureka/apps/delta'), ['UP']);
  });

  it('is out of service with its node', async () => {
    const { post, register, statuses, eureka } = await start();
    await post('SHOP');
    await register({ Check: { CheckID: '_node_maintenance', Name: 'm', Status: 'critical' } });
    assert.deepEqual(await statuses(), ['OUT_OF_SERVICE']);
    const one = await eureka.ask('GET', '/eureka/apps/SHOP/h1:shop', { headers: JSON_FORM });
    assert.match(one.text, /"status":"OUT_OF_SERVICE"/);
  });

  it('moves away where an agent comes to its node, which would take it out', async () => {
    const { post, get, put, statuses, eureka } = await start();
    await post('SHOP');
    const ID = '00000000-0000-4000-a000-000000000001';
    const agent = { Node: 'h1', ID, Address: '10.0.0.1' };
    // Whose own service may have the same id.
    const Service = { ID: 'h1:shop', Service: 'db', Port: 1 };
    assert.equal((await put('/v1/catalog/register', { ...agent, Service })).status, 200);
    const nodesOf = async (name: string) =>
      ((await get(`/v1/catalog/service/${name}`)).json as { Node: string }[]).map((x) => x.Node);
    assert.deepEqual([await nodesOf('shop'), await nodesOf('db')], [['eureka-10.0.0.1'], ['h1']]);
    assert.deepEqual((await get('/v1/health/node/h1')).json, []);
    assert.deepEqual(await statuses(), ['UP', 'UP']);
    assert.equal((await eureka.ask('PUT', '/eureka/apps/SHOP/h1:shop')).status, 200);
  });
});

describe("An instance of Consul's and one of Eureka's that are known by one id", () => {
  const web = {
    Node: 'h1',
    Address: '10.0.0.9',
    Service: { ID: 'web:80', Service: 'web', Port: 1 },
  };

  it('are one to those who ask Eureka: what its client says of itself, for as long as it does', async () => {
    const { post, put, eureka, instances } = await start();
    await put('/v1/catalog/register', web);
    assert.equal((await instances())[0]?.port.$, 1);
    await post('WEB', { instanceId: 'h1:web:80' });
    const there = await instances();
    assert.deepEqual(
      there.map(({ instanceId, port }) => [instanceId, port.$]),
      [['h1:web:80', 8080]],
    );
    await eureka.ask('DELETE', '/eureka/apps/WEB/h1:web:80');
    const [seen, ...others] = await instances('/eureka/apps/delta');
    assert.deepEqual([seen?.port.$, seen?.actionType, others.length], [1, 'ADDED', 0]);
    assert.equal((await instances('/eureka/vips/web')).length, 1);
  });

  it('are one also to who comes second by Consul, and goes first', async () => {
    const { post, put, instances } = await start();
    await post('WEB', { instanceId: 'h1:web:80' });
    await put('/v1/catalog/register', web);
    assert.deepEqual(
      (await instances()).map(({ port }) => port.$),
      [8080],
    );
    await put('/v1/catalog/register', { ...web, Node: 'h2' });
    assert.equal((await instances()).length, 2);
    await put('/v1/catalog/deregister', { Node: 'h1', ServiceID: 'web:80' });
    const told = await instances('/eureka/apps/delta');
    assert.deepEqual(
      told.map(({ instanceId, actionType }) => `${instanceId} ${actionType}`),
      ['h1:web:80 ADDED', 'h2:web:80 ADDED'],
    );
  });
});

describe('An application whose name has no upper case of its own', () => {
  it('is listed as it is written, and found so', async () => {
    const { put, eureka, instances } = await start();
    for (const Service of ['straße', 'grün']) {
      await put('/v1/catalog/register', { Node: 'n', Address: '10.0.0.1', Service: { Service } });
    }
    assert.deepEqual((await instances()).map(({ app }) => app).sort(), ['GRÜN', 'straße']);
    for (const app of ['stra%C3%9Fe', 'gr%C3%BCn', 'GR%C3%9CN']) {
      assert.equal((await eureka.ask('GET', `/eureka/apps/${app}`)).status, 200, app);
    }
  });
});
