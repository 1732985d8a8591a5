/** The traps of real clients' requests, each by its rank among all traps. */
import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { send, startServer } from '../../support/servers/start-server.ts';

/** The flags by which Go's semaphores know their keys: beyond 2^63. */
const SEMAPHORE_FLAGS = '16210313421097356768';

const row = (json: unknown) => (json as [{ readonly Value: string | null }])[0];

describe('trap 1: the Content-Type says nothing', () => {
  const TYPES = [
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'application/json; charset=utf-7',
    'multipart/form-data; boundary=x',
  ];
  for (const type of TYPES) {
    it(`takes a registration and a value as ${type ?? 'nothing at all'}`, async () => {
      const { put, get } = await startServer();
      const headers = type === undefined ? {} : { 'Content-Type': type };
      const body = JSON.stringify(webOn('a'));
      assert.equal((await put('/v1/catalog/register', body, { headers })).status, 200);
      await put('/v1/kv/k', 'a=b&c=%20', { headers });
      assert.equal((await get('/v1/kv/k?raw')).text, 'a=b&c=%20');
    });
  }

  it('keeps compressed bytes as they are', async () => {
    const { put, get } = await startServer();
    const bytes = Buffer.from([0x1f, 0x8b, 8, 0, 0xff, 0]);
    await put('/v1/kv/k', bytes, { headers: { 'Content-Encoding': 'gzip' } });
    assert.equal(row((await get('/v1/kv/k')).json).Value, bytes.toString('base64'));
  });
});

describe('trap 2: integers of 64 bits keep their digits', () => {
  it('in ?flags and in what a key shows', async () => {
    const { put, get } = await startServer();
    await put(`/v1/kv/k?flags=${SEMAPHORE_FLAGS}`, 'x');
    assert.match((await get('/v1/kv/k')).text, new RegExp(`"Flags":${SEMAPHORE_FLAGS},`));
    assert.match((await get('/v1/kv/k?pretty')).text, new RegExp(`"Flags": ${SEMAPHORE_FLAGS},`));
  });

  it('in a transaction, both ways', async () => {
    const { put } = await startServer();
    const op = `{"KV":{"Verb":"set","Key":"k","Value":"eA==","Flags":${SEMAPHORE_FLAGS}}}`;
    const { text } = await put('/v1/txn', `[${op},{"KV":{"Verb":"get","Key":"k"}}]`);
    assert.equal(text.match(new RegExp(`"Flags":${SEMAPHORE_FLAGS}`, 'g'))?.length, 2);
  });

  it("in ?cas, where one beyond all of ours is a lost race, and in the events' index", async () => {
    const { put, get } = await startServer();
    assert.equal((await put('/v1/kv/k?cas=18446744073709551615', 'x')).text, 'false');
    await put('/v1/event/fire/deploy');
    assert.match(String((await get('/v1/event/list')).headers['x-consul-index']), /^\d{16,20}$/);
  });
});

describe('trap 4: the rest of the path is the name, decoded once', () => {
  const KEYS: readonly (readonly [string, string])[] = [
    ['a%2Fb', 'a/b'],
    ['deregister/batman/pg0', 'deregister/batman/pg0'],
    ['a:b', 'a:b'],
    ['a%23b', 'a#b'],
    ['a%252Fb', 'a%2Fb'],
    ['%C3%A4%F0%9F%98%80', '\xE4\u{1F600}'],
    ['a+b%20c', 'a+b c'],
    ['a%2e%2e', 'a..'],
    ['trailing/', 'trailing/'],
  ];
  for (const [sent, key] of KEYS) {
    it(`/v1/kv/${sent} is the key ${key}`, async () => {
      const { put, get } = await startServer();
      await put(`/v1/kv/${sent}`, 'x');
      assert.deepEqual((await get('/v1/kv/?keys')).json, [key]);
      assert.equal((await get(`/v1/kv/${sent}?raw`)).text, 'x');
    });
  }

  it('redirects // as Consul does, with the query', async () => {
    const { status, headers } = await (await startServer()).put('/v1//kv/x?cas=0', 'x');
    assert.equal(status, 301);
    assert.equal(headers.location, '/v1/kv/x?cas=0');
  });

  it('redirects what lacks its last slash as Consul does, with the query', async () => {
    const { ask } = await startServer();
    const moved = await ask('GET', '/v1/kv?keys&a=b');
    assert.deepEqual([moved.status, moved.headers.location], [301, '/v1/kv/?keys&a=b']);
    assert.equal(moved.text, '<a href="/v1/kv/?keys&amp;a=b">Moved Permanently</a>.\n\n');
    assert.equal(moved.headers.vary, undefined);
    const written = await ask('PUT', '/v1//kv', { body: 'x' });
    const { status, headers, text } = written;
    assert.deepEqual([status, headers.location, text], [301, '/v1/kv/', '']);
    assert.equal((await ask('GET', '/v1/query')).status, 200);
  });
});

