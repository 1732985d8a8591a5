import assert from 'node:assert/strict';
import supertest from 'supertest';
import { startAgent } from '../../support/servers/agents.ts';

describe('PUT /v1/agent/service/register', () => {
  it('is answered once the catalog has the service and its checks, in one command', async () => {
    const { app, catalog } = await startAgent();
    const before = catalog.commands;
    await supertest(app)
      .put('/v1/agent/service/register')
      .send('{"Name":"web","Port":80,"Checks":[{"TTL":"10s"},{"TTL":"20s"}]}')
      .expect(200, '');
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
    assert.deepEqual(catalog.checkStates('n1'), [
      'serfHealth passing',
      'service:web:1 critical',
      'service:web:2 critical',
    ]);
    assert.equal(catalog.commands - before, 1);
  });

  it('is answered with 200 while no server is there, and the catalog hears of it later', async () => {
    const { app, catalog, clock } = await startAgent();
    catalog.away = true;
    await supertest(app).put('/v1/agent/service/register').send('{"Name":"web"}').expect(200);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul']);
    catalog.away = false;
    await clock.advance(2000);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
  });

  it('refuses more checks than anybody has, of a sidecar too, before it looks at any', async () => {
    const { app } = await startAgent();
    const Checks = Array(4097).fill({});
    for (const [body, where] of [
      [{ Name: 'z', Checks }, 'Checks'],
      [{ Name: 'z', Connect: { SidecarService: { Checks } } }, 'Connect.SidecarService.Checks'],
    ] as const) {
      const why = `Request decode failed: ${where} must NOT have more than 4096 items`;
      await supertest(app).put('/v1/agent/service/register').send(body).expect(400, why);
    }
  });

  it('takes keys in any case, snake_case and durations as numbers', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .put('/v1/agent/service/register')
      .send(
        '{"name":"low","enable_tag_override":true,"check":{"checkid":"c","ttl":10000000000},"locality":{}}',
      )
      .expect(200);
    const { body } = await supertest(app).get('/v1/agent/service/low').expect(200);
    assert.equal(body.EnableTagOverride, true);
    const checks = await supertest(app).get('/v1/agent/checks');
    assert.equal(checks.body.c.Type, 'ttl');
  });

  it('keeps the status of the checks when the same is registered again', async () => {
    const { app, catalog } = await startAgent();
    const body = '{"Name":"web","Check":{"CheckID":"c","TTL":"10s"}}';
    await supertest(app).put('/v1/agent/service/register').send(body);
    await supertest(app).put('/v1/agent/check/pass/c');
    await supertest(app).put('/v1/agent/service/register').send(body);
    assert.deepEqual(catalog.checkStates('n1'), ['c passing', 'serfHealth passing']);
  });

  it('takes names that mean something to JavaScript for names', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .put('/v1/agent/service/register')
      .send('{"Name":"__proto__","Meta":{"constructor":"x"}}')
      .expect(200);
    const { text } = await supertest(app).get('/v1/agent/services').expect(200);
    assert.match(text, /^\{"__proto__":\{"ID":"__proto__"/);
  });

  it('refuses a NUL in names and ids, by which the catalog joins its keys', async () => {
    const { app, catalog } = await startAgent();
    for (const body of [
      { Name: 'a\0b' },
      { Name: 'a', ID: 'a\0b' },
      { Name: 'a', Check: { CheckID: 'a\0b', TTL: '10s' } },
    ]) {
      const put = supertest(app).put('/v1/agent/service/register');
      await put.send(JSON.stringify(body)).expect(400);
    }
    await supertest(app)
      .put('/v1/agent/check/register')
      .send(JSON.stringify({ Name: 'a', ID: 'a\0b', TTL: '10s' }))
      .expect(400);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul']);
  });

  it('refuses scripts unless they are enabled for what comes over HTTP', async () => {
    const { app } = await startAgent('enable_local_script_checks = true');
    const { text } = await supertest(app)
      .put('/v1/agent/service/register')
      .send('{"Name":"web","Check":{"Args":["true"],"Interval":"10s"}}')
      .expect(500);
    assert.match(text, /^Scripts are disabled on this agent from remote calls/);
    await supertest(app).get('/v1/agent/services').expect(200, '{}');
  });
});

