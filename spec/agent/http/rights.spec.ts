import assert from 'node:assert/strict';
import supertest from 'supertest';
import type { Agent } from '../../../agent/agent.ts';
import type { Route } from '../../../lib/http/route.ts';
import { member } from '../../../lib/membership.ts';
import { FakeAccess } from '../../support/fakes/fake-access.ts';
import { type Shared, startAgent } from '../../support/servers/agents.ts';

const ALL = 'service_prefix "" { policy = "X" } node_prefix "" { policy = "X" }';
const OWN = 'agent_prefix "" { policy = "X" } operator = "X"';

const TOKENS = {
  boss: `${ALL} ${OWN}`.replaceAll('X', 'write'),
  read: `${ALL} ${OWN}`.replaceAll('X', 'read'),
  web: 'service "web" { policy = "write" }',
  'web-read': 'service "web" { policy = "read" }',
  node: 'node "n1" { policy = "write" }',
  agent: 'agent "n1" { policy = "write" }',
  /** What another agent works with. */
  other: 'node "n2" { policy = "write" } agent "n2" { policy = "write" }',
};

const MEMBERS = ['n1', 'n2'].map((Name) =>
  member({ Name, Addr: '10.0.0.1', Port: 8301, Tags: {}, Status: 1 }),
);

async function start(config = '', shared: Shared = {}) {
  const access = new FakeAccess(TOKENS);
  const membership = {
    knowsServer: () => true,
    members: async () => MEMBERS,
    join: async () => undefined,
    forceLeave: async () => true,
    leave: async () => undefined,
  };
  const started = await startAgent(config, { access, membership, ...shared });
  const ask = (token: string, method: 'get' | 'put', path: string, body?: object | string) => {
    const request = supertest(started.app)[method](path);
    if (token !== '') request.set('X-Consul-Token', token);
    return request.send(body);
  };
  await ask('boss', 'put', '/v1/agent/service/register', { Name: 'web', ID: 'w1' }).expect(200);
  await ask('boss', 'put', '/v1/agent/service/register', { Name: 'db', ID: 'd1' }).expect(200);
  const checks = { w: 'w1', d: 'd1', n: '' };
  for (const [ID, ServiceID] of Object.entries(checks)) {
    const check = { ID, Name: ID, TTL: '1h', ServiceID };
    await ask('boss', 'put', '/v1/agent/check/register', check).expect(200);
  }
  return { ...started, access, ask };
}

/** A request for each row, about what is `web`'s or the node's. */
const REQUESTS: Readonly<Record<string, readonly [rest: string, body?: object]>> = {
  'GET /v1/agent/self': [''],
  'GET /v1/agent/host': [''],
  'GET /v1/agent/metrics': [''],
  'GET /v1/agent/version': [''],
  'GET /debug/pprof': [''],
  'GET /debug/pprof/': [''],
  'GET /debug/pprof/cmdline': [''],
  'GET /debug/pprof/symbol': [''],
  'GET /v1/agent/members': [''],
  'GET /v1/agent/services': [''],
  'GET /v1/agent/service/': ['w1'],
  'GET /v1/agent/checks': [''],
  'GET /v1/agent/health/service/id/': ['w1'],
  'GET /v1/agent/health/service/name/': ['web'],
  'PUT /v1/agent/reload': [''],
  'PUT /v1/agent/join/': ['10.0.0.2'],
  'PUT /v1/agent/force-leave/': ['n2'],
  'PUT /v1/agent/token/': ['replication', { Token: 'x' }],
  'PUT /v1/agent/service/register': ['', { Name: 'web', ID: 'w1' }],
  'PUT /v1/agent/check/register': ['', { ID: 'n', Name: 'n', TTL: '1h' }],
  'PUT /v1/agent/check/pass/': ['w'],
  'PUT /v1/agent/check/warn/': ['w'],
  'PUT /v1/agent/check/fail/': ['w'],
  'PUT /v1/agent/check/update/': ['w', { Status: 'passing' }],
  'PUT /v1/agent/check/deregister/': ['w'],
  'PUT /v1/agent/service/load/': ['w1', { Requests: 1 }],
  'PUT /v1/agent/service/maintenance/': ['w1?enable=true'],
  'PUT /v1/agent/maintenance': ['?enable=true'],
  'PUT /v1/agent/service/deregister/': ['w1'],
  'PUT /v1/agent/leave': [''],
};