describe('trap 5: names of fields in any case, durations in any form', () => {
  it('takes what python sends', async () => {
    const { put, get } = await startServer();
    const service = {
      id: 's',
      service: 'web',
      enable_tag_override: true,
      tags: null,
    };
    const check = {
      check_id: 'c',
      service_id: 's',
      status: 'passing',
      definition: { interval: '1m30s' },
    };
    const body = { node: 'a', address: '1.2.3.4', node_meta: { Some_Key: 'v' }, service, check };
    assert.equal((await put('/v1/catalog/register', body)).status, 200);
    const [entry] = (await get('/v1/health/service/web')).json as [
      {
        Node: { Meta: object };
        Service: { EnableTagOverride: boolean };
        Checks: { Definition: object }[];
      },
    ];
    assert.deepEqual(entry.Node.Meta, { Some_Key: 'v' });
    assert.equal(entry.Service.EnableTagOverride, true);
    assert.deepEqual(entry.Checks[0]?.Definition, { Interval: '1m30s' });
  });
  for (const [sent, ns] of [
    ['"15.0s"', 15e9],
    ['"0.001s"', 1e6],
    ['"100ms"', 1e8],
    ['15', 15e9],
    ['30000000000', 3e10],
  ]) {
    it(`reads a lock-delay of ${sent} as ${ns} ns`, async () => {
      const { put, get } = await startServer();
      await put('/v1/catalog/register', { Node: 'n1', Address: '1.2.3.4' });
      const made = await put('/v1/session/create', `{"LockDelay":${sent},"Checks":[]}`);
      assert.equal(made.status, 200, made.text);
      const [session] = (await get('/v1/session/list')).json as [{ LockDelay: number }];
      assert.equal(session.LockDelay, ns);
    });
  }
});

describe('trap 6: some flags count by being there, others by their value', () => {
  it('?recurse=false recurses, ?passing=false does not choose, ?passing does', async () => {
    const { put, get } = await startServer();
    await put('/v1/kv/t/a', 'x');
    assert.equal((await get('/v1/kv/t?recurse=false')).status, 200);
    const check = { CheckID: 'c', ServiceID: 'web1', Status: 'critical' };
    await put('/v1/catalog/register', webOn('a', { Check: check }));
    const count = async (query: string) =>
      ((await get(`/v1/health/service/web${query}`)).json as unknown[]).length;
    assert.deepEqual(
      [await count('?passing=false'), await count('?passing'), await count('?passing=1')],
      [1, 0, 0],
    );
    assert.equal((await get('/v1/health/service/web?passing=maybe')).status, 400);
  });
});

describe('trap 16: fields that a newer client sends', () => {
  it('are taken', async () => {
    const { put } = await startServer();
    const Ports = [{ Name: 'http', Port: 80, Default: true }];
    const Service = { Service: 'web', Partition: '', Locality: { Region: 'r' }, Ports };
    const body = { Node: 'a', Address: '1.2.3.4', Partition: 'default', PeerName: '', Service };
    assert.equal((await put('/v1/catalog/register', body)).status, 200);
  });

  const NODE = { Node: 'a', Address: '1.2.3.4' };
  const UNKNOWN: readonly (readonly [string, object])[] = [
    ['/v1/catalog/register', { ...NODE, Nonsense: 1 }],
    ['/v1/catalog/register', { ...NODE, Service: { Service: 'w', Nonsense: 1 } }],
    ['/v1/catalog/register', { ...NODE, Checks: [{ Name: 'c', Nonsense: null }] }],
    ['/v1/catalog/deregister', { Node: 'a', Nonsense: 1 }],
    ['/v1/coordinate/update', { Node: 'a', Nonsense: 1 }],
    ['/v1/txn', [{ Nonsense: 1 }]],
    ['/v1/txn', [{ KV: { Verb: 'get', Key: 'x', Nonsense: 1 } }]],
    ['/v1/operator/autopilot/configuration', { Nonsense: 1 }],
  ];
  for (const [path, body] of UNKNOWN) {
    it(`are refused by name where no client knows them: ${path} ${JSON.stringify(body)}`, async () => {
      const { put } = await startServer();
      const { status, text } = await put(path, body);
      assert.equal(status, 400);
      assert.match(text, /: json: unknown field "Nonsense"$/);
    });
  }

  it('are passed over where they are the token once more, as py-consul writes it', async () => {
    const { put } = await startServer();
    const again = { WriteRequest: { Token: 'x' } };
    assert.equal((await put('/v1/catalog/register', { ...NODE, ...again })).status, 200);
    assert.equal((await put('/v1/catalog/deregister', { Node: NODE.Node, ...again })).status, 200);
  });

  it('are passed over in sessions and in definitions of checks, known or not', async () => {
    const { put } = await startServer();
    const Check = { Name: 'c', Definition: { Nonsense: 1 } };
    assert.equal((await put('/v1/catalog/register', { ...NODE, Node: 'n1', Check })).status, 200);
    assert.equal((await put('/v1/session/create', { Nonsense: 1, Checks: [] })).status, 200);
  });
});

describe('trap 17: where the token stands', () => {
  const PLACES: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['?token=t', {}],
    ['', { 'X-Consul-Token': 't' }],
    ['', { Authorization: 'Bearer t' }],
  ];
  for (const [query, headers] of PLACES) {
    it(`is no matter: ${query}${JSON.stringify(headers)}`, async () => {
      const { port } = await startServer();
      const { status } = await send(port, 'GET', `/v1/catalog/nodes${query}`, { headers });
      assert.equal(status, 200);
    });
  }
});
