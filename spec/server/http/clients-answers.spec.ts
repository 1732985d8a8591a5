/** The traps of what real clients look for in answers, each by its rank among all traps. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { webOn } from '../../support/factories.ts';
import { startServer } from '../../support/servers/start-server.ts';

const MINUTE_MS = 60_000;

interface KeyRow {
  readonly Value: string | null;
  readonly ModifyIndex: number;
}

interface Flat {
  readonly Node: string;
  readonly ServiceID: string;
}

interface Deep {
  readonly Node: { readonly Node: string };
  readonly Service: { readonly ID: string };
}

const row = (json: unknown) => (json as [KeyRow])[0];

describe('trap 3: every read says an index of its own', () => {
  const READS = [
    '/v1/kv/none',
    '/v1/kv/none?recurse',
    '/v1/kv/none?keys',
    '/v1/catalog/node/none',
    '/v1/catalog/service/none',
    '/v1/health/service/none',
    '/v1/health/node/none',
    '/v1/session/list',
    '/v1/session/info/00000000-0000-4000-a000-000000000000',
    '/v1/catalog/services',
    '/v1/catalog/nodes',
  ];
  for (const path of READS) {
    it(`at least 1, with KnownLeader and LastContact: ${path}`, async () => {
      const { headers, index } = await (await startServer()).get(path);
      assert(index >= 1);
      assert.equal(headers['x-consul-knownleader'], 'true');
      assert.match(String(headers['x-consul-lastcontact']), /^\d+$/);
    });
  }

  it("a key's own ModifyIndex, whatever is written beside it", async () => {
    const { put, get } = await startServer();
    await put('/v1/kv/a', '1');
    const { index, json } = await get('/v1/kv/a');
    await put('/v1/kv/b', '1');
    await put('/v1/catalog/register', webOn('a'));
    assert.equal((await get('/v1/kv/a')).index, index);
    assert.equal(row(json).ModifyIndex, index);
  });

  it('one that never goes back when a key or a service goes', async () => {
    const { put, get, del } = await startServer();
    await put('/v1/kv/t/a', '1');
    await put('/v1/catalog/register', webOn('a'));
    const paths = ['/v1/kv/t/a', '/v1/kv/t?recurse', '/v1/catalog/service/web'];
    const before = await Promise.all(paths.map(async (path) => (await get(path)).index));
    await del('/v1/kv/t/a');
    await put('/v1/catalog/deregister', { Node: 'a' });
    const after = await Promise.all(paths.map(async (path) => (await get(path)).index));
    assert(after.every((index, i) => index > Number(before[i])));
  });
});

describe('trap 7: texts that clients look for', () => {
  const CASES: readonly (readonly [string, string, string | undefined, number, RegExp])[] = [
    ['PUT', '/v1/session/create', '{"TTL":"1s"}', 500, /^Invalid Session TTL '1000000000'/],
    ['PUT', '/v1/kv/k?acquire=00000000-0000-4000-a000-000000000000', 'x', 500, /^invalid session/],
    ['PUT', '/v1/kv/k?acquire=', 'x', 500, /^missing session/],
    ['GET', '/v1/kv/k?dc=nowhere', undefined, 500, /^No path to datacenter/],
    ['GET', '/v1/kv/k?index=x', undefined, 400, /^Invalid index/],
    ['GET', '/v1/kv/k?wait=x', undefined, 400, /^Invalid wait time/],
    ['PUT', '/v1/kv/', 'x', 400, /^Missing key name/],
    ['PUT', '/v1/catalog/register', '{', 400, /^Request decode failed: /],
  ];
  for (const [method, path, body, status, text] of CASES) {
    it(`${method} ${path}: ${status} ${text.source}`, async () => {
      const sent = body === undefined ? {} : { body };
      const answer = await (await startServer()).ask(method, path, sent);
      assert.equal(answer.status, status);
      assert.match(answer.text, text);
      assert.match(String(answer.headers['content-type']), /^text\/plain/);
    });
  }

  it("a transaction's get of a missing key: doesn't exist", async () => {
    const { text } = await (await startServer()).put(
      '/v1/txn',
      '[{"KV":{"Verb":"get","Key":"x"}}]',
    );
    assert.match(text, /doesn't exist/);
  });
});

describe('trap 8: without a leader the answer is 500', () => {
  it('to reads and writes, with the text that locks and Patroni try again on', async () => {
    const { server, get, put } = await startServer();
    await server.stop();
    for (const answer of [await get('/v1/kv/k'), await put('/v1/kv/k', 'x')]) {
      assert.equal(answer.status, 500);
      assert.equal(answer.text, 'No cluster leader');
      assert.equal(answer.headers['x-proconsul-applied'], 'no');
    }
  });

  it('but not to ?stale', async () => {
    const { server, get } = await startServer();
    await server.stop();
    const { status, headers } = await get('/v1/catalog/nodes?stale');
    assert.equal(status, 200);
    assert.equal(headers['x-consul-knownleader'], 'false');
  });
});

describe('trap 9: what an empty thing looks like', () => {
  const EMPTY: readonly (readonly [string, number, string])[] = [
    ['/v1/catalog/node/none', 200, 'null'],
    ['/v1/catalog/service/none', 200, '[]'],
    ['/v1/health/service/none', 200, '[]'],
    ['/v1/health/node/none', 200, '[]'],
    ['/v1/session/list', 200, '[]'],
    ['/v1/event/list', 200, '[]'],
    ['/v1/kv/none', 404, ''],
  ];
  for (const [path, status, text] of EMPTY) {
    it(`${path}: ${status} ${text}`, async () => {
      const answer = await (await startServer()).get(path);
      assert.deepEqual([answer.status, answer.text], [status, text]);
    });
  }

  it('an empty value is null, and a key without a lock has no Session', async () => {
    const { put, get } = await startServer();
    await put('/v1/kv/k', '');
    const shown = row((await get('/v1/kv/k')).json);
    assert.equal(shown.Value, null);
    assert.equal('Session' in shown, false);
  });

  it('no tags are [], no errors of a transaction null, and true is JSON', async () => {
    const { put, get } = await startServer();
    const registered = await put('/v1/catalog/register', webOn('a'));
    assert.equal(registered.headers['content-type'], 'application/json');
    assert.match((await get('/v1/health/service/web')).text, /"Tags":\[\]/);
    const { text } = await put('/v1/txn', '[{"KV":{"Verb":"set","Key":"k","Value":"eA=="}}]');
    assert.match(text, /"Value":null.*"Errors":null/);
  });
});

describe('trap 11: catalog and health list the same instances in the same order', () => {
  it('whatever the order in which they came', async () => {
    const { put, get } = await startServer();
    for (const node of ['c', 'a', 'b']) {
      for (const id of ['2', '1']) {
        const Service = { ID: id, Service: 'web' };
        await put('/v1/catalog/register', { Node: node, Address: '1.2.3.4', Service });
      }
    }
    const flat = (await get('/v1/catalog/service/web')).json as Flat[];
    const deep = (await get('/v1/health/service/web')).json as Deep[];
    const order = flat.map(({ Node, ServiceID }) => Node + ServiceID);
    assert.deepEqual(order, ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']);
    assert.deepEqual(
      deep.map(({ Node, Service }) => Node.Node + Service.ID),
      order,
    );
  });
});

describe('trap 12: long polls', () => {
  async function answeredAfter(query: string, ms: number): Promise<boolean> {
    const { clock, put, get } = await startServer();
    await put('/v1/kv/k', 'x');
    const { index } = await get('/v1/kv/k');
    const { armed } = clock;
    let answered = false;
    const waiting = get(`/v1/kv/k?index=${index}${query}`).then(() => {
      answered = true;
    });
    await clock.untilArmed(armed + 1);
    await clock.advance(ms);
    const was = answered;
    await clock.advance(20 * MINUTE_MS);
    await waiting;
    return was;
  }
  answeredAfter;

  it('wait five minutes where nobody says how long', async () => {
    assert.equal(await answeredAfter('', 5 * MINUTE_MS - 1), false);
    assert.equal(await answeredAfter('', (5 * MINUTE_MS * 17) / 16 + 5e3), true);
  });

  it('wait ten minutes at most, and a 16th', async () => {
    assert.equal(await answeredAfter('&wait=24h', 10 * MINUTE_MS - 1), false);
    assert.equal(await answeredAfter('&wait=24h', (10 * MINUTE_MS * 17) / 16 + 5e3), true);
  });

  it('stand on connections that the server keeps for longer than four idle minutes', async () => {
    const { port } = await startServer();
    const kept = await new Promise<string>((resolve, reject) => {
      const headers = { Connection: 'keep-alive' };
      httpRequest({ host: '127.0.0.1', port, path: '/v1/status/leader', headers }, (response) => {
        resolve(String(response.headers['keep-alive']));
        response.destroy();
      })
        .on('error', reject)
        .end();
    });
    assert(Number(/timeout=(\d+)/.exec(kept)?.[1]) > 240, kept);
  });
});

describe('trap 15: what a write must and must not move', () => {
  it('an identical value moves no index', async () => {
    const { put, get } = await startServer();
    await put('/v1/kv/k', 'x');
    const { index } = await get('/v1/kv/k');
    await put('/v1/kv/k', 'x');
    assert.equal((await get('/v1/kv/k')).index, index);
  });

  it('?cas=0 creates, once', async () => {
    const { put } = await startServer();
    assert.equal((await put('/v1/kv/k?cas=0', 'x')).text, 'true');
    assert.equal((await put('/v1/kv/k?cas=0', 'x')).text, 'false');
  });

  it('whoever waits for a missing key is answered when it comes', async () => {
    const { clock, put, get } = await startServer();
    await put('/v1/kv/other', 'x');
    const { index } = await get('/v1/kv/k');
    const { armed } = clock;
    const waiting = get(`/v1/kv/k?index=${index}`);
    await clock.untilArmed(armed + 1);
    await put('/v1/kv/k', 'x');
    assert.equal((await waiting).status, 200);
  });

  it('a delete raises the index of its prefix', async () => {
    const { put, get, del } = await startServer();
    await put('/v1/kv/t/a', 'x');
    await put('/v1/kv/t/b', 'x');
    const { index } = await get('/v1/kv/t?recurse');
    await del('/v1/kv/t/b');
    assert((await get('/v1/kv/t?recurse')).index > index);
  });
});
