/** A node that is too large for one answer: it is read in parts, and what is too much there can be taken out. */
import assert from 'node:assert/strict';
import { objectIn, objectsIn, type Said } from '../../../kubernetes/api/shapes.ts';
import type { Catalog, CatalogRequest } from '../../../kubernetes/catalog.ts';
import { someOf, wholeNode } from '../../../kubernetes/to-catalog/node-parts.ts';
import type { Shown } from '../../../kubernetes/to-catalog/rows.ts';
import { kubeService, kubeSlice } from '../../support/kubernetes/cluster.ts';
import { NODE, startSyncWorld } from '../../support/kubernetes/syncs.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const WHOLE = `/v1/internal/ui/node/${NODE}`;
const TOO_LARGE = { status: 413, index: '', text: 'The answer is too large', json: undefined };

function filterOf({ query = [] }: CatalogRequest): string {
  return query.find(([name]) => name === 'filter')?.[1] ?? '';
}

async function started(pods: number) {
  const world = await startSyncWorld();
  const { objects, sync, rows, port } = world;
  const ips = Array.from({ length: pods }, (_, i) => ({ ip: `10.1.0.${i}` }));
  objects.create('services', kubeService('web'));
  objects.create('endpointslices', kubeSlice('web', ips));
  const first = sync();
  await until(() => rows().length === pods);
  const asked: string[] = [];
  /** A server that finds too large what is said to be. */
  const catalog = (isTooLarge: (request: CatalogRequest) => boolean): Catalog => ({
    ask: async (request, signal) => {
      asked.push(filterOf(request));
      if (isTooLarge(request)) return TOO_LARGE;
      const { path, query = [] } = request;
      const text = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
      const answer = await send(port, 'GET', `${path}?${text}`, { signal });
      return { ...answer, index: String(answer.index), json: JSON.parse(answer.text) };
    },
  });
  return { ...world, first, asked, catalog };
}

const byId = (rows: readonly Said[]) =>
  rows.map(({ ID, CheckID, ModifyIndex }) => `${ID} ${CheckID} ${ModifyIndex}`).sort();

