import assert from 'node:assert/strict';
import { EVERYTHING } from '../../../lib/acl/rights.ts';
import type { Instance } from '../../../lib/model.ts';
import { Filling } from '../../../server/query/central-defaults.ts';
import { Reader } from '../../../server/query/reader.ts';
import { State } from '../../../server/state/state.ts';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startServer, startServerWith } from '../../support/servers/start-server.ts';

const WHOSE = { DestinationServiceName: 'web', DestinationServiceID: 'web' };
const OWN = { ID: 'p', Service: 'web-proxy', Kind: 'connect-proxy', Port: 1 };
const REGISTRATION = {
  Node: 'm',
  Address: '10.0.0.1',
  Service: { ...OWN, Proxy: { ...WHOSE, Config: { own: 1 } } },
};
const SAID = { Kind: 'service-defaults', Name: 'web', Protocol: 'http' };

const LISTS = [
  '/v1/catalog/service/web-proxy',
  '/v1/catalog/connect/web',
  '/v1/catalog/node-services/m',
  '/v1/health/service/web-proxy',
  '/v1/health/connect/web',
];

async function start() {
  const server = await startServer();
  await server.put('/v1/catalog/register', REGISTRATION);
  return server;
}

describe('?merge-central-config', () => {
  for (const list of LISTS) {
    it(`fills in the proxies of ${list}, and without it they stay as they were registered`, async () => {
      const { get, put } = await start();
      await put('/v1/config', SAID);
      const filled = await get(`${list}?merge-central-config`);
      assert.match(filled.text, /"Config":\{"own":1,"protocol":"http"\}/);
      assert.match((await get(list)).text, /"Config":\{"own":1\}/);
    });
  }

  it('makes an answer wait for the entries too, and for no others', async () => {
    const { get, put } = await start();
    const list = '/v1/health/connect/web?merge-central-config';
    const { index } = await get(list);
    let isAnswered = false;
    const next = get(`${list}&index=${index}&wait=10s`).finally(() => {
      isAnswered = true;
    });
    await put('/v1/config', { ...SAID, Name: 'other' });
    assert.equal(isAnswered, false);
    await put('/v1/config', SAID);
    const { text, index: newer } = await next;
    assert.match(text, /"protocol":"http"/);
    assert.ok(newer > index);
  });

  it('filters by what is shown', async () => {
    const { get, put } = await start();
    await put('/v1/config', { ...SAID, MeshGateway: { Mode: 'local' } });
    const filter = encodeURIComponent('Service.Proxy.MeshGateway.Mode==local');
    const list = `/v1/health/service/web-proxy?filter=${filter}`;
    assert.deepEqual((await get(list)).json, []);
    assert.match((await get(`${list}&merge-central-config`)).text, /"Mode":"local"/);
  });

  it('fills in the proxies of many services, and hears of all of their entries', async () => {
    const { get, put } = await startServer();
    const names = Array.from({ length: 70 }, (_, i) => `s${i}`);
    for (const DestinationServiceName of names) {
      const proxy = { DestinationServiceName, DestinationServiceID: 'x' };
      const Service = { ...OWN, ID: DestinationServiceName, Proxy: proxy };
      await put('/v1/catalog/register', { ...REGISTRATION, Service });
    }
    const list = '/v1/catalog/service/web-proxy?merge-central-config';
    const { index } = await get(list);
    const next = get(`${list}&index=${index}&wait=10s`);
    await put('/v1/config', { ...SAID, Name: 's69' });
    assert.match((await next).text, /"protocol":"http"/);
  });

  it('counts what proxies call too, before it hears of all entries instead of each', () => {
    const reader = new Reader(new State(), EVERYTHING);
    const filling = new Filling(reader, true);
    for (let proxy = 0; proxy < 60; proxy++) {
      const Upstreams = Array.from({ length: 60 }, (_, i) => ({
        DestinationName: `${proxy}-${i}`,
      }));
      filling.of({ ...OWN, Proxy: { ...WHOSE, Upstreams } } as unknown as Instance);
    }
    assert.ok(reader.topics.length < 80, `${reader.topics.length} topics`);
  });

  it('says nothing of a service that whoever asks may not see', async () => {
    const access = new FakeAccess({
      some: 'node_prefix "" { policy = "read" } service "web-proxy" { policy = "read" }',
    });
    const { ask } = await startServerWith({ access });
    const as = (token: string, method: string, path: string, body?: object) =>
      ask(method, path, { ...withToken(token), ...(body && { body }) });
    await as(MASTER, 'PUT', '/v1/catalog/register', REGISTRATION);
    await as(MASTER, 'PUT', '/v1/config', SAID);
    const list = '/v1/catalog/service/web-proxy?merge-central-config';
    assert.match((await as(MASTER, 'GET', list)).text, /"protocol"/);
    const { text } = await as('some', 'GET', list);
    assert.match(text, /"Config":\{"own":1\}/);
  });
});

describe('a list of what speaks for a service in the mesh', () => {
  it('passes over tags, as Consul does: what is asked for is the service behind', async () => {
    const { get, put } = await startServer();
    const proxy = { DestinationServiceName: 'web' };
    const Service = { Service: 'p', Kind: 'connect-proxy', Port: 1, Tags: ['v1'], Proxy: proxy };
    await put('/v1/catalog/register', { Node: 'm', Address: '10.0.0.1', Service });
    for (const list of ['/v1/health/connect/web', '/v1/catalog/connect/web']) {
      assert.equal(((await get(`${list}?tag=other`)).json as object[]).length, 1);
    }
  });
});
