import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

const Coord = { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };

async function start(...nodes: string[]) {
  const server = await startServer();
  for (const Node of nodes) await server.put('/v1/catalog/register', { Node, Address: '10.0.0.1' });
  const update = (Node: string, over: object = {}) =>
    server.put('/v1/coordinate/update', { Node, Coord, ...over });
  return { ...server, update };
}

describe('PUT /v1/coordinate/update', () => {
  it('is shown by node, in the order of their names', async () => {
    const { update, get } = await start('b', 'a');
    for (const node of ['b', 'a']) assert.equal((await update(node)).status, 200);
    const shown = (await get('/v1/coordinate/nodes')).json as { Node: string }[];
    assert.deepEqual(
      shown.map(({ Node }) => Node),
      ['a', 'b'],
    );
    assert.deepEqual((await get('/v1/coordinate/node/A')).json, [
      { Node: 'a', Segment: '', Coord },
    ]);
  });

  it('drops those of a node that is not there, as Consul does', async () => {
    const { update, get } = await start('a');
    for (const node of ['none', '']) assert.equal((await update(node)).status, 200);
    const known = (await get('/v1/coordinate/nodes')).json as { Node: string }[];
    assert.deepEqual(
      known.filter(({ Node }) => Node !== 'a'),
      [],
    );
  });

  it('refuses another number of dimensions, whoever they are of', async () => {
    const { update } = await start('a');
    for (const node of ['a', 'none']) {
      const { status, text } = await update(node, { Coord: { ...Coord, Vec: [1] } });
      assert.deepEqual([status, text], [500, 'incompatible coordinate']);
    }
  });

  it('moves no index when nothing moved', async () => {
    const { update, get } = await start('a');
    await update('a');
    const { index } = await get('/v1/coordinate/nodes');
    await update('a');
    assert.equal((await get('/v1/coordinate/nodes')).index, index);
  });

  it('has a bound on the segments of a node, which who reports makes up', async () => {
    const { update, get } = await start('a');
    for (let i = 0; i < 64; i++) assert.equal((await update('a', { Segment: `${i}` })).status, 200);
    assert.match((await update('a', { Segment: 'more' })).text, /limited to 64 segments/);
    assert.match((await update('a', { Segment: 'x'.repeat(65) })).text, /of 64 characters/);
    assert.equal((await update('a', { Segment: '7' })).status, 200);
    assert.equal(((await get('/v1/coordinate/node/a')).json as object[]).length, 64);
  });

  it('goes with its node', async () => {
    const { update, put, get } = await start('a');
    await update('a');
    await put('/v1/catalog/deregister', { Node: 'a' });
    assert.equal((await get('/v1/coordinate/node/a')).status, 404);
  });
});

describe('?near', () => {
  it('puts the nearest node first, and those without coordinates last', async () => {
    const { update, get } = await start('a', 'b', 'c', 'd');
    const at = (x: number) => ({ Coord: { ...Coord, Vec: [x, 0, 0, 0, 0, 0, 0, 0] } });
    await update('d', at(0));
    await update('c', at(0.1));
    await update('a', at(0.5));
    const nodes = (await get('/v1/catalog/nodes?near=d')).json as { Node: string }[];
    assert.deepEqual(
      nodes.map(({ Node }) => Node),
      ['d', 'c', 'a', 'b'],
    );
  });
});

describe('?near', () => {
  it('orders anew when coordinates moved, and wakes nobody for it', async () => {
    const { clock, get, put, server } = await startServer();
    const place = (Node: string, x: number) =>
      put('/v1/coordinate/update', {
        Node,
        Coord: { Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 1, Adjustment: 0, Height: 0 },
      });
    for (const node of ['a', 'b', 'c']) await put('/v1/catalog/register', webOn(node));
    await place('a', 0);
    await place('b', 1);
    await place('c', 2);
    const order = async () => {
      const { json, index } = await get('/v1/catalog/service/web?near=a');
      return [index, (json as { Node: string }[]).map(({ Node }) => Node).join('')];
    };
    const [index, first] = await order();
    assert.equal(first, 'abc');
    let answered = false;
    const waiting = get(`/v1/catalog/service/web?near=a&index=${index}&wait=1s`).then((answer) => {
      answered = true;
      return answer;
    });
    await until(() => server.answers.waiting === 1);
    await place('b', 5);
    assert.deepEqual(await order(), [index, 'acb']);
    assert.equal(answered, false);
    await clock.advance(2000);
    assert.deepEqual(
      ((await waiting).json as { Node: string }[]).map(({ Node }) => Node),
      ['a', 'c', 'b'],
    );
  });
});
