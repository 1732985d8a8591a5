/** Every row of a server's table under every kind of token, asked for the first time and again. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import type { Route } from '../../../lib/http/route.ts';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { type Answer, startServerWith } from '../../support/servers/start-server.ts';

const NAMED = ['agent', 'event', 'intention', 'key', 'node', 'query', 'service', 'session'];
const NAMELESS = ['keyring', 'operator'];
const everything = (level: string) =>
  [
    ...NAMED.map((resource) => `${resource}_prefix "" { policy = "${level}" }`),
    ...NAMELESS.map((resource) => `${resource} = "${level}"`),
  ].join('\n');
/** As much as possible, of everything but what is planted. */
const others = NAMED.flatMap((resource) => [
  `${resource}_prefix "" { policy = "write" }`,
  ...['planted', 'planted-query', 'planted-event', 'planted/key', 'planted-2'].map(
    (name) => `${resource} "${name}" { policy = "deny" }`,
  ),
]).join('\n');

const RULES = { read: everything('read'), write: everything('write'), others };

interface Planted {
  readonly session: string;
  readonly query: string;
}

/** What each row is asked, of things that are there: [what follows its path, body]. */
const ASKED: Readonly<Record<string, readonly [(at: Planted) => string, (string | object)?]>> = {
  'GET /v1/catalog/datacenters': [() => ''],
  'GET /v1/catalog/nodes': [() => ''],
  'GET /v1/catalog/services': [() => ''],
  'GET /v1/catalog/service/': [() => 'planted'],
  'GET /v1/catalog/connect/': [() => 'planted'],
  'GET /v1/catalog/node/': [() => 'planted'],
  'GET /v1/catalog/node-services/': [() => 'planted'],
  'GET /v1/health/service/': [() => 'planted'],
  'GET /v1/health/connect/': [() => 'planted'],
  'GET /v1/health/ingress/': [() => 'planted'],
  'GET /v1/health/checks/': [() => 'planted'],
  'GET /v1/health/node/': [() => 'planted'],
  'GET /v1/health/state/': [() => 'any'],
  'GET /v1/kv/': [() => 'planted/key'],
  'GET /v1/session/info/': [({ session }) => session],
  'GET /v1/session/list': [() => ''],
  'GET /v1/session/node/': [() => 'planted'],
  'GET /v1/event/list': [() => ''],
  'GET /v1/query': [() => ''],
  'GET /v1/query/': [({ query }) => query],
  'GET /v1/coordinate/datacenters': [() => ''],
  'GET /v1/coordinate/nodes': [() => ''],
  'GET /v1/coordinate/node/': [() => 'planted'],
  'GET /v1/internal/ui/services': [() => ''],
  'GET /v1/internal/ui/nodes': [() => ''],
  'GET /v1/internal/ui/node/': [() => 'planted'],
  'GET /v1/internal/dns/address/': [() => '10.9.9.9'],
  'GET /v1/status/leader': [() => ''],
  'GET /v1/status/peers': [() => ''],
  'GET /v1/operator/raft/configuration': [() => ''],
  'GET /v1/operator/autopilot/configuration': [() => ''],
  'GET /v1/operator/autopilot/health': [() => ''],
  'GET /v1/operator/autopilot/state': [() => ''],
  'GET /v1/operator/usage': [() => ''],
  'GET /v1/operator/keyring': [() => ''],
  'GET /v1/snapshot': [() => ''],
  'PUT /v1/snapshot': [() => '', 'x'],
  'PUT /v1/operator/autopilot/configuration': [() => '', {}],
  'PUT /v1/operator/keyring': [() => '', { Key: 'x' }],
  'POST /v1/operator/keyring': [() => '', { Key: 'x' }],
  'DELETE /v1/operator/keyring': [() => '', { Key: 'x' }],
  'DELETE /v1/operator/raft/peer': [() => '?id=x'],
  'POST /v1/operator/raft/transfer-leader': [() => ''],
  'PUT /v1/txn': [() => '', [{ KV: { Verb: 'set', Key: 'planted/key', Value: '' } }]],
  'PUT /v1/kv/': [() => 'planted/key', 'changed'],
  'PUT /v1/catalog/register': [() => '', { Node: 'planted', Address: '10.1.1.1' }],
  'PUT /v1/coordinate/update': [
    () => '',
    { Node: 'planted', Coord: { Vec: [1, 0, 0, 0, 0, 0, 0, 0] } },
  ],
  'PUT /v1/event/fire/': [() => 'planted-event'],
  'POST /v1/query': [() => '', { Name: 'planted-2', Service: { Service: 'planted' } }],
  'PUT /v1/query/': [({ query }) => query, { Name: 'planted-query', Service: { Service: 'x' } }],
  'DELETE /v1/query/': [({ query }) => query],
  'PUT /v1/session/create': [() => '', { Node: 'planted', NodeChecks: [] }],
  'PUT /v1/session/renew/': [({ session }) => session],
  'PUT /v1/session/destroy/': [({ session }) => session],
  'DELETE /v1/kv/': [() => 'planted/key'],
  'PUT /v1/catalog/deregister': [() => '', { Node: 'planted' }],
};

/** Specs of their own have these: what agents ask of servers, and access control itself. */
const ELSEWHERE = /^\/v1\/(?:acl|internal\/(?:agent|members|acl))(?:\/|$)/;

