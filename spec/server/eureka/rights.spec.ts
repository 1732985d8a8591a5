import assert from 'node:assert/strict';
import { type AclServer, MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { type Applications, instanceOf, JSON_FORM } from './instances.ts';

async function start() {
  const one: AclServer = await startAclServer();
  const eureka = await startEureka(one);
  const Rules = 'service_prefix "shop" { policy = "write" } node_prefix "" { policy = "read" }';
  await one.master('PUT', '/v1/acl/policy', { Name: 'shop', Rules });
  const body = { Policies: [{ Name: 'shop' }] };
  const { SecretID: token = '', AccessorID: accessor = '' } = await one.master(
    'PUT',
    '/v1/acl/token',
    body,
  );
  const as = (headers: Record<string, string>) => ({
    post: async (app: string) =>
      (
        await eureka.ask('POST', `/eureka/apps/${app}`, {
          headers: { ...headers, 'Content-Type': 'application/json' },
          body: instanceOf(app),
        })
      ).status,
    ask: async (method: string, path: string) =>
      (await eureka.ask(method, `/eureka${path}`, { headers })).status,
    apps: async () => {
      const sent = { headers: { ...headers, ...JSON_FORM } };
      const { json } = await eureka.ask('GET', '/eureka/apps', sent);
      const { application, apps__hashcode } = (json as Applications).applications;
      return [apps__hashcode, ...application.map(({ name }) => name)];
    },
  });
  const basic = (text: string) => ({
    Authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  const master = {
    ...as({ 'X-Consul-Token': MASTER }),
    revoke: (id: string) => one.as(MASTER, 'DELETE', `/v1/acl/token/${id}`),
  };
  return { ...one, eureka, as, basic, token, accessor, master, stranger: as({}) };
}

describe('Eureka under access control', () => {
  it("takes a token as a URL's password or only name, as a header, or as a bearer's", async () => {
    const { as, basic, token } = await start();
    for (const headers of [
      basic(`eureka:${token}`),
      basic(token),
      basic(`${token}:`),
      { 'X-Consul-Token': token },
      { Authorization: `Bearer ${token}` },
    ]) {
      assert.equal(await as(headers).post('SHOP'), 204);
    }
  });

  it('writes nothing for a stranger, nor for who may write another service', async () => {
    const { as, token, master, stranger, server } = await start();
    await master.post('CART');
    const shop = as({ 'X-Consul-Token': token });
    const before = server.state.position;
    for (const who of [stranger, shop]) {
      assert.equal(await who.post('CART'), 403);
      assert.equal(await who.ask('PUT', '/apps/CART/h1:cart'), 403);
      assert.equal(await who.ask('PUT', '/apps/CART/h1:cart/status?value=DOWN'), 403);
      assert.equal(await who.ask('DELETE', '/apps/CART/h1:cart/status'), 403);
      assert.equal(await who.ask('PUT', '/apps/CART/h1:cart/metadata?a=b'), 403);
      assert.equal(await who.ask('DELETE', '/apps/CART/h1:cart'), 403);
    }
    assert.equal(server.state.position, before);
  });

  it('shows what may be read, and counts no other in the hash', async () => {
    const { as, token, master, stranger } = await start();
    await master.post('CART');
    await master.post('SHOP');
    assert.deepEqual(await master.apps(), ['UP_2_', 'CART', 'SHOP']);
    assert.deepEqual(await as({ 'X-Consul-Token': token }).apps(), ['UP_1_', 'SHOP']);
    assert.deepEqual(await stranger.apps(), ['']);
    assert.equal(await stranger.ask('GET', '/apps/SHOP/h1:shop'), 404);
    assert.equal(await stranger.ask('GET', '/instances/h1:shop'), 404);
  });

  it('refuses a token that nobody knows, and one that is revoked', async () => {
    const { as, token, accessor, master: manage } = await start();
    const shop = as({ 'X-Consul-Token': token });
    assert.equal(await shop.post('SHOP'), 204);
    assert.equal(await as({ 'X-Consul-Token': 'x' }).ask('GET', '/apps'), 403);
    await manage.revoke(accessor);
    assert.equal(await shop.ask('PUT', '/apps/SHOP/h1:shop'), 403);
    assert.equal(await shop.ask('GET', '/apps'), 403);
  });

  it('answers each item of a batch by what may be written', async () => {
    const { eureka, token } = await start();
    const list = ['SHOP', 'CART'].map((appName) => ({
      ...{ appName, id: `h1:${appName.toLowerCase()}`, action: 'Register' },
      instanceInfo: (instanceOf(appName) as { instance: object }).instance,
    }));
    const { json } = await eureka.ask('POST', '/eureka/peerreplication/batch/', {
      headers: { 'Content-Type': 'application/json', 'X-Consul-Token': token },
      body: { replicationList: list },
    });
    assert.deepEqual(json, { responseList: [{ statusCode: 200 }, { statusCode: 403 }] });
  });
});
