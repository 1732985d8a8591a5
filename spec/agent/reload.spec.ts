import assert from 'node:assert/strict';
import supertest from 'supertest';
import { Agent } from '../../agent/agent.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { createApp } from '../../lib/http/app.ts';
import { silentLogger } from '../../lib/logger.ts';
import { FakeClock, settle } from '../support/fakes/fake-clock.ts';
import { fakeConfigHost } from '../support/fakes/fake-config-host.ts';
import { MemoryCatalog } from '../support/fakes/memory-catalog.ts';
import { noAuthority } from '../support/fakes/no-authority.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

const running: Agent[] = [];

afterEach(async () => {
  for (const agent of running.splice(0)) await agent.stop();
});

describe('PUT /v1/agent/reload', () => {
  async function start(first: string) {
    let text = first;
    const host = () => fakeConfigHost({ files: { '/etc/consul.d/web.hcl': text } });
    const argv = ['-dev', '-node=n1', '-bind=127.0.0.1', '-config-dir=/etc/consul.d'];
    const readConfig = () => loadConfig({ argv, host: host() }).config;
    const catalog = new MemoryCatalog();
    const agent = new Agent({
      config: readConfig(),
      nodeId: '11111111-2222-4333-8444-555555555555',
      servers: {
        catalog,
        authority: noAuthority,
        membership: {
          knowsServer: () => true,
          members: async () => [],
          join: async () => undefined,
          forceLeave: async () => false,
          leave: async () => undefined,
        },
      },
      process: {
        logTap: () => () => undefined,
        telemetry: { json: () => ({}), prometheus: () => undefined },
        readConfig,
        onLeft: () => undefined,
      },
      machine: {},
      system: { clock: new FakeClock(), random: seededRandom(1), logger: silentLogger },
    });
    running.push(agent);
    await agent.start();
    await until(() => catalog.nodes.has('n1'));
    await settle();
    const app = createApp({ routes: agent.routes() }, { logger: silentLogger });
    const reload = async (next: string, status = 200) => {
      text = next;
      await supertest(app).put('/v1/agent/reload').expect(status);
      await settle();
    };
    return { agent, app, catalog, reload };
  }

  const WEB = 'service { name = "web" port = 80 check { id = "c" ttl = "10s" } }';

  it('takes what files define anew, and drops what they no longer define', async () => {
    const { catalog, reload } = await start(`${WEB} check { id = "n" name = "n" ttl = "10s" }`);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
    await reload('service { name = "other" }');
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'other']);
    assert.deepEqual(catalog.checkStates('n1'), ['serfHealth passing']);
  });

  it('leaves the checks as they stand, and what was registered over HTTP', async () => {
    const { app, catalog, reload } = await start(WEB);
    await supertest(app).put('/v1/agent/service/register').send('{"Name":"api"}').expect(200);
    await supertest(app).put('/v1/agent/check/pass/c').expect(200);
    await reload(WEB.replace('80', '81'));
    assert.deepEqual(catalog.serviceIds('n1'), ['api', 'consul', 'web']);
    assert.deepEqual(catalog.checkStates('n1'), ['c passing', 'serfHealth passing']);
    const { body } = await supertest(app).get('/v1/agent/service/web');
    assert.equal(body.Port, 81);
  });

  it('brings back what was deregistered though a file defines it', async () => {
    const { app, catalog, reload } = await start(WEB);
    await supertest(app).put('/v1/agent/service/deregister/web').expect(200);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul']);
    await reload(WEB);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
  });

  it('leaves a sidecar, its port and its checks as they stand', async () => {
    const text = (port: number) => `service {
      name = "web" port = ${port} connect { sidecar_service { check { id = "s" ttl = "10s" } } } }`;
    const { app, catalog, reload } = await start(text(80));
    await supertest(app).put('/v1/agent/check/pass/s').expect(200);
    const before = await supertest(app).get('/v1/agent/service/web-sidecar-proxy');
    await reload(text(81));
    const after = await supertest(app).get('/v1/agent/service/web-sidecar-proxy');
    assert.equal(after.body.Port, before.body.Port);
    assert.deepEqual(catalog.checkStates('n1'), ['s passing', 'serfHealth passing']);
    await reload('service { name = "web" port = 81 }');
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
  });

  it('takes metadata, tokens and whether output is kept anew', async () => {
    const check = 'check { id = "c" name = "c" ttl = "10s" }';
    const { app, agent, reload } = await start(`${check} node_meta { a = "1" } acl_token = "t"`);
    const self = async () => (await supertest(app).get('/v1/agent/self')).body;
    assert.equal((await self()).Meta.a, '1');
    assert.equal(agent.userToken, 't');
    await reload(`${check} node_meta { a = "2" } discard_check_output = true acl_token = "u"`);
    const { Meta, DebugConfig } = await self();
    assert.equal(Meta.a, '2');
    assert.equal(DebugConfig.NodeMeta.a, '2');
    assert.equal(agent.userToken, 'u');
    await supertest(app).put('/v1/agent/check/pass/c?note=hello').expect(200);
    assert.equal(agent.local.checks.get('c')?.definition.Output, '');
  });

  it('changes nothing when a file is wrong', async () => {
    const { agent, catalog, reload } = await start(WEB);
    await reload('service { port = 80 }', 500);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
    const script = '{ args = ["true"], interval = "1s" }';
    const services = `services = [{ name = "db" }, { name = "web", port = 1, check = ${script} }]`;
    await reload(services, 500);
    assert.deepEqual([...agent.local.services.keys()], ['web']);
  });
});
