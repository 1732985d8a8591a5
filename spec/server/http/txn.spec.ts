import assert from 'node:assert/strict';
import { MAX_TXN_OPS } from '../../../lib/limits.ts';
import { startServer } from '../../support/servers/start-server.ts';

const set = (Key: string, Value = 'eA==') => ({ KV: { Verb: 'set', Key, Value } });
const get = (Key: string) => ({ KV: { Verb: 'get', Key } });

describe('PUT /v1/txn', () => {
  it('writes all of its operations or none, and says which failed', async () => {
    const { put, server } = await startServer();
    const { status, json } = await put('/v1/txn', [set('a'), get('none'), set('b')]);
    assert.equal(status, 409);
    const What = 'key "none" doesn\'t exist';
    assert.deepEqual(json, { Results: null, Errors: [{ OpIndex: 1, What }] });
    assert.equal(server.state.kv.size, 0);
  });

  it('that only reads makes no entry, and says how fresh it is', async () => {
    const { put, server } = await startServer();
    await put('/v1/kv/k', 'x');
    const { index } = server.state;
    const { status, headers } = await put('/v1/txn', [get('k')]);
    assert.deepEqual([status, headers['x-consul-knownleader']], [200, 'true']);
    assert.equal(server.state.index, index);
  });

  it('writes keys, nodes, services and checks as one', async () => {
    const { put, get: read } = await startServer();
    const Service = { ID: 's', Service: 'web' };
    const ops = [
      { Node: { Verb: 'set', Node: { Node: 'a', Address: '10.0.0.1' } } },
      { Service: { Verb: 'set', Node: 'a', Service } },
      {
        Check: {
          Verb: 'set',
          Check: { Node: 'a', CheckID: 'c', ServiceID: 's', Status: 'passing' },
        },
      },
      set('k'),
    ];
    assert.equal((await put('/v1/txn', ops)).status, 200);
    const healthy = (await read('/v1/health/service/web?passing')).json as unknown[];
    assert.equal(healthy.length, 1);
  });

  it('keeps no type of a check, whatever is said or could be derived, as Consul does not', async () => {
    const { put, get: read } = await startServer();
    const check = {
      Node: 'a',
      CheckID: 'c',
      Type: 'tcp',
      Definition: { TCP: 'x:1', Interval: '5s' },
    };
    await put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1', Check: check });
    const type = async () => (await read('/v1/health/node/a')).json as { Type: string }[];
    assert.equal((await type())[0]?.Type, 'tcp');
    await put('/v1/txn', [{ Check: { Verb: 'set', Check: check } }]);
    assert.equal((await type())[0]?.Type, '');
  });

  it('takes 64 operations and refuses 65 with 413', async () => {
    const { put } = await startServer();
    const ops = (count: number) => Array.from({ length: count }, (_, i) => set(`k${i}`));
    assert.equal((await put('/v1/txn', ops(64))).status, 200);
    const { status, text } = await put('/v1/txn', ops(65));
    assert.equal(status, 413);
    assert.equal(text, 'Transaction contains too many operations (65 > 64)');
  });

  it('refuses a value beyond 512 KB, and one that is no base64', async () => {
    const { put, server } = await startServer();
    const big = Buffer.alloc(512 * 1024 + 1).toString('base64');
    assert.equal((await put('/v1/txn', [set('k', big)])).status, 413);
    assert.equal((await put('/v1/txn', [set('k', '!')])).status, 400);
    assert.equal(server.state.kv.size, 0);
  });

  it('refuses trees of more rows together than it may answer with, read or written', async () => {
    const { put, server } = await startServer();
    const op = { verb: 'set', flags: 0, value: null, index: 0, session: '' } as const;
    const keys = Array.from({ length: 5000 }, (_, i) => `many/${i}`);
    await Promise.all(keys.map((key) => server.propose({ type: 'kv', op: { ...op, key } })));
    const tree = { KV: { Verb: 'get-tree', Key: 'many/' } };
    const few = await put('/v1/txn', [tree, tree]);
    assert.equal((few.json as { Results: unknown[] }).Results.length, 10_000);
    for (const more of [tree, set('b')]) {
      const { status, text } = await put('/v1/txn', [more, ...Array(MAX_TXN_OPS - 1).fill(tree)]);
      assert.deepEqual([status, text], [413, 'Transaction reads too many keys, max: 262144']);
    }
    assert.equal(server.state.kv.get('b'), undefined);
  });

  it('passes over an operation that names nothing', async () => {
    const { put } = await startServer();
    const { status, json } = await put('/v1/txn', [{}, set('k')]);
    assert.equal(status, 200);
    assert.equal((json as { Results: unknown[] }).Results.length, 1);
  });
});
