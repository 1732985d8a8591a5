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
  const apps = async (path = '/eureka/apps') => {
    const { status, json } = await eureka.ask('GET', path, { headers: JSON_FORM });
    assert.equal(status, 200);
    return (json as Applications).applications;
  };
  const instances = async (path?: string) =>
    (await apps(path)).application.flatMap(({ instance }) => instance);
  return { ...one, eureka, post, apps, instances };
}

interface Row {
  readonly Service: { readonly ID: string; readonly Address: string; readonly Port: number };
  readonly Node: { readonly Node: string; readonly Address: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

describe("a Eureka client's instance in the catalog", () => {
  it('is a passing instance of the service, on a node of its host', async () => {
    const { post, get } = await start();
    assert.equal((await post('SHOP')).status, 204);
    const [row] = (await get('/v1/health/service/shop?passing')).json as Row[];
    assert.deepEqual(
      [row?.Service.ID, row?.Service.Address, row?.Service.Port, row?.Node.Node, row?.Node.Address],
      ['h1:shop', '10.0.0.1', 8080, 'h1', '10.0.0.1'],
    );
  });

  it('never writes the node of an agent', async () => {
    const { post, put, get } = await start();
    await put('/v1/catalog/register', { Node: 'h1', Address: '10.9.9.9' });
    await post('SHOP');
    const [row] = (await get('/v1/health/service/shop')).json as Row[];
    assert.equal(row?.Node.Node, 'eureka-10.0.0.1');
    assert.equal(((await get('/v1/catalog/node/h1')).json as Row).Node.Address, '10.9.9.9');
  });

  it('has what Consul allows of its metadata, and all of it where Eureka asks', async () => {
    const { post, get, instances } = await start();
    const metadata = { 'management.port': '8081', long: 'x'.repeat(600) };
    await post('SHOP', { metadata });
    const [row] = (await get('/v1/catalog/service/shop')).json as { ServiceMeta: object }[];
    assert.deepEqual(row?.ServiceMeta, { 'external-source': 'eureka', 'management-port': '8081' });
    assert.deepEqual((await instances())[0]?.metadata, metadata);
  });

  it('is gone from both, with its node, when either takes it out', async () => {
    const { post, put, get, instances } = await start();
    await post('SHOP');
    await put('/v1/catalog/deregister', { Node: 'h1', ServiceID: 'h1:shop' });
    assert.deepEqual(await instances(), []);
    assert.equal((await get('/v1/catalog/node/h1')).text.trim(), 'null');
  });

  it('is in maintenance when it is out of service, and the other way round', async () => {
    const { eureka, post, put, get, instances } = await start();
    await post('SHOP');
    const status = '/eureka/apps/SHOP/h1:shop/status';
    await eureka.ask('PUT', `${status}?value=OUT_OF_SERVICE`);
    assert.deepEqual((await get('/v1/health/service/shop?passing')).json, []);
    const CheckID = '_service_maintenance:h1:shop';
    await put('/v1/catalog/deregister', { Node: 'h1', CheckID });
    assert.equal((await instances())[0]?.status, 'UP');
    const Check = { CheckID, Name: 'm', Status: 'critical', ServiceID: 'h1:shop' };
    await put('/v1/catalog/register', { Node: 'h1', Address: '10.0.0.1', Check });
    const [seen] = await instances();
    assert.deepEqual([seen?.status, seen?.overriddenStatus], ['OUT_OF_SERVICE', 'OUT_OF_SERVICE']);
  });

  it('stands beside one of another app that has the same id on the same host', async () => {
    const { post, get } = await start();
    await post('SHOP', { instanceId: 'h1' });
    await post('CART', { instanceId: 'h1' });
    const ids = async (name: string) =>
      ((await get(`/v1/health/service/${name}`)).json as Row[]).map(({ Service }) => Service.ID);
    assert.deepEqual([await ids('shop'), await ids('cart')], [['h1'], ['cart:h1']]);
  });

  it('wakes nobody when it registers again with what it has said', async () => {
    const { post, get, server } = await start();
    await post('SHOP');
    const { index } = await get('/v1/health/service/shop');
    const { position } = server.state;
    await post('SHOP');
    assert.equal((await get('/v1/health/service/shop')).index, index);
    assert.equal(server.state.position, position, 'not even an entry');
  });
});

describe("Consul's services for Eureka's clients", () => {
  const web = (over: object = {}) => ({
    Node: 'n7',
    Address: '10.7.7.7',
    Service: { ID: 'w1', Service: 'web', Port: 80 },
    Check: { CheckID: 'c', Name: 'c', Status: 'passing', ServiceID: 'w1', ...over },
  });

  it('are applications, found by vip, and as healthy as their checks', async () => {
    const { put, instances } = await start();
    await put('/v1/catalog/register', web());
    const [seen] = await instances('/eureka/vips/web');
    assert.deepEqual(
      [seen?.app, seen?.instanceId, seen?.ipAddr, seen?.status, seen?.port.$],
      ['WEB', 'n7:w1', '10.7.7.7', 'UP', 80],
    );
    await put('/v1/catalog/register', web({ Status: 'critical' }));
    assert.equal((await instances('/eureka/vips/web'))[0]?.status, 'DOWN');
  });

  it('come and go in the delta, with the hash of what there is', async () => {
    const { put, apps, instances } = await start();
    await put('/v1/catalog/register', web());
    const delta = '/eureka/apps/delta';
    assert.equal((await apps(delta)).apps__hashcode, 'UP_1_');
    assert.equal((await instances(delta))[0]?.actionType, 'ADDED');
    await put('/v1/catalog/deregister', { Node: 'n7', ServiceID: 'w1' });
    const [gone] = await instances(delta);
    assert.deepEqual([gone?.instanceId, gone?.actionType], ['n7:w1', 'DELETED']);
    assert.equal((await apps(delta)).apps__hashcode, '');
  });

  it('go from the delta under each name that they have had', async () => {
    const { put, apps, instances } = await start();
    for (const Service of ['web', 'web2', 'web3']) {
      await put('/v1/catalog/register', { ...web(), Service: { ID: 'w1', Service, Port: 80 } });
    }
    const seen = await instances('/eureka/apps/delta');
    const told = seen.map(({ app, actionType }) => `${app} ${actionType}`);
    assert.deepEqual(told.sort(), ['WEB DELETED', 'WEB2 DELETED', 'WEB3 ADDED']);
    assert.equal((await apps('/eureka/apps/delta')).apps__hashcode, 'UP_1_');
  });

  it('change in the delta when a check of theirs goes', async () => {
    const { clock, put, instances } = await start();
    await put('/v1/catalog/register', web({ Status: 'critical' }));
    await clock.advance(200_000);
    // The log has a time only at its entries.
    await put('/v1/kv/a', 'b');
    assert.deepEqual(await instances('/eureka/apps/delta'), []);
    await put('/v1/catalog/deregister', { Node: 'n7', CheckID: 'c' });
    const [seen] = await instances('/eureka/apps/delta');
    assert.deepEqual([seen?.status, seen?.actionType], ['UP', 'MODIFIED']);
  });

  it('change in the delta when a check of theirs says something else', async () => {
    const { clock, put, instances } = await start();
    await put('/v1/catalog/register', web({ Status: 'passing' }));
    await clock.advance(200_000);
    await put('/v1/kv/a', 'b');
    const Check = { CheckID: 'c', Name: 'c', ServiceID: 'w1', Status: 'critical' };
    const check = { Node: 'n7', Address: '10.7.7.7', SkipNodeUpdate: true, Check };
    await put('/v1/catalog/register', check);
    const [seen] = await instances('/eureka/apps/delta');
    assert.deepEqual([seen?.status, seen?.actionType], ['DOWN', 'MODIFIED']);
  });

  it('cannot be changed or renewed there', async () => {
    const { put, eureka } = await start();
    await put('/v1/catalog/register', web());
    for (const method of ['PUT', 'DELETE']) {
      assert.equal((await eureka.ask(method, '/eureka/apps/WEB/n7:w1')).status, 404);
    }
  });
});