describe('PUT /v1/agent/service/register: a sidecar', () => {
  const ports = 'ports { sidecar_min_port = 21000 sidecar_max_port = 21001 }';

  async function start(config = ports) {
    const { app, agent } = await startAgent(config);
    const put = (body: object) =>
      supertest(app).put('/v1/agent/service/register').send(JSON.stringify(body));
    const service = async (id: string) =>
      (await supertest(app).get(`/v1/agent/service/${id}`)).body;
    const withSidecar = (Name: string, SidecarService: object = {}, more: object = {}) =>
      put({ Name, Port: 80, Connect: { SidecarService }, ...more });
    return { app, agent, put, service, withSidecar };
  }

  it('is of the kind that it says, and has this machine’s address without a port too', async () => {
    const { put, service } = await start();
    const SidecarService = { Kind: 'terminating-gateway', Port: 4 };
    await put({ Name: 'e2', Connect: { SidecarService } }).expect(200);
    const { Kind, Proxy: proxy, ContentHash } = await service('e2-sidecar-proxy');
    assert.equal(Kind, 'terminating-gateway');
    assert.equal(proxy.LocalServiceAddress, '127.0.0.1');
    assert.equal(proxy.LocalServicePort, undefined);
    // As a Consul says it of the same.
    assert.equal(ContentHash, '8b9f5e9f14909a49');
  });

  it('takes over what it does not say, and its port from the range', async () => {
    const { service, withSidecar } = await start();
    await withSidecar('a', {}, { Address: '10.1.1.1', Tags: ['v1'], Meta: { m: '1' } }).expect(200);
    const {
      Port,
      Address,
      Tags,
      Meta,
      TaggedAddresses,
      Proxy: proxy,
    } = await service('a-sidecar-proxy');
    const own = { Address: '10.1.1.1', Port: 21000 };
    assert.deepEqual([Port, Address, Tags, Meta], [21000, '10.1.1.1', ['v1'], { m: '1' }]);
    assert.deepEqual(TaggedAddresses, { lan_ipv4: own, wan_ipv4: own });
    assert.deepEqual([proxy.LocalServiceAddress, proxy.LocalServicePort], ['127.0.0.1', 80]);
  });

  it('is looked for where its service is local, whatever its address', async () => {
    const { agent, withSidecar } = await start();
    const target = (id: string) =>
      agent.local.checks.get(`service:${id}-sidecar-proxy:1`)?.spec?.TCP;
    await withSidecar('a', { Address: '10.2.2.2' }, { Address: '10.1.1.1' }).expect(200);
    await withSidecar('b', { Proxy: { LocalServiceAddress: '10.3.3.3' } }).expect(200);
    assert.deepEqual([target('a'), target('b')], ['127.0.0.1:21000', '10.3.3.3:21001']);
  });

  it('keeps its port, gives it back, and is refused when none is left', async () => {
    const { app, service, withSidecar } = await start();
    await withSidecar('a').expect(200);
    await withSidecar('b').expect(200);
    const { text } = await withSidecar('c').expect(500);
    assert.equal(
      text,
      'Bad request: Invalid SidecarService: no port provided for sidecar_service and none left in the configured range [21000, 21001]',
    );
    await withSidecar('b').expect(200);
    assert.equal((await service('b-sidecar-proxy')).Port, 21001);
    await supertest(app).put('/v1/agent/service/deregister/a').expect(200);
    await withSidecar('c').expect(200);
    assert.equal((await service('c-sidecar-proxy')).Port, 21000);
  });

  it('is refused where it is nested, has an id, or is malformed', async () => {
    const { app, withSidecar } = await start();
    const refusals: readonly (readonly [object, number, string])[] = [
      [
        { ID: 'x', Connect: { SidecarService: {} } },
        400,
        '2 errors occurred:\n\t* A SidecarService cannot specify an ID as this is managed by the agent\n' +
          '\t* A SidecarService cannot have a nested SidecarService\n\n',
      ],
      [
        { Check: { TCP: '1.1.1.1:1' } },
        500,
        'Bad request: Invalid check in sidecar_service: Interval must be > 0 for Script, HTTP, or TCP checks',
      ],
      [
        { Meta: { 'a b': '1' } },
        500,
        "Bad request: Invalid SidecarService: Couldn't load metadata pair ('a b', '1'): Key contains invalid characters",
      ],
      [
        { Check: { TTL: '1m', Status: 'moon' } },
        500,
        "Bad request: Status for checks must 'passing', 'warning', 'critical'",
      ],
    ];
    for (const [sidecar, status, complaint] of refusals) {
      const { text } = await withSidecar('bad', sidecar).expect(status);
      assert.equal(text, complaint);
    }
    await supertest(app).get('/v1/agent/services').expect(200, '{}');
  });

  it('may no more run a script than its service may', async () => {
    const { app, withSidecar } = await start();
    const Checks = [{ Args: ['true'], Interval: '10s' }];
    const { text } = await withSidecar('web', { Checks }).expect(500);
    assert.match(text, /^Scripts are disabled on this agent from remote calls/);
    await supertest(app).get('/v1/agent/services').expect(200, '{}');
  });

  it('is refused with its proxy, in Consul’s words', async () => {
    const { put } = await start();
    const faults = async (proxy: object, more: object = {}) => {
      const base = { Name: 'p', Port: 1, Kind: 'connect-proxy' };
      const { text } = await put({ ...base, Proxy: proxy, ...more }).expect(400);
      return text.split('\n').flatMap((line) => /^\t\* (.*)$/.exec(line)?.[1] ?? []);
    };
    const to = (...Upstreams: object[]) => ({ DestinationServiceName: 'web', Upstreams });
    const a = { DestinationName: 'a', LocalBindPort: 5 };
    assert.deepEqual(await faults({}, { Port: 0, Connect: { Native: true } }), [
      'Proxy.DestinationServiceName must be non-empty for Connect proxy services',
      'Port must be set for a Connect proxy',
      'A Proxy cannot also be Connect Native, only typical services',
    ]);
    assert.deepEqual(
      await faults(
        to(
          { DestinationType: 'moon' },
          { LocalBindPort: 1 },
          { DestinationName: 'x' },
          a,
          { ...a, LocalBindPort: 6 },
          { ...a, DestinationName: 'b' },
        ),
      ),
      [
        'unknown upstream destination type: "moon"',
        'upstream destination name cannot be empty',
        'upstream local bind port cannot be zero',
        'upstreams cannot contain duplicates of [type="service", name="a", namespace="", datacenter=""]',
        'upstreams cannot contain duplicates by local bind address and port; "127.0.0.1:5" is specified twice',
      ],
    );
    const Paths = [
      { Path: '/h', ListenerPort: 21500 },
      { Path: 'x', ListenerPort: 21500, Protocol: 'moon' },
      { ListenerPort: 0 },
    ];
    assert.deepEqual(await faults({ DestinationServiceName: 'web', Expose: { Paths } }), [
      'expose.paths: duplicate listener ports exposed',
      "protocol 'moon' not supported for path: x, must be in: [http http2]",
      'expose.paths: empty path exposed',
      'expose.paths: invalid listener port: 0',
    ]);
    assert.deepEqual(
      await faults({ LocalServicePort: 3, Upstreams: [a] }, { Kind: 'mesh-gateway', Port: 0 }),
      [
        'Port must be non-zero for a mesh-gateway',
        'The Proxy.LocalServicePort configuration is invalid for a mesh-gateway',
        'The Proxy.Upstreams configuration is invalid for a mesh-gateway',
      ],
    );
  });
});

