import assert from 'node:assert/strict';
import { Agent as HttpAgent } from 'node:http';
import { askOverHttp } from '../../../agent/acl/http-resolving.ts';
import { RemoteAccess } from '../../../agent/acl/remote-access.ts';
import { ringRoutes } from '../../../agent/http/routes/ring.ts';
import { Forwarder } from '../../../agent/servers/forwarder.ts';
import { ServerList } from '../../../agent/servers/server-list.ts';
import { Upstream } from '../../../agent/servers/upstream.ts';
import { createApp } from '../../../lib/http/app.ts';
import { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../lib/http/listener.ts';
import type { Route } from '../../../lib/http/route.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import { silentLogger } from '../../../lib/logger.ts';
import {
  isForAll,
  isRead,
  type Kind,
  keyOf,
  type MatrixRequest,
  STRANGERS,
  said,
  startMatrix,
  UNKNOWN,
} from '../../contract/rights-matrix/rows.ts';
import { rightsMatrix } from '../../contract/rights-matrix.contract.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { MASTER } from '../../support/servers/acl-server.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { send } from '../../support/servers/start-server.ts';
import { noTls, serverInfo, stopped } from '../../support/servers/upstreams.ts';

const TTL_MS = 30_000;
const listening: Listener[] = [];

afterEach(async () => {
  for (const each of listening.splice(0)) await each.stop();
});

/** An agent before the server of the matrix, put together as a process does it. */
async function start() {
  const matrix = await startMatrix();
  const { clock, port } = matrix.server;
  const servers = new ServerList(clock, seededRandom(5));
  servers.add([serverInfo('s0', `127.0.0.1:${port}`)]);
  const security = { tls: noTls, domain: 'consul.' };
  const upstream = stopped(new Upstream({ servers, clock, node: 'n1', security }));
  const access = new RemoteAccess({
    ask: askOverHttp(upstream, 'n1'),
    clock,
    policy: {
      defaultPolicy: 'deny',
      downPolicy: 'extend-cache',
      ttlMs: TTL_MS,
      reportsFiltered: false,
    },
  });
  upstream.onUnknown((token) => access.doubt(token));
  const { agent } = await startAgent('', { access, clock });
  const rate = { perSecond: -1, burst: 0 };
  const forwarder = stopped(
    new Forwarder({
      ...{ upstream, node: 'n1', clock, rate },
      token: () => '',
      maxBodyBytes: MAX_JSON_BODY_BYTES,
    }),
  );
  const fastPath = new FastPath();
  const ownRows = [...agent.routes(), ...ringRoutes('n1', () => servers)];
  const served = { routes: ownRows, access: agent.access, fallback: forwarder.handle };
  const listener = new Listener({
    listener: createApp(served, { logger: silentLogger, fastPath }),
    shortcut: fastPath,
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  listening.push(listener);
  const kept = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  after(() => kept.destroy());
  const ask = (token: string, { method, target, body }: MatrixRequest) => {
    const headers = token === '' ? {} : { 'X-Consul-Token': token };
    return send(listener.port, method, target, { body, headers, agent: kept });
  };
  const own = ownRows.filter((row) => !isForAll(row));
  return { ...matrix, ask, agent, own };
}

rightsMatrix('through a client agent', async () => ({
  ...(await start()),
  opening: 'rpc error making call: ',
  // Cold, again, from what the agent remembers, and from what a wait has told it.
  ways: ['', 'cached', 'cached', 'index=99999'],
}));

/** What each of an agent's own rows is asked that is asked of something: what follows its path, and its body. */
const OWN: Readonly<Record<string, readonly [string, object?]>> = {
  'GET /debug/pprof/': ['goroutine'],
  'POST /v1/agent/connect/authorize': [
    '',
    { Target: 'planted', ClientCertURI: 'spiffe://x.consul/ns/default/dc/dc1/svc/web' },
  ],
  'PUT /v1/agent/join/': ['10.9.9.9'],
  'PUT /v1/agent/force-leave/': ['planted'],
  'PUT /v1/agent/token/': ['default', { Token: 'x' }],
  'GET /v1/agent/service/': ['planted'],
  'PUT /v1/agent/service/register': ['', { Name: 'planted' }],
  'PUT /v1/agent/service/deregister/': ['planted'],
  'PUT /v1/agent/service/maintenance/': ['planted?enable=true'],
  'PUT /v1/agent/service/load/': ['planted', { Requests: 1 }],
  'PUT /v1/agent/maintenance': ['?enable=true'],
  'PUT /v1/agent/check/register': ['', { Name: 'planted', TTL: '1h', ServiceID: 'planted' }],
  'PUT /v1/agent/check/deregister/': ['planted-check'],
  'PUT /v1/agent/check/pass/': ['planted-check'],
  'PUT /v1/agent/check/warn/': ['planted-check'],
  'PUT /v1/agent/check/fail/': ['planted-check'],
  'PUT /v1/agent/check/update/': ['planted-check', { Status: 'critical' }],
  'GET /v1/agent/health/service/id/': ['planted'],
  'GET /v1/agent/health/service/name/': ['planted'],
};

function ownRequestOf(row: Route): MatrixRequest {
  const [suffix, body = ''] = OWN[keyOf(row)] ?? [row.path.endsWith('/') ? 'planted' : ''];
  return { method: row.method, target: row.path + suffix, body };
}

describe('the matrix of an agent’s own rows and tokens', () => {
  const begin = async () => {
    const started = await start();
    const { ask, tokens, agent } = started;
    const Check = { CheckID: 'planted-check', TTL: '1h', Notes: 'planted', Status: 'passing' };
    const body = { Name: 'planted', Address: '10.9.9.9', Check };
    const target = '/v1/agent/service/register';
    assert.equal((await ask(MASTER, { method: 'PUT', target, body })).status, 200);
    const asked = (kind: Kind, row: Route) => ask(tokens[kind], ownRequestOf(row));
    const held = () => JSON.stringify([[...agent.local.services], [...agent.local.checks]]);
    return { ...started, asked, held };
  };

  for (const kind of STRANGERS) {
    it(`gives nothing away and lets nothing be changed: ${kind}`, async () => {
      const { own, asked, held, ask } = await begin();
      const before = held();
      assert.match(before, /planted/);
      // Those may look after any agent; what is planted on it is not theirs.
      const isTheirs = (row: Route) =>
        kind === 'others' && (row.right.by === 'row' || row.path === '/v1/agent/maintenance');
      for (const row of own.filter((each) => !isTheirs(each))) {
        if (isRead(row) && !row.endless) await ask(MASTER, ownRequestOf(row));
        const answer = await asked(kind, row);
        const what = said(row, kind, answer);
        // What was asked for may be said again.
        const text = answer.text.replace(/Missing (?:service|node|agent):\w+ on \S+$/, '');
        assert.doesNotMatch(text + JSON.stringify(answer.headers), /planted|10\.9\.9/, what);
        if (row.right.by === 'row') assert.match(answer.text, /denied/, what);
      }
      assert.equal(held(), before);
    });
  }

  it('shows to who may read, who may change nothing', async () => {
    const { own, asked, held } = await begin();
    const before = held();
    for (const row of own.filter((each) => !isRead(each))) {
      const answer = await asked('read', row);
      assert.match(answer.text, /denied/, said(row, 'read', answer));
    }
    assert.equal(held(), before);
  });

  it('reads no large body of whoever may do nothing of what the row is for', async () => {
    const { own, ask } = await begin();
    const taking = own.filter((row) => row.body !== undefined);
    assert(taking.length > 3);
    for (const row of taking) {
      const answer = await ask('', { ...ownRequestOf(row), body: 'x'.repeat(128 * 1024) });
      assert.match(answer.text, /denied/, said(row, 'none', answer));
    }
  });

  for (const how of ['told', 'late'] as const) {
    it(`refuses a token that nobody knows, was revoked, or has expired: ${how}`, async () => {
      const { own, rows, asked, end, server } = await begin();
      const forwarded = rows.find(({ path }) => path === '/v1/catalog/nodes') ?? assert.fail();
      const [self] = own.filter(({ path }) => path === '/v1/agent/self');
      assert(self !== undefined && own.length > 20);
      for (const kind of ['revoked', 'expired'] as const) {
        assert.equal((await asked(kind, self)).status, 200);
      }
      await end();
      // A server that refuses what was passed on is as good as time that has passed.
      if (how === 'told') for (const kind of UNKNOWN) await asked(kind, forwarded);
      else await server.clock.advance(TTL_MS);
      for (const [row, kind] of own.flatMap((each) =>
        UNKNOWN.map((kind) => [each, kind] as const),
      )) {
        const answer = await asked(kind, row);
        assert.deepEqual([answer.status, answer.text], [403, 'ACL not found'], row.path);
      }
    });
  }
}).timeout(120_000);
