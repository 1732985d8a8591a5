import assert from 'node:assert/strict';
import { webOn } from '../../support/factories.ts';
import { settle } from '../../support/fakes/fake-clock.ts';
import { type Answer, startServer } from '../../support/servers/start-server.ts';

const MINUTE_MS = 60_000;

interface Row {
  readonly Node: string;
  readonly ServiceID: string;
}

function nodesIn(answer: Answer): string[] {
  return (answer.json as Row[]).map(({ Node }) => Node);
}

describe('PUT /v1/catalog/register', () => {
  it('refuses more checks than anybody has, and fails nobody else with it', async () => {
    const { put } = await startServer();
    const withChecks = (count: number) =>
      put(
        '/v1/catalog/register',
        `{"Node":"x","Address":"::1","Checks":[${'{},'.repeat(count - 1)}{}]}`,
      );
    const huge = withChecks(340_000);
    const others = Array.from({ length: 20 }, (_, i) => put(`/v1/kv/k${i}`, 'v'));
    assert.match((await huge).text, /more than 65536 values/);
    assert.match((await withChecks(4097)).text, /Checks must NOT have more than 4096 items/);
    for (const other of others) assert.equal((await other).status, 200);
  });

  it('takes half a character for none, in names too, as Consul does', async () => {
    const { put, get } = await startServer();
    const body = `{"Node":"n\\ud800","Address":"::1","Service":{"Service":"w\\udfff"}}`;
    assert.equal((await put('/v1/catalog/register', body)).status, 200);
    const { json } = await get(`/v1/catalog/service/${encodeURIComponent('w\ufffd')}`);
    assert.deepEqual(nodesIn({ json } as Answer), ['n\ufffd']);
  });
});

describe('GET /v1/catalog/service/:name?index', () => {
  async function start() {
    const test = await startServer();
    const put = (body: object) => test.put('/v1/catalog/register', body);
    const get = (index: number) => test.get(`/v1/catalog/service/web?index=${index}`);
    return { ...test, put, get };
  }

  it('answers when an instance of the service is registered', async () => {
    const { clock, put, get } = await start();
    await put(webOn('a'));
    const { armed } = clock;
    const waiting = get((await get(0)).index);
    await clock.untilArmed(armed + 1);
    await put(webOn('b'));
    assert.deepEqual(nodesIn(await waiting), ['a', 'b']);
  });

  it('answers the same again when the wait is over', async () => {
    const { clock, put, get } = await start();
    await put(webOn('a'));
    const before = await get(0);
    const { armed } = clock;
    const waiting = get(before.index);
    await clock.untilArmed(armed + 1);
    await clock.advance(5 * MINUTE_MS * (1 + 1 / 16));
    const after = await waiting;
    assert.equal(after.text, before.text);
    assert.equal(after.index, before.index);
  });

  it('sleeps on when a check of the service changes, which it does not show', async () => {
    const { clock, put, get, server } = await start();
    await put(webOn('a', { Check: { CheckID: 'c', Status: 'passing', ServiceID: 'web1' } }));
    const { index } = await get(0);
    await put(webOn('a', { Check: { CheckID: 'c', Status: 'critical', ServiceID: 'web1' } }));
    assert.equal((await get(0)).index, index);
    assert.equal(clock.armed > 0, true);
    assert.equal(server.state.catalog.check('a', 'c')?.Status, 'critical');
  });

  it('forgets who waited when the client goes away', async () => {
    const { clock, put, get, port } = await start();
    await put(webOn('a'));
    const { index } = await get(0);
    const { armed } = clock;
    const gone = new AbortController();
    const { send } = await import('../../support/servers/start-server.ts');
    const path = `/v1/catalog/service/web?index=${index}`;
    const waiting = send(port, 'GET', path, { signal: gone.signal }).catch(() => 'gone');
    await clock.untilArmed(armed + 1);
    gone.abort();
    assert.equal(await waiting, 'gone');
    const { until } = await import('../../support/until.ts');
    await until(
      () => clock.armed === armed,
      () => `${clock.armed} timers`,
    );
  });
});

