import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { startServer } from '../../support/servers/start-server.ts';

interface Entry {
  readonly Node: { readonly Node: string };
  readonly Checks: readonly { readonly CheckID: string }[];
}

async function start() {
  const server = await startServer();
  const check = (Node: string, CheckID: string, Status: string, ServiceID = '') =>
    server.put('/v1/catalog/register', webOn(Node, { Check: { CheckID, Status, ServiceID } }));
  const nodes = async (query: string) =>
    ((await server.get(`/v1/health/service/web${query}`)).json as Entry[]).map((e) => e.Node.Node);
  return { ...server, check, nodes };
}

describe('GET /v1/health/service/:name', () => {
  it("shows the node's checks, then the instance's, and none of another instance", async () => {
    const { check, put, get } = await start();
    await check('a', 'node-check', 'passing');
    await check('a', 'web-check', 'passing', 'web1');
    const Service = { ID: 'db1', Service: 'db' };
    const Check = { CheckID: 'db-check', ServiceID: 'db1' };
    await put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1', Service, Check });
    const [entry] = (await get('/v1/health/service/web')).json as [Entry];
    assert.deepEqual(
      entry.Checks.map(({ CheckID }) => CheckID),
      ['node-check', 'web-check'],
    );
  });

  it('?passing leaves out who warns or fails, itself or its node', async () => {
    const { check, nodes } = await start();
    await check('well', 'c', 'passing', 'web1');
    await check('warns', 'c', 'warning', 'web1');
    await check('fails', 'c', 'critical', 'web1');
    await check('on-failing-node', 'serfHealth', 'critical');
    assert.deepEqual(await nodes('?passing'), ['well']);
    assert.deepEqual(await nodes(''), ['fails', 'on-failing-node', 'warns', 'well']);
  });

  it('?tag wants all tags that are named, ?node-meta all pairs, ?filter what it says', async () => {
    const { put, nodes } = await start();
    const register = (Node: string, Tags: string[], NodeMeta: object) =>
      put('/v1/catalog/register', webOn(Node, { NodeMeta, Service: { Service: 'web', Tags } }));
    await register('a', ['x', 'y'], { rack: '1' });
    await register('b', ['x'], { rack: '2' });
    assert.deepEqual(await nodes('?tag=x&tag=Y'), ['a']);
    assert.deepEqual(await nodes('?node-meta=rack:2'), ['b']);
    assert.deepEqual(await nodes(`?filter=${encodeURIComponent('"y" not in Service.Tags')}`), [
      'b',
    ]);
  });

  it('wakes when a check of its node changes, though no instance did', async () => {
    const { clock, check, get } = await start();
    await check('a', 'serfHealth', 'passing');
    const { index } = await get('/v1/health/service/web');
    const { armed } = clock;
    const waiting = get(`/v1/health/service/web?index=${index}`);
    await clock.untilArmed(armed + 1);
    await check('a', 'serfHealth', 'critical');
    assert.match((await waiting).text, /"critical"/);
  });
});

describe('GET /v1/health/state/:status', () => {
  it('lists the checks that stand so, and any', async () => {
    const { check, get } = await start();
    await check('a', 'c1', 'passing');
    await check('a', 'c2', 'critical');
    const ids = async (status: string) =>
      ((await get(`/v1/health/state/${status}`)).json as { CheckID: string }[]).map(
        (c) => c.CheckID,
      );
    assert.deepEqual(await ids('critical'), ['c2']);
    assert.deepEqual(await ids('any'), ['c1', 'c2']);
    assert.deepEqual(await ids('none'), []);
  });
});
