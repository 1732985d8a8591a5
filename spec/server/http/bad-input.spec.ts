import assert from 'node:assert/strict';
import { MAX_KV_VALUE_BYTES } from '../../../lib/limits.ts';
import { FuzzClient } from '../../support/experiments/fuzz-client.ts';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer } from '../../support/servers/start-server.ts';

const KB = 1024;
const TRUE = '{"Node":"n1","Address":"10.0.0.1"}';

async function start() {
  const server = await startServer();
  const client = new FuzzClient(server.port);
  await client.ask('GET /v1/status/leader HTTP/1.1\r\nHost: x\r\n\r\n');
  return { ...server, client };
}

const put = (path: string, headers: string, body = '') =>
  `PUT ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n${body}`;

describe('a body', () => {
  it('is refused with 413 while it still streams, whatever its Content-Length says', async () => {
    const { client } = await start();
    const half = 'x'.repeat(MAX_KV_VALUE_BYTES + KB);
    const { status, head } = await client.ask(put('/v1/kv/k', 'Content-Length: 100000000', half));
    assert.equal(status, 413);
    assert.match(head, /^connection: close/im);
    client.close();
  });

  it('is refused with 413 while its chunks go on and on', async () => {
    const { client } = await start();
    const answering = client.ask(put('/v1/kv/k', 'Transfer-Encoding: chunked'));
    const chunk = `8000\r\n${'x'.repeat(32 * KB)}\r\n`;
    for (let i = 0; i < 17; i++) client.write(chunk);
    assert.equal((await answering).status, 413);
    client.close();
  });

  it('may come in chunks', async () => {
    const { client, get } = await start();
    await client.ask(
      put('/v1/kv/k', 'Transfer-Encoding: chunked', '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n'),
    );
    assert.equal((await get('/v1/kv/k?raw')).text, 'abc');
    client.close();
  });

  it('that breaks off writes nothing', async () => {
    const { client, get, server } = await start();
    const answering = client.ask(put('/v1/kv/k', 'Content-Length: 10', 'half'));
    await get('/v1/status/leader');
    client.close();
    assert.equal((await answering).status, 0);
    assert.equal(server.state.kv.get('k'), undefined);
  });

  it('that is longer than it says is cut there, and the rest is no request', async () => {
    const { client, server } = await start();
    const { status } = await client.ask(put('/v1/kv/k', 'Content-Length: 2', 'abrest'));
    assert.equal(status, 200);
    assert.equal(server.state.kv.get('k')?.Value, Buffer.from('ab').toString('base64'));
  });

  const TWO_LENGTHS = [
    'Content-Length: 3\r\nContent-Length: 4',
    'Content-Length: 3\r\nTransfer-Encoding: chunked',
    'Transfer-Encoding: chunked, gzip',
    'Content-Length: -1',
    'Content-Length: 0x3',
  ];
  for (const headers of TWO_LENGTHS) {
    it(`whose length is in doubt is refused: ${JSON.stringify(headers)}`, async () => {
      const { client, server } = await start();
      assert.equal((await client.ask(put('/v1/kv/k', headers, 'abc'))).status, 400);
      assert.equal(server.state.kv.get('k'), undefined);
    });
  }

  it('of 512 KB is a value, one byte more is none', async () => {
    const server = await startServer();
    const most = Buffer.alloc(MAX_KV_VALUE_BYTES, 'x');
    assert.equal((await server.put('/v1/kv/k', most)).status, 200);
    const { status, text } = await server.put('/v1/kv/k', Buffer.concat([most, most]));
    assert.equal(status, 413);
    assert.match(
      text,
      /^Request body\(\d+ bytes\) too large, max size: 524288 bytes\. See .*#kv_max_value_size\.$/,
    );
  });

  it('is not unpacked, however small it claims to be', async () => {
    const server = await startServer();
    const headers = { 'Content-Encoding': 'gzip' };
    const { status } = await server.put('/v1/catalog/register', Buffer.from([0x1f, 0x8b]), {
      headers,
    });
    assert.equal(status, 400);
  });
});

