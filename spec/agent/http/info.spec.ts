import assert from 'node:assert/strict';
import supertest from 'supertest';
import type { Membership } from '../../../agent/servers/membership.ts';
import { OPEN } from '../../../lib/acl/rights.ts';
import { tapLog } from '../../../lib/log-tap.ts';
import { createLogger } from '../../../lib/logger.ts';
import { type Member, member } from '../../../lib/membership.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';

const alone: Membership = {
  knowsServer: () => true,
  members: async () => [],
  join: async () => undefined,
  forceLeave: async () => false,
  leave: async () => undefined,
};

describe('GET /v1/agent/self', () => {
  it('has objects alone at the top, and the version as text', async () => {
    const { app } = await startAgent();
    const { body } = await supertest(app).get('/v1/agent/self').expect(200);
    for (const part of Object.values(body)) assert.equal(typeof part, 'object');
    assert.deepEqual(
      [body.Config.Server, body.Config.Version, body.Config.Revision, body.Config.NodeName],
      [true, '1.8.7', '', 'n1'],
    );
    assert.ok(Array.isArray(body.DebugConfig.ClientAddrs));
  });

  it('shows no token', async () => {
    const { app } = await startAgent('acl { tokens { agent = "canary-a" default = "canary-b" } }');
    const { text } = await supertest(app).get('/v1/agent/self').expect(200);
    assert.doesNotMatch(text, /canary/);
  });
});

describe('GET /v1/agent/host', () => {
  it('shows the machine', async () => {
    const { app } = await startAgent();
    const host = await supertest(app).get('/v1/agent/host').expect(200);
    assert.ok(host.body.Memory.total > 0);
  });
});

describe('GET /v1/agent/metrics', () => {
  const withText = (text: string | undefined) =>
    startAgent('', { process: { telemetry: { json: () => ({ a: 1 }), prometheus: () => text } } });

  it("is Consul's JSON, also where another format is named that there is none of", async () => {
    const { app } = await withText(undefined);
    await supertest(app).get('/v1/agent/metrics').expect(200, { a: 1 });
    await supertest(app).get('/v1/agent/metrics?format=nope').expect(200, { a: 1 });
  });

  it('is a text of the type that Prometheus asks for', async () => {
    const { app } = await withText('up 1\n');
    await supertest(app)
      .get('/v1/agent/metrics?format=prometheus')
      .expect('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
      .expect(200, 'up 1\n');
  });

  it("is refused in Consul's words where there is no retention time", async () => {
    const { app } = await withText(undefined);
    await supertest(app)
      .get('/v1/agent/metrics?format=prometheus')
      .expect(415, 'Prometheus is not enabled since its retention time is not positive');
  });

  it('counts what an agent has', async () => {
    const { agent } = await startAgent(
      'services { id = "w" name = "w" checks = [{ ttl = "60s" }, { ttl = "60s" status = "passing" }] }',
    );
    const values = Object.fromEntries(
      agent.metrics().flatMap((each) => (each.kind === 'gauge' ? [[each.name, each.read()]] : [])),
    );
    assert.deepEqual(
      [values['agent.services'], values['agent.checks'], values['agent.check_ttls']],
      [1, 2, 2],
    );
    assert.deepEqual(values['proconsul.agent.checks'], [
      { labels: { status: 'passing' }, value: 1 },
      { labels: { status: 'warning' }, value: 0 },
      { labels: { status: 'critical' }, value: 1 },
    ]);
    assert.equal(values['proconsul.sync.owed'], 0);
  });
});

describe('GET /v1/agent/monitor', () => {
  it('streams the log from its level on, until the client goes', async () => {
    const logger = createLogger({ level: 'err', json: false });
    const { app } = await startAgent('', {
      process: { logTap: (wanted, listen) => tapLog(logger, wanted, listen) },
    });
    const { host } = await serveHttp(app);
    const client = new AbortController();
    const { signal } = client;
    const answer = await fetch(`http://${host}/v1/agent/monitor?loglevel=info`, { signal });
    const reader = answer.body?.getReader() ?? assert.fail();
    logger.debug('too fine');
    logger.info('agent: something happened');
    const { value } = await reader.read();
    assert.match(
      Buffer.from(value ?? []).toString(),
      /^\S+ \[INFO\] {2}agent: something happened\n$/,
    );
    client.abort();
    await reader.closed.catch(() => undefined);
    logger.close();
  });

  it('refuses a level that there is none of', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .get('/v1/agent/monitor?loglevel=foo')
      .expect(400, 'Bad request: Unknown log level: foo');
  });
});

