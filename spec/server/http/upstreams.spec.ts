import assert from 'node:assert/strict';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import {
  startServer,
  startServerWith,
  type TestServer,
} from '../../support/servers/start-server.ts';

const PATH = '/v1/internal/overview/upstreams';

function proxyOf(service: string, upstreams: readonly object[], id = `${service}-proxy`) {
  return {
    Node: 'm1',
    Address: '10.0.0.1',
    Service: {
      Kind: 'connect-proxy',
      Service: `${service}-proxy`,
      ID: id,
      Port: 21000,
      Proxy: {
        DestinationServiceName: service,
        Upstreams: upstreams.map((each, i) => ({ LocalBindPort: 9000 + i, ...each })),
      },
    },
  };
}

const to = (DestinationName: string, more: object = {}) => ({
  DestinationName,
  ...more,
});

async function register({ put }: TestServer, ...all: readonly object[]): Promise<void> {
  for (const each of all) {
    const { status, text } = await put('/v1/catalog/register', each);
    assert.equal(status, 200, text);
  }
}

describe(`GET ${PATH}`, () => {
  it('says of each service whom its proxies call, all of them together', async () => {
    const server = await startServer();
    await register(
      server,
      proxyOf('web', [to('db'), to('cart')]),
      proxyOf('web', [to('db'), to('pay')], 'web-proxy-2'),
      proxyOf('cart', [to('db')]),
      proxyOf('db', []),
    );
    assert.deepEqual((await server.get(PATH)).json, [
      { Name: 'cart', Upstreams: ['db'] },
      { Name: 'web', Upstreams: ['cart', 'db', 'pay'] },
    ]);
  });

  it('leaves out what prepared queries find, and what is elsewhere', async () => {
    const server = await startServer();
    const query = to('nearest', { DestinationType: 'prepared_query' });
    await register(server, proxyOf('web', [query, to('db', { Datacenter: 'dc2' }), to('cart')]));
    assert.deepEqual((await server.get(PATH)).json, [{ Name: 'web', Upstreams: ['cart'] }]);
  });

  it('tells of a proxy that somebody may see, and of no other', async () => {
    const access = new FakeAccess({
      t: 'service "web-proxy" { policy = "read" } node_prefix "" { policy = "read" }',
    });
    const { put, get } = await startServerWith({ access });
    for (const body of [proxyOf('web', [to('db')]), proxyOf('cart', [to('db')])]) {
      assert.equal((await put('/v1/catalog/register', body, withToken(MASTER))).status, 200);
    }
    assert.deepEqual((await get(PATH, withToken('t'))).json, [{ Name: 'web', Upstreams: ['db'] }]);
  });

  it('is waited on: a proxy that comes, changes or goes is told', async () => {
    const server = await startServer();
    const first = await server.get(PATH);
    const wait = (index: number) => server.get(`${PATH}?index=${index}`);
    const came = wait(first.index);
    await register(server, proxyOf('web', [to('db')]));
    const second = await came;
    assert.deepEqual(second.json, [{ Name: 'web', Upstreams: ['db'] }]);
    const changed = wait(second.index);
    await register(server, proxyOf('web', [to('cart')]));
    assert.deepEqual((await changed).json, [{ Name: 'web', Upstreams: ['cart'] }]);
    await server.put('/v1/catalog/deregister', { Node: 'm1', ServiceID: 'web-proxy' });
    assert.deepEqual((await server.get(PATH)).json, []);
  });
});
