import assert from 'node:assert/strict';
import supertest from 'supertest';
import { startAgent } from '../../support/servers/agents.ts';
import { until } from '../../support/until.ts';

const web = {
  Name: 'web',
  SocketPath: '/run/web.sock',
  Ports: [
    { Name: 'http', Port: 80, Default: true },
    { Name: 'metrics', Port: 9100 },
  ],
  Locality: { Region: 'eu', Zone: 'eu-1' },
};

describe('what a later Consul knows of a service', () => {
  it('is kept by the agent, told to the catalog, and waited for by its hash', async () => {
    const { app, catalog } = await startAgent();
    const put = (body: object) => supertest(app).put('/v1/agent/service/register').send(body);
    await put(web).expect(200);
    const { body } = await supertest(app).get('/v1/agent/service/web').expect(200);
    assert.deepEqual(
      [body.SocketPath, body.Port, body.Locality],
      [web.SocketPath, 80, web.Locality],
    );
    assert.equal(body.Ports.length, 2);
    const told = catalog.nodes.get('n1')?.services.find(({ ID }) => ID === 'web');
    assert.equal(told?.SocketPath, web.SocketPath);
    await put({ ...web, SocketPath: '/other.sock' }).expect(200);
    const changed = await supertest(app).get('/v1/agent/service/web').expect(200);
    assert.notEqual(changed.body.ContentHash, body.ContentHash);
  });

  it('is read from files too', async () => {
    const { agent } = await startAgent(
      'service { name = "web" socket_path = "/a" locality { region = "eu" } ports { name = "x" port = 1 default = true } }',
    );
    const { definition } = agent.local.services.get('web') ?? assert.fail();
    assert.equal(definition.SocketPath, '/a');
    assert.deepEqual(definition.Locality, { Region: 'eu', Zone: '' });
    assert.deepEqual(definition.Ports, [{ Name: 'x', Port: 1, Default: true }]);
    assert.equal(definition.Port, 1);
  });

  it('is refused where no default port is named', async () => {
    const { app } = await startAgent();
    const Ports = [{ Name: 'http', Port: 80 }];
    await supertest(app)
      .put('/v1/agent/service/register')
      .send({ Name: 'web', Ports })
      .expect(400, 'one of the Ports must be marked as Default');
  });

  it('is told of the node as the configuration says, and again where the catalog differs', async () => {
    const { catalog, clock } = await startAgent('locality { region = "eu" zone = "eu-1" }');
    const known = () => catalog.nodes.get('n1') ?? assert.fail();
    const EU = { Region: 'eu', Zone: 'eu-1' };
    assert.deepEqual(known().node.Locality, EU);
    const { Locality: _, ...node } = known().node;
    catalog.nodes.set('n1', { ...known(), node });
    await clock.advance(3 * 60_000);
    await until(() => known().node.Locality !== undefined);
    assert.deepEqual(known().node.Locality, EU);
  });

  it('is not said of a node whose configuration has none', async () => {
    const { catalog } = await startAgent();
    assert.equal(Object.hasOwn(catalog.nodes.get('n1')?.node ?? {}, 'Locality'), false);
  });
});
