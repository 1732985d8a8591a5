import assert from 'node:assert/strict';
import supertest from 'supertest';
import type { Membership } from '../../../agent/servers/membership.ts';
import { tapLog } from '../../../lib/log-tap.ts';
import { createLogger } from '../../../lib/logger.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';

const alone: Membership = {
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

describe('GET /v1/agent/host and /metrics', () => {
  it('show the machine and this process', async () => {
    const { app } = await startAgent();
    const host = await supertest(app).get('/v1/agent/host').expect(200);
    assert.ok(host.body.Memory.total > 0);
    const metrics = await supertest(app).get('/v1/agent/metrics').expect(200);
    assert.match(metrics.body.Timestamp, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d0 \+0000 UTC$/);
    const names = metrics.body.Gauges.map(({ Name }: { Name: string }) => Name);
    assert.ok(names.includes('consul.runtime.alloc_bytes'));
  });
});

describe('GET /v1/agent/monitor', () => {
  it('streams the log from its level on, until the client goes', async () => {
    const logger = createLogger({ level: 'err', json: false });
    const { app } = await startAgent('', {
      options: { logTap: (level, listen) => tapLog(logger, level, listen) },
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
      options: {
        membership: {
          ...alone,
          leave: async () => {
            catalog.nodes.clear();
            seen.push('left');
          },
        },
        onLeft: () => void seen.push('ends'),
      },
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
    const { app, agent } = await startAgent('', { aclEnabled: true });
    await supertest(app).put('/v1/agent/token/default').send('{"Token":"x"}').expect(200);
    assert.equal(agent.userToken, 'x');
    await supertest(app)
      .put('/v1/agent/token/nope')
      .send('{"Token":"x"}')
      .expect(404, 'Token "nope" is unknown');
  });
});
