import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import supertest from 'supertest';
import { FakeAccess } from '../../support/fakes/fake-access.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { FakeDefaults } from '../../support/fakes/fake-defaults.ts';
import { MemoryCatalog } from '../../support/fakes/memory-catalog.ts';
import { type Shared, startAgent } from '../../support/servers/agents.ts';
import { until } from '../../support/until.ts';

const ON = 'enable_central_service_config = true';
const SIDECAR = 'web-sidecar-proxy';
const WEB = { Name: 'web', Port: 80, Connect: { SidecarService: {} } };

async function start(shared: Shared = {}, said = new FakeDefaults()) {
  const agent = await startAgent(ON, { ...shared, authority: said.authority });
  const register = (body: object) =>
    supertest(agent.app).put('/v1/agent/service/register').send(JSON.stringify(body)).expect(200);
  const service = async (id = SIDECAR, query = '') =>
    (await supertest(agent.app).get(`/v1/agent/service/${id}${query}`)).body;
  const inCatalog = (id = SIDECAR) =>
    agent.catalog.nodes.get('n1')?.services.find(({ ID }) => ID === id)?.Proxy;
  return { ...agent, said, register, service, inCatalog };
}

describe("what config entries say of an agent's proxies", () => {
  it('is in a registration from the beginning, in the catalog too', async () => {
    const { said, register, service, catalog } = await start();
    said.say({ Proxy: { Config: { protocol: 'http' }, MeshGateway: { Mode: 'local' } } });
    const before = catalog.commands;
    await register(WEB);
    const { Proxy: proxy } = await service();
    assert.deepEqual(proxy.Config, { protocol: 'http' });
    assert.deepEqual(proxy.MeshGateway, { Mode: 'local' });
    // The service with its sidecar, one command each: none without what is said of it.
    assert.equal(catalog.commands - before, 2);
    assert.deepEqual(said.asked[0], { service: 'web', upstreams: [] });
  });

  it('follows the entries, wakes who waits for the hash, and tells the catalog', async () => {
    const { said, register, service, inCatalog } = await start();
    await register(WEB);
    const { ContentHash } = await service();
    const next = service(SIDECAR, `?hash=${ContentHash}`);
    await until(() => said.waiting === 1);
    said.say({ Proxy: { Config: { a: 1 } } });
    const changed = await next;
    assert.deepEqual(changed.Proxy.Config, { a: 1 });
    assert.notEqual(changed.ContentHash, ContentHash);
    await until(() => JSON.stringify(inCatalog())?.includes('"a":1') === true);
    said.say({});
    await until(() => JSON.stringify(inCatalog())?.includes('"a":1') === false);
    assert.equal((await service()).Proxy.Config, undefined);
  });

  it('is asked for as long as a proxy takes it over, and once for all that take over the same', async () => {
    const { said, register, app } = await start();
    const gateway = { Name: 'gate', Kind: 'mesh-gateway', Port: 1 };
    await register({ ...gateway, ID: 'gate-1' });
    await register({ ...gateway, ID: 'gate-2' });
    await until(() => said.waiting === 1);
    for (const id of ['gate-1', 'gate-2']) {
      assert.equal(said.waiting, 1);
      await supertest(app).put(`/v1/agent/service/deregister/${id}`).expect(200);
    }
    assert.equal(said.waiting, 0);
  });

  it('is nothing to plain services, to native ones, and to proxies of no instance', async () => {
    const { said, register } = await start();
    await register({ Name: 'plain' });
    await register({ Name: 'native', Connect: { Native: true } });
    const proxy = { DestinationServiceName: 'web' };
    await register({ Name: 'by-hand', Kind: 'connect-proxy', Port: 1, Proxy: proxy });
    assert.deepEqual(said.asked, []);
  });

  it('is asked for under the token of whoever has registered, not of whoever was refused', async () => {
    const access = new FakeAccess({ good: 'service_prefix "" { policy = "write" }', bad: '' });
    const { said, app } = await start({ access });
    const register = (token: string) =>
      supertest(app)
        .put('/v1/agent/service/register')
        .set('X-Consul-Token', token)
        .send(JSON.stringify(WEB));
    await register('good').expect(200);
    await register('bad').expect(403);
    await until(() => said.waiting === 1);
    said.say({ Proxy: { Config: { a: 1 } } });
    await until(() => said.waiting === 1);
    assert.deepEqual([...new Set(said.tokens)], ['good']);
  });

  it('goes on under the token of another that takes it over, when one is revoked', async () => {
    const { said, register, service, clock } = await start();
    const gateway = { Name: 'gate', Kind: 'mesh-gateway', Port: 1 };
    await register({ ...gateway, ID: 'gate-1', Token: 'good' });
    await register({ ...gateway, ID: 'gate-2', Token: 'gone' });
    await until(() => said.waiting === 1);
    said.revoked = 'gone';
    said.say({ Proxy: { Config: { a: 1 } } });
    await until(() => said.tokens.at(-1) === 'gone');
    said.say({ Proxy: { Config: { a: 2 } } });
    await clock.advance(3000);
    await until(async () => (await service('gate-1')).Proxy.Config?.a === 2);
  });

  it('comes later where no server is there: the registration is answered', async () => {
    const { said, register, service, clock } = await start();
    said.away = true;
    await register(WEB);
    assert.equal((await service()).Proxy.Config, undefined);
    said.away = false;
    said.say({ Proxy: { Config: { a: 1 } } });
    await clock.advance(3000);
    await until(async () => (await service()).Proxy.Config?.a === 1);
  });

  it('leaves what was registered as it was said, for whoever takes back what failed', async () => {
    const { agent, said, register } = await start();
    said.say({ Proxy: { Config: { a: 1 } } });
    await register(WEB);
    const { registered, definition } = agent.local.services.get(SIDECAR) ?? {};
    assert.equal(registered?.Proxy['Config'], undefined);
    assert.deepEqual(definition?.Proxy['Config'], { a: 1 });
    agent.local.adoptTags(SIDECAR, ['x']);
    assert.deepEqual(agent.local.services.get(SIDECAR)?.registered?.Tags, ['x']);
    assert.deepEqual(agent.local.services.get(SIDECAR)?.definition.Proxy['Config'], { a: 1 });
  });
});

describe('what config entries said of proxies, after a restart', () => {
  let dataDir = '';

  beforeEach(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'defaults-'));
  });

  afterEach(async () => {
    await rm(dataDir, { recursive: true, force: true });
  });

  it('goes on to count while no server says it, so that the catalog hears of no change', async () => {
    const shared = { catalog: new MemoryCatalog(), clock: new FakeClock(), dataDir };
    const said = new FakeDefaults();
    said.say({ Proxy: { Config: { a: 1, long: 9007199254740993n } } });
    const first = await start(shared, said);
    await first.register(WEB);
    await first.agent.stop();
    said.away = true;
    const { commands } = shared.catalog;
    const second = await start(shared, said);
    assert.equal((await second.service()).Proxy.Config.a, 1);
    assert.equal(shared.catalog.commands, commands);
  });

  it('is forgotten with the last that took it over', async () => {
    const shared = { clock: new FakeClock(), dataDir };
    const said = new FakeDefaults();
    said.say({ Proxy: { Config: { a: 1 } } });
    const first = await start(shared, said);
    await first.register(WEB);
    await supertest(first.app).put('/v1/agent/service/deregister/web').expect(200);
    await first.agent.stop();
    said.away = true;
    const second = await start(shared, said);
    await second.register(WEB);
    assert.equal((await second.service()).Proxy.Config, undefined);
  });
});