describe('PUT /v1/catalog/register', () => {
  it('moves no index when it changes nothing', async () => {
    const { put, get } = await startServer();
    await put('/v1/catalog/register', webOn('a', { NodeMeta: { k: 'v' } }));
    const paths = ['/v1/catalog/service/web', '/v1/catalog/nodes', '/v1/health/service/web'];
    const before = await Promise.all(paths.map((path) => get(path)));
    await put('/v1/catalog/register', webOn('a', { NodeMeta: { k: 'v' } }));
    const after = await Promise.all(paths.map((path) => get(path)));
    assert.deepEqual(
      after.map(({ index }) => index),
      before.map(({ index }) => index),
    );
  });

  it('takes back the node when the check cannot be registered', async () => {
    const { put, get } = await startServer();
    const body = { Node: 'a', Address: '1.2.3.4', Check: { CheckID: 'c', ServiceID: 'none' } };
    const { status, text } = await put('/v1/catalog/register', body);
    assert.equal(status, 500);
    assert.match(text, /Missing service registration/);
    assert.equal((await get('/v1/catalog/node/a')).json, null);
  });

  it('keeps names that are keys of every object in other languages', async () => {
    const { put, get } = await startServer();
    const body =
      '{"Node":"__proto__","Address":"1.2.3.4","NodeMeta":{"__proto__":"x","constructor":"y"},' +
      '"Service":{"ID":"constructor","Service":"__proto__","Tags":["toString"]}}';
    assert.equal((await put('/v1/catalog/register', body)).status, 200);
    assert.match((await get('/v1/catalog/services')).text, /"__proto__":\["toString"\]/);
    assert.match((await get('/v1/catalog/nodes')).text, /"__proto__":"x"/);
    const byMeta = await get('/v1/catalog/nodes?node-meta=toString:x');
    assert.equal(byMeta.text, '[]');
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });

  it('hides a machine that has the name of one that lives', async () => {
    const { put } = await startServer();
    const id = (n: number) => `40e4a748-2192-161a-0510-9bf59fe950b${n}`;
    const alive = { CheckID: 'serfHealth', Status: 'passing' };
    const old = { Node: 'a', ID: id(1), Address: '10.0.0.1', Check: alive };
    await put('/v1/catalog/register', old);
    const young = { Node: 'a', ID: id(2), Address: '10.0.0.2' };
    const refused = await put('/v1/catalog/register', young);
    assert.match(refused.text, /Node name a is reserved by node .*b1 with name a \(10\.0\.0\.1\)/);
    await put('/v1/catalog/register', { ...old, Check: { ...alive, Status: 'critical' } });
    assert.equal((await put('/v1/catalog/register', young)).status, 200);
  });
});

describe('GET /v1/catalog/service and /v1/health/service', () => {
  it('list the same instances in the same order', async () => {
    const { put, get } = await startServer();
    for (const [node, id] of [
      ['b', '2'],
      ['a', '9'],
      ['b', '1'],
      ['a', '10'],
    ]) {
      const Service = { ID: id, Service: 'web' };
      await put('/v1/catalog/register', { Node: node, Address: '10.0.0.1', Service });
    }
    const flat = (await get('/v1/catalog/service/web')).json as Row[];
    const deep = (await get('/v1/health/service/web')).json as {
      Node: Row;
      Service: { ID: string };
    }[];
    const order = [
      ['a', '10'],
      ['a', '9'],
      ['b', '1'],
      ['b', '2'],
    ];
    assert.deepEqual(
      flat.map((r) => [r.Node, r.ServiceID]),
      order,
    );
    assert.deepEqual(
      deep.map((r) => [r.Node.Node, r.Service.ID]),
      order,
    );
    await settle();
  });
});