describe('coming and going', () => {
  it('PUT /v1/agent/leave takes the node out, puts nothing back and ends the agent', async () => {
    const seen: string[] = [];
    const { app, catalog, clock } = await startAgent('', {
      membership: {
        ...alone,
        leave: async () => {
          catalog.nodes.clear();
          seen.push('left');
        },
      },
      process: { onLeft: () => void seen.push('ends') },
    });
    await supertest(app).put('/v1/agent/leave').expect(200);
    await clock.advance(10 * 60_000);
    assert.deepEqual(seen, ['left', 'ends']);
    assert.equal(catalog.nodes.size, 0);
  });

  it('PUT /v1/agent/force-leave/:node names the node that nobody knows', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .put('/v1/agent/force-leave/nope')
      .expect(500, "agent: No node found with name 'nope'");
  });

  it('GET /v1/agent/members knows no segments', async () => {
    const { app } = await startAgent();
    await supertest(app).get('/v1/agent/members?segment=_all').expect(200, '[]');
    await supertest(app).get('/v1/agent/members?segment=nope').expect(500);
  });
});

describe('PUT /v1/agent/token/:name', () => {
  it('is refused without access control', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .put('/v1/agent/token/agent')
      .send('{"Token":"x"}')
      .expect(401, 'ACL support disabled');
  });

  it('sets the token for requests that bring none; unknown names are refused', async () => {
    const { app, agent } = await startAgent('', { access: OPEN });
    await supertest(app).put('/v1/agent/token/default').send('{"Token":"x"}').expect(200);
    assert.equal(agent.userToken, 'x');
    await supertest(app)
      .put('/v1/agent/token/nope')
      .send('{"Token":"x"}')
      .expect(404, 'Token "nope" is unknown');
  });

  it('GET /v1/agent/members?wan=1 lists the servers as other data centres know them', async () => {
    const server = member({
      Name: 'n1',
      Addr: '10.0.0.1',
      Port: 8301,
      Tags: { role: 'consul', dc: 'dc1', wan_join_port: '8302', 10: '', 9: '' },
      Status: 1,
    });
    const client = { ...server, Name: 'c1', Tags: { role: 'node', dc: 'dc1' } };
    const members = async () => [server, client];
    const { app } = await startAgent('', { membership: { ...alone, members } });
    const names = async (query: string) =>
      (await supertest(app).get(`/v1/agent/members${query}`)).body.map((m: Member) => m.Name);
    assert.deepEqual(await names('?wan'), ['n1', 'c1']);
    assert.deepEqual(await names('?wan=1'), ['n1.dc1']);
    const { text } = await supertest(app).get('/v1/agent/members?wan=true');
    assert.match(text, /"Port":8302,"Tags":\{"10":"","9":"","dc":"dc1","role":"consul"\}/);
    await supertest(app)
      .get('/v1/agent/members?wan=1&segment=x')
      .expect(400, 'Cannot provide a segment with wan=true');
  });
});

describe("an agent's own rows", () => {
  it('refuse what is meant for a namespace, but where Consul has none', async () => {
    const { app } = await startAgent();
    const complaint =
      'Bad request: Invalid query parameter: "ns" - Namespaces are a Consul Enterprise feature';
    const put = supertest(app).put('/v1/agent/service/register?ns=x');
    await put.send({ Name: 'web' }).expect(400, complaint);
    await supertest(app).put('/v1/agent/check/pass/x?ns=x').expect(400, complaint);
    await supertest(app).get('/v1/agent/services?ns=x').expect(400, complaint);
    await supertest(app).get('/v1/agent/services?ns=').expect(200, '{}');
    await supertest(app).get('/v1/agent/self?ns=x').expect(200);
    const field = /unknown field "Namespace" - Namespaces are a Consul Enterprise feature$/;
    for (const [path, body] of [
      ['service', { Name: 'web', Namespace: 'x' }],
      ['service', { Name: 'web', Check: { TTL: '1s', Namespace: 'x' } }],
      ['service', { Name: 'web', Connect: { SidecarService: { Namespace: 'x' } } }],
      ['check', { Name: 'c', TTL: '1s', Namespace: 'x' }],
    ] as const) {
      const answer = await supertest(app).put(`/v1/agent/${path}/register`).send(body).expect(400);
      assert.match(answer.text, field);
    }
    await supertest(app).get('/v1/agent/services').expect(200, '{}');
  });

  it('show names in the order of their bytes, also where they look like numbers', async () => {
    const { app } = await startAgent();
    const put = (path: string, body: object) =>
      supertest(app).put(`/v1/agent/${path}/register`).send(body).expect(200);
    for (const id of ['b', '9', '10']) {
      await put('service', { Name: id, ID: id, Meta: { 9: 'x', 10: 'y' } });
      await put('check', { Name: id, ID: id, TTL: '1s' });
    }
    const services = await supertest(app).get('/v1/agent/services').expect(200);
    assert.match(services.text, /^\{"10":\{.*"Meta":\{"10":"y","9":"x"\}.*,"9":\{.*,"b":\{/);
    const checks = await supertest(app).get('/v1/agent/checks').expect(200);
    assert.match(checks.text, /^\{"10":\{.*,"9":\{.*,"b":\{/);
  });
});
