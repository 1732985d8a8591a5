/** Every row of a server's table under every kind of token, through a client agent: for the first time and again. */
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
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import {
  isForAll,
  isRead,
  type Kind,
  type MatrixRequest,
  requestOf,
  STRANGERS,
  said,
  startMatrix,
  UNKNOWN,
} from '../../support/rights-matrix.ts';
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
  const { agent } = await startAgent('', { access, clock });
  const rate = { perSecond: -1, burst: 0 };
  const forwarder = stopped(
    new Forwarder({ upstream, clock, token: () => '', maxBodyBytes: MAX_JSON_BODY_BYTES, rate }),
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
  const by = (token: string, row: Route, params = '') => {
    const request = requestOf(row, matrix.ids);
    const { target } = request;
    const more = params === '' ? '' : `${target.includes('?') ? '&' : '?'}${params}`;
    return ask(token, { ...request, target: target + more });
  };
  const asked = (kind: Kind, row: Route, params?: string) => by(matrix.tokens[kind], row, params);
  const askedOwn = (kind: Kind, { method, path }: Route) =>
    ask(matrix.tokens[kind], { method, target: path, body: '' });
  const rows = matrix.rows.filter((row) => !isForAll(row));
  return {
    ...matrix,
    rows,
    asked,
    ownRows,
    askedOwn,
    byMaster: (row: Route, params: string) => by(MASTER, row, params),
  };
}

/** Cold, again, from what the agent remembers, and from what a wait has told it. */
const WAYS = ['', 'cached', 'cached', 'index=99999'];
/** Each row in each way. */
function* waysOf(rows: readonly Route[]): IterableIterator<readonly [Route, string]> {
  for (const row of rows) for (const way of isRead(row) ? WAYS : ['']) yield [row, way];
}

const TIMEOUT_MS = 120_000;

describe('the matrix of rows and tokens, through a client agent', () => {
  for (const kind of STRANGERS) {
    it(`gives nothing away that others were just shown, and lets nothing be changed: ${kind}`, async () => {
      const { server, rows, asked, byMaster } = await start();
      for (const [row, way] of waysOf(rows)) {
        if (isRead(row)) await byMaster(row, way);
        const { index } = server.server.state;
        const answer = await asked(kind, row, way);
        const what = said(row, kind, answer);
        // What was asked for may be said again.
        const text = answer.text.replace(/"Segment":"planted\/key"|node:write on planted$/, '');
        assert.doesNotMatch(text + JSON.stringify(answer.headers), /planted|10\.9\.9/, what);
        if (row.right.by === 'row') assert.match(answer.text, /denied/, what);
        if (row.right.by === 'writer') assert.equal(answer.status, 403, what);
        assert.equal(server.server.state.index, index, what);
      }
    }).timeout(TIMEOUT_MS);
  }

  it('refuses a token that nobody knows, that was revoked, or has expired', async () => {
    const { server, rows, asked, end } = await start();
    for (const [row, way] of waysOf(rows.filter(isRead))) {
      for (const kind of ['revoked', 'expired'] as const) {
        assert.doesNotMatch((await asked(kind, row, way)).text, /ACL not found/, row.path);
      }
    }
    await end();
    const { index } = server.server.state;
    for (const [row, way] of waysOf(rows)) {
      for (const kind of UNKNOWN) {
        const answer = await asked(kind, row, way);
        const expected = [403, 'rpc error making call: ACL not found'];
        assert.deepEqual([answer.status, answer.text], expected, said(row, kind, answer));
      }
    }
    assert.equal(server.server.state.index, index);
  }).timeout(TIMEOUT_MS);

  it('refuses them at its own rows too, once it has asked again', async () => {
    const { ownRows, askedOwn, end, server } = await start();
    const known = ownRows.filter((row) => !isForAll(row));
    const [self] = known.filter(({ path }) => path === '/v1/agent/self');
    assert(self !== undefined && known.length > 20);
    for (const kind of ['revoked', 'expired'] as const) {
      assert.equal((await askedOwn(kind, self)).status, 200);
    }
    await end();
    await server.clock.advance(TTL_MS);
    for (const row of known) {
      for (const kind of UNKNOWN) {
        const answer = await askedOwn(kind, row);
        assert.deepEqual([answer.status, answer.text], [403, 'ACL not found'], row.path);
      }
    }
  }).timeout(TIMEOUT_MS);
});