describe('GET /v1/agent/service/:id?hash', () => {
  it('answers when the service changes', async () => {
    const { app, clock } = await startAgent();
    const put = (port: number) =>
      supertest(app).put('/v1/agent/service/register').send(`{"Name":"web","Port":${port}}`);
    await put(1);
    const first = await supertest(app).get('/v1/agent/service/web');
    const armed = clock.armed;
    const waiting = supertest(app)
      .get('/v1/agent/service/web')
      .query({ hash: first.body.ContentHash })
      .then(({ body }) => body.Port);
    await clock.untilArmed(armed + 1);
    await put(2);
    assert.equal(await waiting, 2);
  });
});

describe('PUT /v1/agent/service/maintenance/:id', () => {
  it('adds a critical check and takes it away again', async () => {
    const { app, catalog } = await startAgent();
    await supertest(app).put('/v1/agent/service/register').send('{"Name":"web"}');
    await supertest(app).put('/v1/agent/service/maintenance/web?enable=True').expect(200);
    assert.deepEqual(catalog.checkStates('n1'), [
      '_service_maintenance:web critical',
      'serfHealth passing',
    ]);
    await supertest(app).put('/v1/agent/service/maintenance/web?enable=false').expect(200);
    assert.deepEqual(catalog.checkStates('n1'), ['serfHealth passing']);
  });

  it('refuses what is meant for the agent of another node, to which a balancer may lead as well', async () => {
    const { app, catalog } = await startAgent();
    await supertest(app).put('/v1/agent/service/register').send('{"Name":"web"}');
    for (const path of ['service/maintenance/web', 'maintenance']) {
      const put = (node: string) =>
        supertest(app).put(`/v1/agent/${path}?enable=true&node=${node}`);
      await put('n2').expect(500, `this agent speaks for node "n1" alone: "n2" is another's`);
      assert.deepEqual(catalog.checkStates('n1'), ['serfHealth passing']);
      await put('N1').expect(200);
      await supertest(app).put(`/v1/agent/${path}?enable=false`).expect(200);
    }
  });
});
