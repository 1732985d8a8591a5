import assert from 'node:assert/strict';
import type { Node } from '../../../lib/model.ts';
import { startServer } from '../../support/servers/start-server.ts';

const EU = { Region: 'eu', Zone: 'eu-1' };
const n1 = (Locality?: object) => ({
  Node: 'n1',
  Address: '10.0.0.1',
  Service: { Service: 'web' },
  ...(Locality && { Locality }),
});

describe('where a node is, as a later Consul knows it', () => {
  it('is shown wherever the node is, and of nodes that say nothing nothing', async () => {
    const { put, get } = await startServer();
    await put('/v1/catalog/register', n1(EU));
    await put('/v1/catalog/register', {
      Node: 'n2',
      Address: '10.0.0.2',
      Locality: { Region: '' },
    });
    const nodes = (await get('/v1/catalog/nodes')).json as Node[];
    assert.deepEqual(
      nodes.map(({ Locality }) => Locality),
      [EU, undefined],
    );
    const [entry] = (await get('/v1/health/service/web')).json as { Node: Node }[];
    assert.deepEqual(entry?.Node.Locality, EU);
    const { Node: node } = (await get('/v1/catalog/node/n1')).json as { Node: Node };
    assert.deepEqual(node.Locality, EU);
    assert.doesNotMatch((await get('/v1/catalog/node/n2')).text, /Locality/);
  });

  it('wakes whoever waits where it changes, and nobody where it does not', async () => {
    const { put, get } = await startServer();
    const index = async () => (await get('/v1/catalog/node/n1')).headers['x-consul-index'];
    await put('/v1/catalog/register', n1(EU));
    const before = await index();
    await put('/v1/catalog/register', n1(EU));
    assert.equal(await index(), before);
    await put('/v1/catalog/register', n1({ ...EU, Zone: 'eu-2' }));
    assert.notEqual(await index(), before);
    const moved = await index();
    await put('/v1/catalog/register', n1());
    assert.notEqual(await index(), moved);
  });

  it('may be said in a transaction, and comes back with an archive', async () => {
    const one = await startServer();
    const node = { Node: 'n1', Address: '10.0.0.1', Locality: EU };
    const op = { Node: { Verb: 'set', Node: node } };
    assert.equal((await one.put('/v1/txn', [op])).status, 200);
    assert.deepEqual(one.server.state.catalog.node('n1')?.Locality, EU);
    const two = await startServer();
    const response = await fetch(`http://127.0.0.1:${one.port}/v1/snapshot`);
    const archive = Buffer.from(await response.arrayBuffer());
    assert.equal((await two.put('/v1/snapshot', archive)).status, 200);
    assert.deepEqual(two.server.state.catalog.node('n1')?.Locality, EU);
  });
});
