import assert from 'node:assert/strict';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startServerWith } from '../../support/servers/start-server.ts';

const WRITES_A = 'service "a" { policy = "write" }';
const RULES = {
  own: WRITES_A,
  both: `${WRITES_A} service "b" { policy = "read" }`,
  reads: 'service "a" { policy = "read" }',
  operator: 'operator = "write"',
};
type Who = keyof typeof RULES;

const entry = (kind: string, fields: object = {}) => ({
  Kind: `service-${kind}`,
  Name: 'a',
  ...fields,
});
const route = (more: object) => ({ Match: { HTTP: { PathPrefix: '/x' } }, ...more });
const ALONE = [
  entry('resolver'),
  entry('resolver', { Failover: { '*': { Datacenters: ['dc2'] } } }),
  entry('splitter', { Splits: [{ Weight: 100 }] }),
  entry('router', { Routes: [route({})] }),
];
const LEADING_TO_B = [
  entry('resolver', { Redirect: { Service: 'b' } }),
  entry('resolver', { Failover: { '*': { Service: 'b' } } }),
  entry('splitter', { Splits: [{ Weight: 50 }, { Weight: 50, Service: 'b' }] }),
  entry('router', { Routes: [route({ Destination: { Service: 'b' } })] }),
];

async function start() {
  const connect = { provider: 'consul', config: {} };
  const { ask } = await startServerWith({ access: new FakeAccess(RULES), connect });
  const as = async (who: Who | typeof MASTER, method: string, path: string, body?: object) =>
    await ask(method, path, { ...withToken(who), ...(body && { body }) });
  const put = async (who: Who | typeof MASTER, body: object) =>
    (await as(who, 'PUT', '/v1/config', body)).status;
  assert.equal(await put(MASTER, { Kind: 'proxy-defaults', Config: { protocol: 'http' } }), 200);
  return { as, put };
}

/** As a real Consul 1.8.7 has it. */
describe('entries of chains, under access control', () => {
  it('are written by whoever may write the service, and see all that they lead to', async () => {
    const { put } = await start();
    for (const each of ALONE) assert.equal(await put('own', each), 200, JSON.stringify(each));
    for (const each of LEADING_TO_B) {
      assert.equal(await put('own', each), 403, JSON.stringify(each));
      assert.equal(await put('both', each), 200, JSON.stringify(each));
    }
    assert.equal(await put('both', { ...ALONE[0], Name: 'b' }), 403);
    for (const each of ALONE) {
      assert.equal(await put('reads', each), 403);
      assert.equal(await put('operator', each), 403);
    }
  });

  it('are seen by whoever may see the service, wherever they lead, and removed by who may write it', async () => {
    const { as, put } = await start();
    const kinds = ['router', 'splitter', 'resolver'];
    for (const each of LEADING_TO_B.slice(1)) assert.equal(await put(MASTER, each), 200);
    for (const kind of kinds) {
      const one = `/v1/config/service-${kind}/a`;
      assert.match((await as('reads', 'GET', one)).text, /"Service":"b"/);
      assert.match((await as('reads', 'GET', `/v1/config/service-${kind}`)).text, /"Name":"a"/);
      assert.equal((await as('operator', 'GET', one)).status, 403);
      assert.equal((await as('operator', 'GET', `/v1/config/service-${kind}`)).text, '[]');
      assert.equal((await as('reads', 'DELETE', one)).status, 403);
      assert.equal((await as('reads', 'DELETE', `${one}-none`)).status, 403);
    }
    assert.equal((await as('reads', 'GET', '/v1/discovery-chain/a')).status, 200);
    assert.equal((await as('reads', 'GET', '/v1/discovery-chain/b')).status, 403);
    for (const kind of kinds) {
      const { status, text } = await as('own', 'DELETE', `/v1/config/service-${kind}/a`);
      assert.equal(status, 200, text);
    }
  });
});