describe('a registration in the catalog', () => {
  const NODE = { Node: 'a', Address: '10.0.0.1' };

  for (const [sent, kept] of [
    [
      { Passing: 0, Warning: 5 },
      { Passing: 1, Warning: 1 },
    ],
    [
      { Passing: -1, Warning: 5 },
      { Passing: 1, Warning: 1 },
    ],
    [
      { Passing: 3, Warning: -1 },
      { Passing: 1, Warning: 1 },
    ],
    [
      { Passing: 65_536, Warning: 1 },
      { Passing: 1, Warning: 1 },
    ],
    [{ Passing: 3 }, { Passing: 3, Warning: 0 }],
  ]) {
    it(`with weights of ${JSON.stringify(sent)} has ${JSON.stringify(kept)}`, async () => {
      const { put, get } = await startServer();
      await put('/v1/catalog/register', { ...NODE, Service: { Service: 'web', Weights: sent } });
      const Service = { ID: 'web2', Service: 'web', Weights: sent };
      await put('/v1/txn', [{ Service: { Verb: 'set', Node: 'a', Service } }]);
      const found = (await get('/v1/catalog/service/web')).json as { ServiceWeights: object }[];
      assert.deepEqual(
        found.map(({ ServiceWeights }) => ServiceWeights),
        [kept, kept],
      );
    });
  }

  // As a Consul 1.8.7 names each.
  for (const [definition, type] of [
    [{ HTTP: 'x', GRPC: 'x', TTL: '1s', Interval: '1s' }, 'grpc'],
    [{ HTTP: 'x', TTL: '1s', TCP: 'x', Interval: '1s' }, 'http'],
    [{ HTTP: 'x', TTL: '1s' }, 'ttl'],
    [{ HTTP: 'x' }, ''],
    [{ TCP: 'x', AliasNode: 'x', Interval: '1s' }, 'tcp'],
    [{ ScriptArgs: ['x'], DockerContainerID: 'x', AliasService: 'x', Interval: '1s' }, 'alias'],
    [{ ScriptArgs: ['x'], DockerContainerID: 'x', Interval: '1s' }, 'docker'],
    [{ ScriptArgs: ['x'], DockerContainerID: 'x' }, 'script'],
    [{ Interval: '1s' }, ''],
    // Newer Consul's, which our agents look at too.
    [{ UDP: 'x', AliasNode: 'x', Interval: '1s' }, 'udp'],
    [{ H2PING: 'x', Interval: '1s' }, 'h2ping'],
    [{ OSService: 'x', Interval: '1s' }, 'os_service'],
  ] as const) {
    it(`has a check of type '${type}' for ${JSON.stringify(definition)}`, async () => {
      const { put, get } = await startServer();
      const check = { Name: 'c', Definition: definition };
      await put('/v1/catalog/register', {
        ...NODE,
        Checks: [check, { ...check, Name: 'd', Type: 'z' }],
      });
      const found = (await get('/v1/health/node/a')).json as { Type: string }[];
      assert.deepEqual(
        found.map(({ Type }) => Type),
        [type, 'z'],
      );
    });
  }

  it('shows names in the order of their bytes, also where they look like numbers', async () => {
    const { put, get } = await startServer();
    const Meta = { 9: 'a', 10: 'b', a: 'c' };
    for (const id of ['9', '10', 'b']) {
      const Service = { ID: id, Service: id, Meta, TaggedAddresses: { 9: {}, 10: {} } };
      await put('/v1/catalog/register', {
        ...NODE,
        TaggedAddresses: Meta,
        NodeMeta: Meta,
        Service,
      });
    }
    assert.equal((await get('/v1/catalog/services')).text, '{"10":[],"9":[],"b":[]}');
    const { text } = await get('/v1/catalog/node/a');
    assert.match(text, /"Services":\{"10":\{.*"9":\{.*"b":\{/);
    assert.match(text, /"TaggedAddresses":\{"10":"b","9":"a","a":"c"\},"Meta":\{"10":"b","9":"a"/);
    assert.match(text, /"TaggedAddresses":\{"10":\{"Address":"","Port":0\},"9":\{/);
  });

  for (const [service, fault] of [
    [
      { Kind: 'connect-proxy', Port: 1 },
      'Proxy.DestinationServiceName must be non-empty for Connect proxy services',
    ],
    [
      { Kind: 'connect-proxy', Proxy: { DestinationServiceName: 'web' } },
      'Port must be set for a Connect proxy',
    ],
    [{ Kind: 'mesh-gateway' }, 'Port must be non-zero for a mesh-gateway'],
    [
      { Connect: { SidecarService: { ID: 'x' } } },
      'A SidecarService cannot specify an ID as this is managed by the agent',
    ],
    [
      { Connect: { SidecarService: { connect: { sidecar_service: {} } } } },
      'A SidecarService cannot have a nested SidecarService',
    ],
    [
      {
        Kind: 'connect-proxy',
        Port: 1,
        Proxy: { destination_service_name: 'web', upstreams: [{ LocalBindPort: 1 }] },
      },
      'upstream destination name cannot be empty',
    ],
  ] as const) {
    it(`is no proxy that cannot be: ${fault}`, async () => {
      const { put, server } = await startServer();
      const body = { Node: 'a', Address: '1.1.1.1', Service: { Service: 'x', ...service } };
      const { status, text } = await put('/v1/catalog/register', body);
      assert.deepEqual([status, text], [500, `1 error occurred:\n\t* ${fault}\n\n`]);
      assert.equal(server.state.catalog.node('a'), undefined);
    });
  }

  it('has the fields of a proxy that Consul knows, whatever their case, and no others', async () => {
    const { put, get } = await startServer();
    const proxy = (fields: object) =>
      put('/v1/catalog/register', {
        Node: 'a',
        Address: '1.1.1.1',
        Service: { Service: 'x', Kind: 'connect-proxy', Port: 1, Proxy: fields },
      });
    const upstreams = [{ destination_name: 'db', LocalBindPort: 9, Config: { aB: 1 } }];
    await proxy({ destinationservicename: 'web', upstreams });
    const { json } = await get('/v1/catalog/connect/web');
    assert.deepEqual((json as [{ ServiceProxy: object }])[0].ServiceProxy, {
      DestinationServiceName: 'web',
      Upstreams: [
        {
          DestinationType: '',
          DestinationName: 'db',
          Datacenter: '',
          LocalBindPort: 9,
          Config: { aB: 1 },
          MeshGateway: {},
        },
      ],
      MeshGateway: {},
      Expose: {},
    });
    const many = Array.from({ length: 1025 }, () => ({}));
    for (const wrong of [{ foo: 1 }, { Upstreams: 'x' }, { Upstreams: [1] }, { Upstreams: many }]) {
      assert.equal((await proxy({ DestinationServiceName: 'web', ...wrong })).status, 400);
    }
  });

  it('has no metadata that Consul would not take', async () => {
    const { put } = await startServer();
    const many = Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, 'x']));
    for (const [Meta, fault] of [
      [{ 'a b': 'x' }, "Couldn't load metadata pair ('a b', 'x'): Key contains invalid characters"],
      [{ '': 'x' }, "Couldn't load metadata pair ('', 'x'): Key cannot be blank"],
      [{ 'consul-a': 'x' }, /: Key prefix 'consul-' is reserved for internal use$/],
      [{ a: '\u00e4'.repeat(257) }, /: Value is too long \(limit: 512 characters\)$/],
      [many, 'Node metadata cannot contain more than 64 key/value pairs'],
    ] as const) {
      const Service = { ID: 'w', Service: 'web', Meta };
      const words = 'Invalid Service Meta for node a and serviceID w: ';
      const plain = await put('/v1/catalog/register', { ...NODE, Service });
      assert.equal(plain.status, 500);
      const ops = [{ Service: { Verb: 'set', Node: 'a', Service } }];
      const txn = (await put('/v1/txn', ops)).json as { Errors: { What: string }[] };
      const What = txn.Errors[0]?.What ?? '';
      assert.equal(plain.text, `failed inserting service: ${What}`);
      assert(What.startsWith(words), What);
      const said = What.slice(words.length);
      if (typeof fault === 'string') assert.equal(said, fault);
      else assert.match(said, fault);
    }
  });
});
