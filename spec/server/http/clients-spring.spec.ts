/**
 * What spring-cloud-consul's watches send, character by character. They do not look at what they get: they
 * compare indexes, and a change whose index they have seen elsewhere is a refresh that never comes.
 */
import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { type Answer, startServer, type TestServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

/** Of an application `shop` with the profile `dev`, in the order in which they are asked. */
const CONTEXTS = [
  'config/shop,dev/',
  'config/shop/',
  'config/application,dev/',
  'config/application/',
];

const seen = async ({ get }: TestServer, context: string) =>
  (await get(`/v1/kv/${context}?recurse&wait=55s&index=1&token=`)).index;

const watching = ({ get }: TestServer, context: string, index: number): Promise<Answer> =>
  get(`/v1/kv/${context}?recurse&wait=55s&index=${index}&token=`);

describe('the watch of Spring’s configuration', () => {
  async function start() {
    const server = await startServer();
    await server.put('/v1/kv/config/shop/colour', 'red');
    await server.put('/v1/kv/config/application/colour', 'blue');
    await server.put('/v1/kv/unrelated', 'x');
    return server;
  }

  it('is answered with an index of each context, there or not, and 404 where nothing is', async () => {
    const server = await start();
    for (const context of CONTEXTS) {
      const { status, index } = await server.get(`/v1/kv/${context}?recurse&token=`);
      assert.equal(status, context.includes(',') ? 404 : 200, context);
      assert(index > 0, context);
    }
  });

  it('is answered at once where its context changed while another one was asked', async () => {
    const server = await start();
    const context = 'config/shop/';
    const index = await seen(server, context);
    await server.put('/v1/kv/config/shop/colour', 'green');
    const { index: now } = await watching(server, context, index);
    assert(now > index);
    // One that is not there follows what is around it, as in Consul: only others' own indexes differ.
    assert.notEqual(await seen(server, 'config/application/'), now);
  });

  it('sees a context come to be, and go', async () => {
    const server = await start();
    const context = 'config/shop,dev/';
    const waiting = watching(server, context, await seen(server, context));
    await until(() => server.server.answers.waiting === 1);
    await server.put('/v1/kv/config/shop,dev/colour', 'black');
    const there = await waiting;
    assert.equal(there.status, 200);
    await server.del('/v1/kv/config/shop,dev/?recurse');
    const gone = await watching(server, context, there.index);
    assert.equal(gone.status, 404);
    assert(gone.index > there.index);
  });

  it('waits its 55 seconds where others’ keys change, and keeps its index', async () => {
    const server = await start();
    const index = await seen(server, 'config/shop/');
    const waiting = watching(server, 'config/shop/', index);
    await until(() => server.server.answers.waiting === 1);
    await server.put('/v1/kv/other/thing', 'x');
    await server.clock.advance(60_000);
    assert.equal((await waiting).index, index);
  });

  it('of its fifth version begins with -1, which Consul refuses as this does', async () => {
    const { get } = await start();
    const { status, text } = await get('/v1/kv/config/shop/?recurse&wait=55s&index=-1');
    assert.deepEqual([status, text], [400, 'Invalid index']);
  });
});

describe('the watch of Spring’s discovery', () => {
  const asking = ({ get }: TestServer, index: number | string) =>
    get(`/v1/catalog/services?wait=2s&index=${index}&token=`);

  it('begins without an index, and waits two seconds with the one that it got', async () => {
    const server = await startServer();
    await server.put('/v1/catalog/register', webOn('a'));
    const { index } = await asking(server, '');
    const waiting = asking(server, index);
    await until(() => server.server.answers.waiting === 1);
    await server.clock.advance(2200);
    assert.equal((await waiting).index, index);
  });

  it('is woken by a service that comes, and by none whose health changes', async () => {
    const server = await startServer();
    await server.put('/v1/catalog/register', webOn('a'));
    const { index } = await asking(server, '');
    const waiting = asking(server, index);
    await until(() => server.server.answers.waiting === 1);
    const check = { CheckID: 'c', ServiceID: 'web1', Status: 'critical' };
    await server.put('/v1/catalog/register', webOn('a', { Check: check }));
    assert.equal(server.server.answers.waiting, 1);
    await server.put('/v1/catalog/register', {
      Node: 'a',
      Address: '10.0.0.1',
      Service: { Service: 'new' },
    });
    assert.deepEqual(Object.keys((await waiting).json as object).sort(), ['new', 'web']);
  });

  it('lists a service with passing=false as with none, and looks for maintenance by its name', async () => {
    const server = await startServer();
    const check = {
      CheckID: '_service_maintenance:web1',
      Name: 'Service Maintenance Mode',
      ServiceID: 'web1',
      Status: 'critical',
    };
    await server.put('/v1/catalog/register', webOn('a', { Check: check }));
    const list = async (query: string) =>
      ((await server.get(`/v1/health/service/web?${query}&tag=&token=`)).json as unknown[]).length;
    assert.deepEqual([await list('passing=false'), await list('passing=true')], [1, 0]);
    const [shown] = (await server.get('/v1/health/checks/web?token=')).json as [{ Name: string }];
    assert.equal(shown.Name, 'Service Maintenance Mode');
  });
});