describe('JSON', () => {
  const REFUSED: readonly (readonly [string, string])[] = [
    ['nested 10,000 deep', `{"Node":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['a string of quotes without an end', `"${'\\"'.repeat(200_000)}`],
    [
      'a number beyond all numbers',
      '{"Node":"a","Address":"x","Service":{"Service":"w","Port":1e999}}',
    ],
    [
      'a number that no client could read back',
      TRUE.replace('}', ',"Service":{"Service":"w","Port":1e300}}'),
    ],
    ['nothing', ''],
    ['another kind of value', '[]'],
    ['text behind it', `${TRUE} x`],
    ['a name with NUL', '{"Node":"a\\u0000b","Address":"x"}'],
  ];
  for (const [what, body] of REFUSED) {
    it(`is refused with 400: ${what}`, async () => {
      const { status, text } = await (await startServer()).put('/v1/catalog/register', body);
      assert.equal(status, 400);
      assert.match(text, /^Request decode failed: ./);
    });
  }

  it('of several fields of one name counts the last', async () => {
    const server = await startServer();
    await server.put('/v1/catalog/register', '{"Node":"a","node":"b","Address":"x","Address":"y"}');
    const [node] = (await server.get('/v1/catalog/nodes')).json as [
      { Node: string; Address: string },
    ];
    assert.deepEqual([node.Node, node.Address], ['b', 'y']);
  });

  it('cannot reach what all objects stand on', async () => {
    const server = await startServer();
    const evil = '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}';
    const Service = `{"Service":"w","Meta":{"__proto__":"x"},"Proxy":{"Config":${evil}}}`;
    await server.put('/v1/catalog/register', TRUE.replace('}', `,"Service":${Service}}`));
    const refused = await server.put('/v1/catalog/register', TRUE.replace('}', `,"__proto__":{}}`));
    assert.match(refused.text, /unknown field "__proto__"/);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
    assert.match((await server.get('/v1/catalog/service/w')).text, /"__proto__":\{"x":1\}/);
  });

  it('of a session may be missing, or hold a lock-delay of too many digits', async () => {
    const server = await startServer();
    await server.put('/v1/catalog/register', '{"Node":"n1","Address":"x"}');
    assert.equal((await server.put('/v1/session/create', '{"Checks":[]}')).status, 200);
    const huge = await server.put('/v1/session/create', '{"LockDelay":15000000000000000000}');
    assert.equal(huge.status, 400);
    assert.match(huge.text, /invalid duration 15000000000000000000/);
  });
});

describe('a path', () => {
  const REFUSED = [
    '/v1/kv/%zz',
    '/v1/kv/%',
    '/v1/kv/%c0%af',
    '/v1/kv/%ff',
    '/v1/kv/a%00b',
    '/v1/kv/%0a',
  ];
  for (const path of [...REFUSED, '*']) {
    it(`is refused with 400 and a reason: ${path}`, async () => {
      const { client } = await start();
      const { status, body } = await client.ask(put(path, 'Content-Length: 1', 'x'));
      assert.equal(status, 400);
      assert.match(body, /^Bad Request: /);
      client.close();
    });
  }

  it('of 16 KB is a key', async () => {
    const server = await startServer();
    const key = 'k'.repeat(16 * KB);
    await server.put(`/v1/kv/${key}`, 'x');
    assert.deepEqual((await server.get('/v1/kv/?keys')).json, [key]);
  });

  it('beyond the limit of headers is refused with 431', async () => {
    const { client } = await start();
    const long = await client.ask(put(`/v1/kv/${'k'.repeat(40 * KB)}`, 'Content-Length: 0'));
    assert.equal(long.status, 431);
  });

  it('of a whole URL is the path in it', async () => {
    const { client, get } = await start();
    await client.ask(put('http://proxy:80/v1/kv/k', 'Content-Length: 1', 'x'));
    assert.equal((await get('/v1/kv/k?raw')).text, 'x');
    client.close();
  });

  it('cannot climb out of a tree of keys', async () => {
    const { client, server } = await start();
    for (const path of ['/v1/kv/a/../b', '/v1/kv/a/%2e%2e/b', '/v1/kv/./a', '/v1/kv//a']) {
      assert.equal((await client.ask(put(path, 'Content-Length: 1', 'x'))).status, 301, path);
    }
    assert.equal(server.state.kv.size, 0);
    client.close();
  });

  it('cannot put a header into the redirect', async () => {
    const { client } = await start();
    const { status, head } = await client.ask(put('/v1//x%0d%0aX-Evil:%201', 'Content-Length: 0'));
    assert.equal(status, 400);
    assert.doesNotMatch(head, /evil/i);
    client.close();
  });
});

describe('a method', () => {
  it('that no row has is refused with 405, Allow, and the ones there are', async () => {
    const { ask } = await startServer();
    const { status, text, headers } = await ask('POST', '/v1/kv/k', { body: 'x' });
    assert.deepEqual([status, text], [405, 'method POST not allowed']);
    assert.equal(headers.allow, 'OPTIONS,GET,PUT,DELETE');
    assert.equal((await ask('OPTIONS', '/v1/kv/k')).headers.allow, 'OPTIONS,GET,PUT,DELETE');
  });

  it('that what stands last in a path does not have is refused with what Consul allows there', async () => {
    const { ask } = await startServer();
    const { status, headers } = await ask('PUT', '/v1/query/x/execute', { body: '{}' });
    assert.deepEqual([status, headers.allow], [405, 'GET']);
    const acl = await startAclServer();
    const self = await acl.ask('DELETE', '/v1/acl/token/self');
    assert.deepEqual([self.status, self.headers.allow], [405, 'OPTIONS,GET']);
  });
});