describe('a node that is too large for one answer', () => {
  const request = { method: 'GET', path: WHOLE } as const;
  const { signal } = new AbortController();

  it('is read in parts, and a part that is too large in parts of its own', async () => {
    const { catalog, asked, get } = await started(40);
    const whole = JSON.parse((await get(WHOLE)).text) as Said;
    const some = /matches "[3a]\$"$/;
    const isTooLarge = (each: CatalogRequest) => each.path === WHOLE || some.test(filterOf(each));
    const { json, index } = await wholeNode(catalog(isTooLarge), NODE).ask(request, signal);
    const parts = objectIn(json);
    assert.deepEqual(
      byId(objectsIn(parts['Services'])),
      byId(objectsIn(whole['Services'])),
      asked.join('\n'),
    );
    assert.deepEqual(byId(objectsIn(parts['Checks'])), byId(objectsIn(whole['Checks'])));
    assert.match(index, /^\d+$/);
    assert.ok(asked.some((filter) => filter === 'ID matches "0a$"'));
  });

  it('is held no more of than is kept, part by part', async () => {
    const { catalog } = await started(8);
    const tooLarge = catalog((each) => each.path === WHOLE);
    let parts = 0;
    const keeping = () => (part: Shown) => {
      parts++;
      return { services: part.services.slice(0, 1), checks: [] };
    };
    const { json } = await wholeNode(tooLarge, NODE, keeping).ask(request, signal);
    const { Services, Checks } = objectIn(json);
    assert.deepEqual([parts, objectsIn(Checks)], [17, []]);
    assert.ok(objectsIn(Services).length < 9);
  });

  it('is read in parts too where a server is too busy for one large answer', async () => {
    const { catalog } = await started(3);
    const busy = catalog(() => false);
    const parts = wholeNode(
      {
        ask: async (each, over) =>
          each.path === WHOLE ? { ...TOO_LARGE, status: 429 } : await busy.ask(each, over),
      },
      NODE,
    );
    const { json } = await parts.ask(request, signal);
    assert.equal(objectsIn(objectIn(json)['Services']).length, 4);
  });

  it('is waited for whole after that, from before whatever changed while its parts were read', async () => {
    const { catalog, register, first } = await started(2);
    // Whose beats say something of the node each moment.
    await first.stop();
    const SkipNodeUpdate = true;
    const bring = (ID: string, of: object = {}) =>
      register({ Node: NODE, SkipNodeUpdate, Service: { ID, Service: 'x' }, ...of });
    await bring('x0');
    let isBusy = true;
    const behind = catalog(() => false);
    const busy: Catalog = {
      ask: async (each, over) => {
        if (each.path === WHOLE && isBusy) return { ...TOO_LARGE, status: 429 };
        const answer = await behind.ask(each, over);
        // All that end so were read: now one of them changes, and then a check of another part, which is read after that.
        if (each.path === `/v1/catalog/node/${NODE}` && filterOf(each) === 'ID matches "0$"') {
          await bring('y0');
          await bring('yf', { Check: { CheckID: 'c', Name: 'c', ServiceID: 'yf' } });
        }
        return answer;
      },
    };
    const parts = wholeNode(busy, NODE);
    const ids = (json: unknown) => objectsIn(objectIn(json)['Services']).map(({ ID }) => ID);
    const { index, json } = await parts.ask(request, signal);
    assert.ok(ids(json).includes('yf') && !ids(json).includes('y0'), `${ids(json)}`);
    isBusy = false;
    const query = [['index', index] as const, ['wait', '1m'] as const];
    assert.ok(ids((await parts.ask({ ...request, query }, signal)).json).includes('y0'));
  });

  it('is waited for by questions that show nothing, until anything of it changes', async () => {
    const { catalog, asked, register, first } = await started(2);
    // Whose beats say something of the node each moment.
    await first.stop();
    const tooLarge = catalog(({ path }) => path === WHOLE);
    const parts = wholeNode(tooLarge, NODE, undefined, 100);
    const read = async (...query: CatalogRequest['query'] & object) => {
      const { index, json } = await parts.ask({ ...request, query }, signal);
      const { Services, Checks } = objectIn(json);
      return { index, shown: [...byId(objectsIn(Services)), ...byId(objectsIn(Checks))].join() };
    };
    let last = await read();
    const SkipNodeUpdate = true;
    const Service = { ID: 'x', Service: 'x' };
    const Check = { CheckID: 'c', Name: 'c', ServiceID: 'x', Status: 'passing' };
    for (const change of [
      () => register({ Node: NODE, SkipNodeUpdate, Service }),
      () => register({ Node: NODE, SkipNodeUpdate, Check }),
    ]) {
      asked.length = 0;
      const next = read(['index', last.index], ['wait', '1m']);
      await until(() => asked.length === 2);
      assert.deepEqual(asked, ['ID == ""', 'CheckID == ""']);
      await change();
      const now = await next;
      assert.ok(!asked.includes(''), 'the whole node was asked for');
      assert.notEqual(now.shown, last.shown);
      assert.ok(BigInt(now.index) > BigInt(last.index), `${now.index} after ${last.index}`);
      last = now;
    }
  });

  it('is read in one answer again once it is small', async () => {
    const { catalog, asked } = await started(2);
    let isLarge = true;
    const parts = wholeNode(
      catalog(({ path }) => path === WHOLE && isLarge),
      NODE,
    );
    await parts.ask(request, signal);
    [isLarge, asked.length] = [false, 0];
    await parts.ask(request, signal);
    assert.deepEqual(asked, ['']);
  });

  it('is told to be too large where no part of it is small', async () => {
    const { catalog } = await started(1);
    const all = wholeNode(
      catalog(() => true),
      NODE,
    );
    await assert.rejects(all.ask(request, signal), { code: 'too-large' });
  });

  it('is made small again by a sync whose turn begins, which goes on with all others', async () => {
    const { objects, sync, first, untilShown, rows } = await started(20);
    await first.stop();
    const isLarge = () => rows().length > 10;
    sync('b', {}, '', undefined, ({ path }) =>
      path === WHOLE && isLarge() ? TOO_LARGE : undefined,
    );
    objects.set('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    objects.create('services', kubeService('shop'));
    objects.create('endpointslices', kubeSlice('shop', [{ ip: '10.2.0.1' }]));
    await untilShown('web 10.1.0.1:8080 passing', 'shop 10.2.0.1:8080 passing');
  });
});

describe('some instances of a node', () => {
  it('are asked for by their ids, whatever those are, a few at a time', async () => {
    const { catalog, asked, register, first } = await started(20);
    await first.stop();
    const ids = ['x', 'a"b', 'c d', 'über', '\\'];
    for (const ID of ids) {
      const Check = { CheckID: `of ${ID}`, Name: 'c', ServiceID: ID, Status: 'passing' };
      const Service = { ID, Service: 'x' };
      await register({ Node: NODE, SkipNodeUpdate: true, Service, Check });
    }
    const none = Array.from({ length: 6 }, (_, i) => `none-${i}`);
    const { signal } = new AbortController();
    const { services, checks } = await someOf(
      catalog(() => false),
      NODE,
      [...ids, ...none],
      signal,
    );
    assert.deepEqual(services.map(({ ID }) => ID).sort(), [...ids].sort());
    assert.deepEqual(checks.map(({ ServiceID }) => ServiceID).sort(), [...ids].sort());
    assert.equal(asked.length, 4);
  });
});
