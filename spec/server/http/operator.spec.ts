import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

const AUTOPILOT = '/v1/operator/autopilot/configuration';
const CONFIG = 'Bad request: Error parsing autopilot config: ';

describe(`PUT ${AUTOPILOT}`, () => {
  const REFUSED: readonly (readonly [string, string, RegExp])[] = [
    ['', '{"MaxTrailingLogs":-1}', /^Bad request: Error parsing autopilot config: MaxTrailingLogs/],
    ['', '{"MinQuorum":1.5}', /^Bad request: Error parsing autopilot config: MinQuorum/],
    ['', '{"Unknown":1}', new RegExp(`^${CONFIG}json: unknown field "Unknown"$`)],
    ['', '', new RegExp(`^${CONFIG}EOF$`)],
    ['', '{"LastContactThreshold":"soon"}', new RegExp(`^${CONFIG}time: invalid duration "soon"$`)],
    ['?cas=x', '{}', /^Bad request: Error parsing cas value: strconv.ParseUint: parsing "x": inv/],
    ['?cas=18446744073709551616', '{}', /cas value: strconv.ParseUint: .*: value out of range$/],
  ];
  for (const [query, body, complaint] of REFUSED) {
    it(`refuses ${query} ${body}, and keeps what was there`, async () => {
      const { put, get } = await startServer();
      const before = (await get(AUTOPILOT)).text;
      const { status, text } = await put(AUTOPILOT + query, body);
      assert.equal(status, 400);
      assert.match(text, complaint);
      assert.equal((await get(AUTOPILOT)).text, before);
    });
  }

  it('takes back what it has shown, and numbers of 64 bits', async () => {
    const { put, get } = await startServer();
    const shown = (await get(AUTOPILOT)).json as { ModifyIndex: number };
    const body = JSON.stringify({ ...shown, MaxTrailingLogs: 0 }).replace(
      '"MaxTrailingLogs":0',
      '"MaxTrailingLogs":18446744073709551615',
    );
    assert.equal((await put(`${AUTOPILOT}?cas=${shown.ModifyIndex}`, body)).text, 'true');
    assert.match((await get(AUTOPILOT)).text, /"MaxTrailingLogs":18446744073709551615/);
    assert.equal((await put(`${AUTOPILOT}?cas=18446744073709551615`, body)).text, 'false');
  });
});

/** A server of this name lives beside `n1`, or has failed. */
async function startWith(...names: readonly string[]) {
  const started = await startServer();
  const { server, clock } = started;
  const Tags = { role: 'consul', port: '8300', build: '1.8.7:' };
  const where = { Datacenter: 'dc1', LanPort: 8301, Tags };
  const { server: own } = server.state.leadership;
  await server.members.beat({ ID: own, Node: 'n1', Address: '127.0.0.1', ...where });
  // Until then nothing is said of anybody.
  await clock.advance(5500);
  for (const [i, name] of names.entries()) {
    const Address = `10.0.0.${i + 2}`;
    await server.members.beat({ ID: `id-of-${name}`, Node: name, Address, ...where });
  }
  const fail = (node: string) =>
    server.propose({ type: 'members-failed', term: server.state.leadership.term, nodes: [node] });
  const listed = async () => {
    const { json } = await started.get('/v1/operator/raft/configuration');
    return (json as { Servers: { Node: string }[] }).Servers.map(({ Node }) => Node);
  };
  return { ...started, fail, listed };
}

describe('DELETE /v1/operator/raft/peer', () => {
  for (const [query, status, complaint] of [
    ['', 400, "Bad request: Must specify either ?id with the server's ID or ?address with IP:port"],
    ['?id=a&address=b', 400, 'Bad request: Must specify only one of ?id or ?address'],
    ['?id=a', 500, 'id "a" was not found in the Raft configuration'],
    ['?address=a', 500, 'address "a" was not found in the Raft configuration'],
    ['?id=id-of-n2', 500, 'server "n2" lives, and would be back at once'],
    ['?address=10.0.0.2:8300', 500, 'server "n2" lives, and would be back at once'],
  ] as const) {
    it(`refuses ${query}`, async () => {
      const { del, listed } = await startWith('n2');
      const answer = await del(`/v1/operator/raft/peer${query}`);
      assert.equal(answer.status, status);
      assert(answer.text.startsWith(complaint), answer.text);
      assert.deepEqual(await listed(), ['n2', 'n1']);
    });
  }

  for (const query of ['?id=id-of-n2', '?address=10.0.0.2:8300']) {
    it(`takes out a server that has failed: ${query}`, async () => {
      const { del, listed, fail, server } = await startWith('n2');
      await fail('n2');
      assert.deepEqual(await listed(), ['n2', 'n1']);
      assert.equal((await del(`/v1/operator/raft/peer${query}`)).status, 200);
      assert.deepEqual(await listed(), ['n1']);
      assert.equal(server.state.failedServers.size, 0);
    });
  }
});

