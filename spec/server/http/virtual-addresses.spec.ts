import assert from 'node:assert/strict';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startDns } from '../../support/servers/start-dns.ts';
import { startServer, startServerWith } from '../../support/servers/start-server.ts';

const PROXY = { ID: 'p', Service: 'web-proxy', Kind: 'connect-proxy', Port: 21000 };
const WHOSE = { DestinationServiceName: 'web', DestinationServiceID: 'web' };
const registration = (proxy: object = {}) => ({
  Node: 'm',
  Address: '10.0.0.1',
  Service: { ...PROXY, Proxy: { ...WHOSE, ...proxy } },
});
const VIRTUAL = '"consul-virtual":{"Address":"240.0.0.1","Port":21000}';

describe('a virtual address', () => {
  it("is among the tagged ones where a later Consul's client asks, and not for one of 1.8", async () => {
    const { get, put } = await startServer();
    await put('/v1/catalog/register', registration());
    for (const list of ['/v1/health/connect/web', '/v1/catalog/service/web-proxy']) {
      const { text } = await get(`${list}?merge-central-config`);
      assert.ok(text.includes(VIRTUAL), text);
      assert.ok(!(await get(list)).text.includes('consul-virtual'));
    }
  });

  it('is there for whoever asks of a proxy that is transparent', async () => {
    const { get, put } = await startServer();
    await put('/v1/catalog/register', registration({ Mode: 'transparent' }));
    assert.ok((await get('/v1/health/connect/web')).text.includes(VIRTUAL));
  });

  it('is not told of a service that whoever asks may not see', async () => {
    const access = new FakeAccess({
      some: 'node_prefix "" { policy = "read" } service "web-proxy" { policy = "read" }',
    });
    const { ask } = await startServerWith({ access });
    const as = async (token: string, method: string, path: string, body?: object) =>
      (await ask(method, path, { ...withToken(token), ...(body && { body }) })).text;
    await as(MASTER, 'PUT', '/v1/catalog/register', registration());
    const list = '/v1/catalog/service/web-proxy?merge-central-config';
    assert.ok((await as(MASTER, 'GET', list)).includes(VIRTUAL));
    assert.ok(!(await as('some', 'GET', list)).includes('240.0.0.1'));
    const path = '/v1/internal/dns/virtual/web';
    assert.equal(await as(MASTER, 'GET', path), '"240.0.0.1"');
    assert.equal(await as('some', 'GET', path), 'null');
  });

  it('is what NAME.virtual leads to, in this data centre, for as long as there is one', async () => {
    const { udp, register, put } = await startDns();
    const answers = async (name: string, type: 'A' | 'AAAA' | 'ANY' = 'A') => {
      const { rcode, answers: found } = await udp(name, type);
      return [rcode, ...found.map(({ data }) => data)];
    };
    const [none] = await answers('web.virtual.consul');
    await register(registration());
    assert.deepEqual(await answers('WEB.virtual.consul'), [0, '240.0.0.1']);
    assert.deepEqual(await answers('web.virtual.dc1.consul', 'ANY'), [0, '240.0.0.1']);
    assert.deepEqual(await answers('web.virtual.consul', 'AAAA'), [0]);
    assert.deepEqual(await answers('web.virtual.dc9.consul'), [none]);
    await put('/v1/catalog/deregister', { Node: 'm', ServiceID: 'p' });
    assert.deepEqual(await answers('web.virtual.consul'), [none]);
  });
});