async function start() {
  const access = new FakeAccess(RULES);
  const { server, ask } = await startServerWith({ access });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  const as = (token: string, method: string, target: string, body: string | object = '') =>
    ask(method, target, { body, agent, ...withToken(token) });
  const make = async (method: string, path: string, body: string | object = '') => {
    const { status, text } = await as(MASTER, method, `/v1/${path}`, body);
    assert.equal(status, 200, `${path}: ${text}`);
    return /"ID":"([^"]+)"/.exec(text)?.[1] ?? '';
  };
  await make('PUT', 'catalog/register', {
    Node: 'planted',
    Address: '10.9.9.9',
    Service: {
      ID: 'planted',
      Service: 'planted',
      Connect: { Native: true },
    },
    Check: { CheckID: 'c', Name: 'c', ServiceID: 'planted' },
  });
  await make('PUT', 'kv/planted/key', 'value');
  await make('PUT', 'event/fire/planted-event');
  await make('PUT', 'coordinate/update', {
    Node: 'planted',
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0] },
  });
  const planted: Planted = {
    session: await make('PUT', 'session/create', { Node: 'planted', NodeChecks: [], TTL: '60s' }),
    query: await make('POST', 'query', { Name: 'planted-query', Service: { Service: 'x' } }),
  };
  const rows = server.routes().filter(({ path }) => !ELSEWHERE.test(path));
  const asked = (token: string, row: Route): Promise<Answer> => {
    const [suffix, body] = ASKED[keyOf(row)] ?? [() => ''];
    return as(token, row.method, row.path + suffix(planted), body);
  };
  return { access, server, rows, asked };
}

const keyOf = ({ method, path }: Route) => `${method} ${path}`;
/** Whoever has this right may do anything. */
const isManagers = ({ right }: Route) => right.by === 'row' && right.need.startsWith('acl:');
const isRead = ({ method }: Route) => method === 'GET';
const said = (row: Route, token: string, { status, text }: Answer) =>
  `${keyOf(row)} with '${token}': ${status} ${text}`;

/** Those whose answers hold nothing by the names of what is planted. */
const NAMELESS_ANSWERS = /^GET \/v1\/(?:operator|health\/ingress)\//;

describe('the matrix of rows and tokens', () => {
  it('leaves no row out', async () => {
    const { rows } = await start();
    assert.deepEqual(rows.map(keyOf).sort(), Object.keys(ASKED).sort());
  });

  for (const token of ['', 'others']) {
    it(`gives nothing away and lets nothing be changed: '${token}'`, async () => {
      const { server, rows, asked } = await start();
      const known = rows.filter(({ right }) => right.by !== 'nobody');
      // The second time from the fast path, where there is one.
      for (const row of known.flatMap((each) => (isRead(each) ? [each, each] : [each]))) {
        const { index } = server.state;
        const answer = await asked(token, row);
        const what = said(row, token, answer);
        assert.doesNotMatch(answer.text + JSON.stringify(answer.headers), /planted|10\.9\.9/, what);
        if (row.right.by === 'row') assert.match(answer.text, /denied/, what);
        if (row.right.by === 'writer') assert.equal(answer.status, 403, what);
        assert.equal(server.state.index, index, what);
      }
    });
  }

  it('refuses a token that nobody knows, that was revoked, or has expired', async () => {
    const { access, server, rows, asked } = await start();
    access.grant('revoked', RULES.write);
    const known = rows.filter(({ right }) => right.by !== 'nobody');
    // So that the fast path knows them.
    for (const row of known.filter(isRead)) {
      assert.notEqual((await asked('revoked', row)).text, 'ACL not found');
      await asked('revoked', row);
    }
    access.revoke('revoked');
    const { index } = server.state;
    for (const row of known) {
      for (const token of ['wrong', 'revoked']) {
        for (const _ of ['once', 'again']) {
          const answer = await asked(token, row);
          assert.deepEqual([answer.status, answer.text], [403, 'ACL not found'], keyOf(row));
        }
      }
    }
    assert.equal(server.state.index, index);
  });

  it('answers whatever token comes where anyone may', async () => {
    const { rows, asked } = await start();
    for (const row of rows.filter(({ right }) => right.by === 'nobody')) {
      for (const token of ['', 'wrong']) {
        assert.equal((await asked(token, row)).status, 200, keyOf(row));
      }
    }
  });

  it('shows to who may read, who may change nothing', async () => {
    const { server, rows, asked } = await start();
    for (const row of rows.filter(({ right }) => right.by !== 'nobody')) {
      const { index } = server.state;
      const answer = await asked('read', row);
      const what = said(row, 'read', answer);
      if (!isRead(row) || isManagers(row)) {
        assert.match(answer.text, /denied/, what);
        assert.equal(server.state.index, index, what);
      } else if (!NAMELESS_ANSWERS.test(keyOf(row))) assert.match(answer.text, /planted/, what);
      else assert.doesNotMatch(answer.text, /denied/, what);
    }
  });

  it('lets who may write do so', async () => {
    const { rows, asked } = await start();
    const inOrder = Object.keys(ASKED);
    rows.sort((a, b) => inOrder.indexOf(keyOf(a)) - inOrder.indexOf(keyOf(b)));
    for (const row of rows) {
      const answer = await asked('write', row);
      if (isManagers(row)) assert.equal(answer.text, 'Permission denied', keyOf(row));
      else assert.doesNotMatch(answer.text, /denied/, said(row, 'write', answer));
      if (row.right.by === 'writer') assert.equal(answer.status, 200, said(row, 'write', answer));
    }
  });
});