describe('POST /v1/operator/raft/transfer-leader', () => {
  const PATH = '/v1/operator/raft/transfer-leader';
  it('refuses where there is nobody to lead in its stead', async () => {
    const { ask } = await startServer();
    const alone = await ask('POST', PATH);
    assert.deepEqual(
      [alone.status, alone.text],
      [500, 'leadership cannot be transferred: there is no other server'],
    );
    const { server } = await startServer();
    for (const id of ['x', server.state.leadership.server]) {
      const answer = await ask('POST', `${PATH}?id=${id}`);
      assert.equal(answer.status, 500);
      assert.match(answer.text, /no other server has the id/);
    }
  });

  it('never names one that has failed', async () => {
    const { ask, fail } = await startWith('n2');
    await fail('n2');
    assert.equal((await ask('POST', PATH)).status, 500);
    assert.equal((await ask('POST', `${PATH}?id=id-of-n2`)).status, 500);
  });

  for (const query of ['', '?id=id-of-n2']) {
    it(`makes another server the leader: ${query}`, async () => {
      const { ask, get, server } = await startWith('n2');
      const answer = await ask('POST', PATH + query);
      assert.deepEqual(answer.json, { Success: true });
      assert.equal(server.state.leadership.server, 'id-of-n2');
      assert.equal((await get('/v1/status/leader')).text, '"10.0.0.2:8300"');
    });
  }
});

describe('/v1/operator/autopilot/health and state', () => {
  it('say nothing of a cluster that has only just come', async () => {
    const { get } = await startServer();
    const { status, text } = await get('/v1/operator/autopilot/health');
    assert.deepEqual(
      [status, text],
      [429, '{"Healthy":false,"FailureTolerance":0,"Servers":null}'],
    );
    const state = (await get('/v1/operator/autopilot/state')).json as { Healthy: boolean };
    assert.equal(state.Healthy, false);
  });

  it('say which of the servers is not well, and how many more may fail', async () => {
    const { get, fail } = await startWith('n2', 'n3');
    const health = async () => {
      const { status, json } = await get('/v1/operator/autopilot/health');
      const { Healthy, FailureTolerance, Servers } = json as {
        Healthy: boolean;
        FailureTolerance: number;
        Servers: { Name: string; SerfStatus: string; Healthy: boolean; LastContact: string }[];
      };
      const shown = Servers.map((each) => [each.Name, each.SerfStatus, each.Healthy]);
      return { status, Healthy, FailureTolerance, shown };
    };
    // Nothing is known of what the others have applied: they use another log here.
    await fail('n2');
    const { status, Healthy, shown } = await health();
    assert.deepEqual([status, Healthy], [429, false]);
    assert.deepEqual(shown.at(-1), ['n1', 'alive', true]);
    assert.deepEqual(shown[0], ['n2', 'failed', false]);
    const state = (await get('/v1/operator/autopilot/state')).json as {
      Leader: string;
      Voters: string[];
      Servers: Record<string, { Name: string; Status: string; NodeStatus: string }>;
    };
    assert.equal(state.Voters.length, 3);
    assert.equal(state.Servers[state.Leader]?.Status, 'leader');
    assert.equal(state.Servers['id-of-n2']?.NodeStatus, 'failed');
  });
});

describe('GET /v1/operator/usage', () => {
  it('counts nodes, services and instances, those of the mesh by their kinds', async () => {
    const { get, put } = await startServer();
    const register = (Node: string, Service: object) =>
      put('/v1/catalog/register', { Node, Address: '10.0.0.1', Service });
    await register('a', { Service: 'web' });
    await register('b', { Service: 'web', Connect: { Native: true } });
    await register('b', { Service: 'consul' });
    const toWeb = { DestinationServiceName: 'web' };
    await register('b', { Service: 'web-proxy', Kind: 'connect-proxy', Port: 1, Proxy: toWeb });
    const { json, index } = await get('/v1/operator/usage');
    assert(index > 0);
    const { dc1 } = (json as { Usage: { dc1: Record<string, unknown> } }).Usage;
    const { ConnectServiceInstances, ...counts } = dc1 ?? {};
    assert.deepEqual(counts, {
      Nodes: 2,
      Services: 3,
      ServiceInstances: 4,
      BillableServiceInstances: 2,
    });
    assert.deepEqual(ConnectServiceInstances, {
      'api-gateway': 0,
      'connect-native': 1,
      'connect-proxy': 1,
      'ingress-gateway': 0,
      'mesh-gateway': 0,
      'terminating-gateway': 0,
    });
  });
});

describe('/v1/operator/keyring', () => {
  it('is empty, in one pool or both, and takes no key', async () => {
    const { get, put } = await startServer();
    const both = await get('/v1/operator/keyring?local-only=false');
    assert.match(both.text, /^4 errors occurred:\n\t\* WAN error: 1\/1 nodes reported failure\n/);
    const local = await get('/v1/operator/keyring?local-only=1');
    assert.match(local.text, /^2 errors occurred:\n\t\* dc1 \(LAN\) error/);
    assert.equal((await get('/v1/operator/keyring?local-only=x')).status, 400);
    assert.equal((await get('/v1/operator/keyring?relay-factor=6')).status, 400);
    assert.equal((await put('/v1/operator/keyring', { Key: 'x' })).status, 500);
    assert.equal((await put('/v1/operator/keyring', { Foo: 'x' })).status, 400);
  });
});
