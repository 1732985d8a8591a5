/** What no route may forget: each is refused in one place, and asked of every row here. */
import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

/** Consul passes over `?dc=` here: what they show is this server's, or belongs to all. */
const OF_NO_DATACENTER =
  /^\/v1\/((internal\/)?acl\/|event\/list|operator\/keyring|(catalog|coordinate)\/datacenters)/;
/** What Consul keeps in no namespace. */
const OF_NO_NAMESPACE =
  /^\/v1\/(acl|coordinate|event|operator|query|status|catalog\/(nodes|datacenters))(\/|$)/;
const TENANTS: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ['?ns=team', {}, 'query parameter: "ns" - Namespaces'],
  ['?ns=default', {}, 'query parameter: "ns" - Namespaces'],
  ['', { 'X-Consul-Namespace': 'team' }, 'header: "X-Consul-Namespace" - Namespaces'],
  ['?partition=team', {}, 'query parameter: "partition" - Partitions'],
  ['', { 'X-Consul-Partition': 'team' }, 'header: "X-Consul-Partition" - Partitions'],
];

async function rows() {
  const server = await startServer();
  const own = server.server.routes().filter(({ path }) => !path.startsWith('/v1/internal/agent'));
  const asked = own.map(({ method, path }) => ({
    method,
    path: path.endsWith('/') ? `${path}x` : path,
  }));
  return { ...server, asked };
}

describe('every row of a server', () => {
  it('refuses what is asked of another data centre, and writes nothing', async () => {
    const { ask, asked, server } = await rows();
    const before = server.state.index;
    for (const { method, path } of asked) {
      if (OF_NO_DATACENTER.test(path)) continue;
      const { status, text } = await ask(
        method,
        `${path}?dc=elsewhere`,
        method === 'GET' ? {} : { body: '{' },
      );
      assert.deepEqual([status, text], [500, 'No path to datacenter'], `${method} ${path}`);
    }
    assert.equal(server.state.index, before);
  });

  it('says of a refused read that nothing is known, but for a key', async () => {
    const { get } = await startServer();
    const indexOf = async (path: string) =>
      (await get(`${path}?dc=elsewhere`)).headers['x-consul-index'];
    assert.equal(await indexOf('/v1/catalog/node/x'), '1');
    assert.equal(await indexOf('/v1/query/x/execute'), '1');
    assert.equal(await indexOf('/v1/kv/x'), undefined);
  });

  for (const [query, headers, what] of TENANTS) {
    it(`refuses ${query}${Object.keys(headers).join()} where something belongs to a tenant`, async () => {
      const { ask, asked, server } = await rows();
      const before = server.state.index;
      for (const { method, path } of asked) {
        if (OF_NO_NAMESPACE.test(path)) continue;
        const { status, text } = await ask(method, path + query, { headers });
        const complaint = `Bad request: Invalid ${what} are a Consul Enterprise feature`;
        assert.deepEqual([status, text], [400, complaint], `${method} ${path}`);
      }
      assert.equal(server.state.index, before);
    });
  }

  it('takes an empty namespace and the one partition', async () => {
    const { get } = await startServer();
    assert.equal((await get('/v1/catalog/services?ns=&partition=default')).status, 200);
    assert.equal((await get('/v1/catalog/nodes?ns=team')).status, 200);
  });

  it('is 401 beneath /v1/acl, whatever is asked', async () => {
    const { ask } = await startServer();
    for (const [method, path] of [
      ['GET', '/v1/acl/tokens'],
      ['PUT', '/v1/acl/bootstrap'],
      ['POST', '/v1/acl/login?ns=x'],
      ['DELETE', '/v1/acl/policy/x?dc=elsewhere'],
    ] as const) {
      const { status, text } = await ask(method, path);
      assert.deepEqual([status, text], [401, 'ACL support disabled'], path);
    }
  });
});

describe('GET …?cached', () => {
  it('is new once, and from then on as old as it is', async () => {
    const { get, put } = await startServer();
    const cacheOf = async (query = '') => {
      const { headers } = await get(`/v1/health/service/web?cached${query}`);
      return [headers['x-cache'], headers['age']];
    };
    assert.deepEqual(await cacheOf(), ['MISS', undefined]);
    assert.deepEqual(await cacheOf(), ['HIT', '0']);
    const Service = { Service: 'web' };
    await put('/v1/catalog/register', { Node: 'a', Address: '10.0.0.1', Service });
    assert.deepEqual(await cacheOf(), ['HIT', '0']);
    assert.deepEqual(await cacheOf('&passing'), ['MISS', undefined]);
  });
});

describe('limits.kv_max_value_size and txn_max_req_len', () => {
  const SEE = 'See https://www.consul.io/docs/agent/options.html#';

  it('are obeyed, and named to who runs into them', async () => {
    const { put, get } = await startServer(undefined, undefined, undefined, {
      kvValueBytes: 20,
      txnBytes: 200,
    });
    assert.equal((await put('/v1/kv/a', 'x'.repeat(20))).status, 200);
    const value = await put('/v1/kv/a', 'y'.repeat(21));
    const complaint = `Request body(21 bytes) too large, max size: 20 bytes. ${SEE}kv_max_value_size.`;
    assert.deepEqual([value.status, value.text], [413, complaint]);
    const set = (Key: string, length: number) => ({
      KV: { Verb: 'set', Key, Value: Buffer.alloc(length, 'z').toString('base64') },
    });
    const op = await put('/v1/txn', [set('a', 21)]);
    const fault = 'Value for key "a" is too large (21 > 20 bytes)';
    assert.deepEqual([op.status, op.text], [413, fault]);
    const txn = await put(
      '/v1/txn',
      ['b', 'c', 'd', 'e'].map((key) => set(key, 12)),
    );
    assert.equal(txn.status, 413);
    assert(txn.text.endsWith(`max size: 200 bytes. ${SEE}txn_max_req_len.`), txn.text);
    assert.equal((await get('/v1/kv/a?raw')).text, 'x'.repeat(20));
    assert.equal((await get('/v1/kv/b')).status, 404);
  });
});