/** They stream, or are shown or refused to all alike; specs of their own look at them. */
const APART = new Set([
  'GET /v1/agent/health/live',
  'GET /v1/agent/health/ready',
  'GET /v1/agent/monitor',
  'GET /v1/agent/metrics/stream',
  'GET /debug/pprof/heapsnapshot',
  'GET /v1/agent/connect/ca/roots',
  'GET /v1/agent/connect/ca/leaf/',
  'POST /v1/agent/connect/authorize',
]);

/** What shows a list to anyone, without what he may not see. */
const LISTS = new Set(['GET /v1/agent/members', 'GET /v1/agent/services', 'GET /v1/agent/checks']);

function rowsOf(agent: Agent): readonly string[] {
  return agent.routes().map(({ method, path }: Route) => `${method} ${path}`);
}

function requestOf(row: string) {
  const [method = '', path = ''] = row.split(' ');
  const [rest = '', body] = REQUESTS[row] ?? [];
  return [method.toLowerCase() as 'get' | 'put', `${path}${rest}`, body] as const;
}

describe('the rows of an agent under tokens', () => {
  it('says that something was kept back, to all but strangers', async () => {
    const { ask } = await start();
    for (const list of ['services', 'checks', 'members']) {
      const said = async (token: string) => {
        const { headers } = await ask(token, 'get', `/v1/agent/${list}`).expect(200);
        return headers['x-consul-results-filtered-by-acls'];
      };
      assert.deepEqual(
        [await said('boss'), await said('web-read'), await said('')],
        [undefined, 'true', undefined],
      );
    }
  });

  it('are all looked at', async () => {
    const { agent } = await start();
    const all = rowsOf(agent).filter((row) => !APART.has(row));
    assert.deepEqual([...all].sort(), Object.keys(REQUESTS).sort());
  });

  for (const row of Object.keys(REQUESTS)) {
    it(`${row}: refuses strangers and other agents, shows to readers, obeys writers`, async () => {
      const { agent, access, ask } = await start();
      assert.ok(rowsOf(agent).includes(row), 'it is a row');
      const request = requestOf(row);
      await ask('nobody-knows-it', ...request).expect(403, 'ACL not found');
      for (const token of ['', 'other']) {
        const answer = await ask(token, ...request);
        if (!LISTS.has(row)) assert.equal(answer.status, 403, `${token}: ${answer.text}`);
        else {
          assert.equal(answer.status, 200);
          // Of the other agent no more than its own name.
          assert.doesNotMatch(answer.text, /"n1"|web|db/);
        }
      }
      const read = await ask('read', ...request);
      assert.equal(read.status === 403, row.startsWith('PUT'), read.text);
      const written = await ask('boss', ...request);
      assert.notEqual(written.status, 403, written.text);
      access.revoke('boss');
      await ask('boss', ...request).expect(403, 'ACL not found');
    });
  }
});

