import assert from 'node:assert/strict';
import { createApp } from '../../../lib/http/app.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { startServer } from '../../support/servers/start-server.ts';

describe('what is meant for a peer', () => {
  it('is refused by name, whatever is asked', async () => {
    const { ask } = await startServer();
    for (const [method, path] of [
      ['GET', '/v1/health/service/web'],
      ['GET', '/v1/catalog/nodes'],
      ['GET', '/v1/query/x/execute'],
      ['PUT', '/v1/catalog/register'],
    ] as const) {
      const { status, text } = await ask(method, `${path}?peer=other`, { body: '{}' });
      assert.equal(status, 400, path);
      assert.match(text, /"peer" - clusters are not peered here$/);
      assert.equal(
        (await ask(method, `${path}?peer=`, { body: '{}' })).text.includes('peer'),
        false,
      );
    }
  });

  it('is refused in a body, but for the cluster itself', async () => {
    const { put, server } = await startServer();
    const register = (PeerName: string | null, more = {}) =>
      put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1', PeerName, ...more });
    const refused = await register('other');
    assert.equal(refused.status, 400);
    assert.match(refused.text, /unknown field "PeerName" - clusters are not peered here$/);
    assert.equal((await register('', { Service: { Service: 'w', PeerName: 'x' } })).status, 400);
    assert.equal(server.state.catalog.nodes.size, 0);
    for (const own of ['', null, 'local']) assert.equal((await register(own)).status, 200);
  });

  it('is refused of an upstream, which would call the service of that name here', async () => {
    const { put, server } = await startServer();
    const register = (more: object) =>
      put('/v1/catalog/register', {
        Node: 'a',
        Address: '10.0.0.1',
        Service: {
          Kind: 'connect-proxy',
          Service: 'web-proxy',
          Port: 1,
          Proxy: {
            DestinationServiceName: 'web',
            Upstreams: [{ DestinationName: 'db', LocalBindPort: 9191, ...more }],
          },
        },
      });
    const refused = await register({ DestinationPeer: 'other' });
    assert.match(refused.text, /unknown field "DestinationPeer" - clusters are not peered here$/);
    assert.equal((await register({ DestinationPartition: 'p' })).status, 400);
    assert.equal(server.state.catalog.nodes.size, 0);
    const own = { DestinationPeer: '', DestinationPartition: 'default' };
    assert.equal((await register(own)).status, 200);
    const here = { DestinationNamespace: 'default', DestinationPort: 0, LocalBindSocketPath: '' };
    assert.equal((await register(here)).status, 200);
    for (const [more, why] of [
      [{ DestinationNamespace: 'team' }, /namespace: Namespaces are a Consul Enterprise feature/],
      [{ DestinationPort: 'admin' }, /unknown field "DestinationPort" - a proxy calls a service/],
      [{ LocalBindSocketPath: '/run/db' }, /unknown field "LocalBindSocketPath" - proxies listen/],
    ] as const) {
      const { status, text } = await register(more);
      assert.ok(status >= 400, text);
      assert.match(text, why);
    }
  });

  it('has rows that say that there is none', async () => {
    const { ask } = await startServer();
    for (const [method, path] of [
      ['GET', '/v1/peerings'],
      ['GET', '/v1/peering/x'],
      ['POST', '/v1/peering/token'],
    ] as const) {
      const { status, text } = await ask(method, path);
      assert.deepEqual([status, text], [500, 'peering is not offered here: there is one cluster']);
    }
  });
});

describe('GET /v1/catalog/services?filter', () => {
  it('names the services and tags of the instances that it keeps', async () => {
    const { put, get } = await startServer();
    const register = (Node: string, Service: string, tag: string) =>
      put('/v1/catalog/register', {
        Node,
        Address: '10.0.0.1',
        Service: { ID: `${Service}-${tag}`, Service, Tags: [tag] },
      });
    await register('a', 'web', 'v1');
    await register('b', 'web', 'v2');
    await register('b', 'db', 'v1');
    const filtered = async (filter: string) =>
      (await get(`/v1/catalog/services?filter=${encodeURIComponent(filter)}`)).text;
    assert.equal(await filtered('ServiceName == web'), '{"web":["v1","v2"]}');
    assert.equal(await filtered('"v1" in ServiceTags'), '{"db":["v1"],"web":["v1"]}');
    assert.equal(await filtered('Node == a'), '{"web":["v1"]}');
    // As 1.8, which passes over any.
    for (const unread of ['banana', 'Nope == 1']) {
      assert.equal(await filtered(unread), '{"db":["v1"],"web":["v1","v2"]}');
    }
  });
});

describe('X-Consul-Query-Backend', () => {
  it('is said of the health of services, which a later Consul may answer from a stream', async () => {
    const { get } = await startServer();
    const said = async (path: string) => (await get(path)).headers['x-consul-query-backend'];
    assert.equal(await said('/v1/health/service/web'), 'blocking-query');
    assert.equal(await said('/v1/catalog/service/web'), undefined);
  });
});

describe('JSON for people', () => {
  it('is what all answers are where the process says so, and once more from the fast path', async () => {
    const { server } = await startServer();
    const settings = { responseHeaders: {}, disableUnprintableCharFilter: false, prettyJson: true };
    const app = createApp({ routes: server.routes() }, { settings, logger: silentLogger });
    const { host } = await serveHttp(app);
    const text = async (path: string) => await (await fetch(`http://${host}${path}`)).text();
    assert.match(await text('/v1/catalog/datacenters'), /^\[\n {4}"dc1"\n\]/);
    assert.match(await text('/v1/operator/autopilot/configuration'), /^\{\n {4}"CleanupDeadS/);
    assert.match(await text('/v1/catalog/services'), /^\{\}/);
  });
});