describe('services and checks of an agent under tokens', () => {
  it('are listed as far as they may be seen', async () => {
    const { ask } = await start();
    const services = await ask('web-read', 'get', '/v1/agent/services').expect(200);
    assert.deepEqual(Object.keys(services.body), ['w1']);
    const hidden = await ask('web-read', 'get', '/v1/agent/services?filter=Service==db');
    assert.deepEqual(hidden.body, {});
    const checks = await ask('web-read', 'get', '/v1/agent/checks').expect(200);
    assert.deepEqual(Object.keys(checks.body), ['w']);
    const own = await ask('node', 'get', '/v1/agent/checks').expect(200);
    assert.deepEqual(Object.keys(own.body), ['n']);
    const members = await ask('node', 'get', '/v1/agent/members').expect(200);
    assert.deepEqual(
      members.body.map(({ Name }: { Name: string }) => Name),
      ['n1'],
    );
  });

  it('are not taken over by their IDs', async () => {
    const { agent, ask } = await start();
    const register = '/v1/agent/service/register';
    const missing = 'Permission denied: Missing service:write on';
    await ask('web', 'put', register, { Name: 'web', ID: 'd1' }).expect(403, `${missing} web`);
    await ask('web', 'put', register, { Name: 'db', ID: 'w1' }).expect(403, `${missing} db`);
    await ask('web', 'put', register, { Name: 'web', Check: { CheckID: 'd', TTL: '1h' } }).expect(
      403,
      `${missing} db`,
    );
    const check = '/v1/agent/check/register';
    await ask('web', 'put', check, { ID: 'n', Name: 'n', TTL: '1h', ServiceID: 'w1' }).expect(
      403,
      'Permission denied: Missing node:write on n1',
    );
    await ask('web', 'put', check, { Name: 'x', TTL: '1h', ServiceID: 'nope' }).expect(403);
    assert.equal(agent.local.services.get('d1')?.definition.Service, 'db');
    assert.equal(agent.local.checks.get('d')?.definition.ServiceID, 'd1');
    assert.deepEqual([...agent.local.services.keys()], ['w1', 'd1']);
  });

  it('need the right for a sidecar, and for what a proxy stands before', async () => {
    const { ask } = await start();
    const register = '/v1/agent/service/register';
    const sidecar = { Name: 'web', Connect: { SidecarService: {} } };
    await ask('web', 'put', register, sidecar).expect(
      403,
      'Permission denied: Missing service:write on web-sidecar-proxy',
    );
    const proxy = {
      Kind: 'connect-proxy',
      Name: 'web',
      Port: 1,
      Proxy: { DestinationServiceName: 'db' },
    };
    await ask('web', 'put', register, proxy).expect(
      403,
      'Permission denied: Missing service:write on db',
    );
  });

  it('are judged by whom they belong to when they are changed', async () => {
    const { ask } = await start();
    const missing = 'Permission denied: Missing service:write on db';
    await ask('web', 'put', '/v1/agent/check/fail/d').expect(403, missing);
    await ask('web', 'put', '/v1/agent/check/deregister/d').expect(403, missing);
    await ask('web', 'put', '/v1/agent/service/deregister/d1').expect(403, missing);
    await ask('web', 'put', '/v1/agent/service/maintenance/d1?enable=true').expect(403, missing);
    await ask('web', 'put', '/v1/agent/service/maintenance/d1').expect(400);
    await ask('node', 'put', '/v1/agent/check/pass/n').expect(200);
    await ask('node', 'put', '/v1/agent/check/pass/w').expect(403);
    await ask('node', 'put', '/v1/agent/maintenance?enable=true').expect(200);
    await ask('', 'put', '/v1/agent/check/pass/x').expect(500, 'Unknown check "x"');
    await ask('', 'put', '/v1/agent/service/deregister/x').expect(500, 'Unknown service {"x" {}}');
  });

  it('are no longer waited for by whoever has lost the right', async () => {
    const { access, ask, clock } = await start();
    const { body } = await ask('web', 'get', '/v1/agent/service/w1').expect(200);
    const armed = clock.armed;
    const waiting = ask('web', 'get', `/v1/agent/service/w1?hash=${body.ContentHash}`).then();
    await clock.untilArmed(armed + 1);
    access.grant('web', '');
    await ask('boss', 'put', '/v1/agent/service/register', { Name: 'web', ID: 'w1', Port: 9 });
    const answer = await waiting;
    assert.deepEqual([answer.status, answer.text], [403, 'Permission denied']);
  });
});

describe("an agent's own tokens", () => {
  it('ask with the default token where a request brings none', async () => {
    const { ask } = await start('acl { tokens { default = "web-read" } }');
    const services = await ask('', 'get', '/v1/agent/services').expect(200);
    assert.deepEqual(Object.keys(services.body), ['w1']);
  });

  it('never answer for a stranger: what the agent itself may do is nobody’s', async () => {
    const { ask } = await start('acl { tokens { agent = "boss" } }');
    const services = await ask('', 'get', '/v1/agent/services').expect(200);
    assert.deepEqual(services.body, {});
    await ask('', 'get', '/v1/agent/self').expect(403);
  });

  it('let it be looked after with the recovery token, and nothing else be done', async () => {
    const { ask } = await start('acl { tokens { agent_recovery = "rescue" } }');
    await ask('rescue', 'get', '/v1/agent/self').expect(200);
    await ask('rescue', 'put', '/v1/agent/reload').expect(200);
    const members = await ask('rescue', 'get', '/v1/agent/members').expect(200);
    assert.equal(members.body.length, 2);
    const services = await ask('rescue', 'get', '/v1/agent/services').expect(200);
    assert.deepEqual(services.body, {});
    await ask('rescue', 'put', '/v1/agent/maintenance?enable=true').expect(403);
    await ask('rescue', 'get', '/v1/agent/host').expect(403);
    const token = '/v1/agent/token/agent_recovery';
    await ask('rescue', 'put', token, { Token: 'another' }).expect(200);
    await ask('rescue', 'get', '/v1/agent/self').expect(403, 'ACL not found');
    await ask('another', 'get', '/v1/agent/self').expect(200);
  });
});
