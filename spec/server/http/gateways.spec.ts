/** What gateways stand in front of, and who finds them by it. */
import assert from 'node:assert/strict';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServer, type TestServer } from '../../support/servers/start-server.ts';

const on = (Service: string, over: object = {}) => ({
  Node: 'm',
  Address: '10.0.0.1',
  Service: { ID: Service, Service, Port: 80, ...over },
});
const ingressOf = (Name: string, ...Listeners: object[]) => ({
  Kind: 'ingress-gateway',
  Name,
  Listeners,
});
const terminatingOf = (Name: string, ...Services: object[]) => ({
  Kind: 'terminating-gateway',
  Name,
  Services,
});
const named = (...names: string[]) => names.map((Name) => ({ Name }));

async function start() {
  const server = await startServer();
  const { put, get, clock } = server;
  const done = async (path: string, body: object) => {
    const { status, text } = await put(path, body);
    assert.equal(status, 200, text);
  };
  const config = (body: object) => done('/v1/config', body);
  const register = (...args: Parameters<typeof on>) => done('/v1/catalog/register', on(...args));
  const speaks = (Name: string, Protocol: string) =>
    config({ Kind: 'service-defaults', Name, Protocol });
  await register('in', { Kind: 'ingress-gateway', Port: 8443 });
  await register('term', { Kind: 'terminating-gateway', Port: 8444 });
  const json = async (path: string) => (await get(path)).json;
  const behind = async (gateway: string) => {
    const rows = (await json(`/v1/catalog/gateway-services/${gateway}`)) as Row[] | null;
    return (rows ?? []).map(({ Service, Port = 0, FromWildcard = false }) =>
      [Service.Name, ...(Port ? [Port] : []), ...(FromWildcard ? ['*'] : [])].join(' '),
    );
  };
  const found = async (path: string) =>
    ((await json(path)) as { Service: { ID: string } }[]).map((each) => each.Service.ID);
  return { ...server, clock, config, register, speaks, json, behind, found };
}

interface Row {
  readonly Service: { readonly Name: string };
  readonly Port?: number;
  readonly FromWildcard?: boolean;
}

describe('GET /v1/catalog/gateway-services/:gateway', () => {
  it('lists what the entry of a gateway names, each at its port, as 1.8.7 shows it', async () => {
    const { config, speaks, json } = await start();
    await speaks('web', 'http');
    await config(
      ingressOf(
        'in',
        { Port: 8080, Protocol: 'http', Services: [{ Name: 'web', Hosts: ['web.example'] }] },
        { Port: 300, Protocol: 'http', Services: named('web') },
        { Port: 9, Services: named('db') },
      ),
    );
    await config(terminatingOf('term', { Name: 'db', CAFile: '/ca.pem', SNI: 'db.example' }));
    const rows = (await json('/v1/catalog/gateway-services/IN')) as object[];
    const base = { Gateway: { Name: 'in' }, GatewayKind: 'ingress-gateway' };
    const indexes = Object.fromEntries(
      Object.entries(rows[0] ?? {}).filter(([key]) => key.endsWith('Index')),
    );
    assert.deepEqual(rows, [
      { ...base, Service: { Name: 'db' }, Port: 9, Protocol: 'tcp', ...indexes },
      { ...base, Service: { Name: 'web' }, Port: 300, Protocol: 'http', ...indexes },
      {
        ...{ ...base, Service: { Name: 'web' }, Port: 8080, Protocol: 'http' },
        ...{ Hosts: ['web.example'], ...indexes },
      },
    ]);
    const [db] = (await json('/v1/catalog/gateway-services/term')) as Record<string, unknown>[];
    assert.deepEqual([db?.['CAFile'], db?.['SNI']], ['/ca.pem', 'db.example']);
    assert.equal(await json('/v1/catalog/gateway-services/none'), null);
  });

  it('means by * the ordinary services, and by a name the one of that name', async () => {
    const { config, register, behind } = await start();
    await register('web');
    await register('web-proxy', {
      Kind: 'connect-proxy',
      Proxy: { DestinationServiceName: 'web' },
    });
    await register('consul');
    await config(terminatingOf('term', { Name: '*', CAFile: '/all.pem' }, { Name: 'ghost' }));
    assert.deepEqual(await behind('term'), ['ghost', 'web *']);
    await register('db');
    await register('Ghost');
    assert.deepEqual(await behind('term'), ['db *', 'ghost', 'web *']);
    await register('db', { Kind: 'mesh-gateway' });
    assert.deepEqual(await behind('term'), ['ghost', 'web *']);
  });

  it('takes of an ingress only the services that speak what the listener does', async () => {
    const { config, register, speaks, behind } = await start();
    for (const name of ['web', 'api', 'db']) await register(name);
    await speaks('web', 'http');
    await config(ingressOf('in', { Port: 1, Protocol: 'http', Services: named('*') }));
    assert.deepEqual(await behind('in'), ['web 1 *']);
    await speaks('api', 'http');
    await config({ Kind: 'service-resolver', Name: 'api', Redirect: { Service: 'web' } });
    assert.deepEqual(await behind('in'), ['api 1 *', 'web 1 *']);
    await config({ Kind: 'proxy-defaults', Name: 'global', Config: { protocol: 'http' } });
    assert.deepEqual(await behind('in'), ['api 1 *', 'db 1 *', 'web 1 *']);
  });

  it('refuses where listeners multiply the services beyond reason', async () => {
    const { config, register, get } = await start();
    const Services = named('*');
    const listeners = Array.from({ length: 4000 }, (_, i) => ({
      Port: i + 1,
      Protocol: 'http',
      Services,
    }));
    await config(ingressOf('in', ...listeners));
    for (let i = 0; i < 51; i++) await register(`s${i}`);
    const { status, text } = await get('/v1/catalog/gateway-services/in');
    assert.equal(status, 500);
    assert.match(text, /^the gateway "in" stands in front of more than 200000 services/);
  });

  it('wakes for what it shows, and for no other gateway, service or instance', async () => {
    const { config, register, get, clock, server } = await start();
    await register('web');
    await config(terminatingOf('term', ...named('*')));
    await config(terminatingOf('other', ...named('web')));
    const { index } = await get('/v1/catalog/gateway-services/term');
    const waiting = get(`/v1/catalog/gateway-services/term?index=${index}`);
    await clock.untilArmed();
    const before = server.answers.wakeUps;
    await config(terminatingOf('other', ...named('db', 'web')));
    await register('web', { Port: 81 });
    await register('term', { Kind: 'terminating-gateway', Port: 9 });
    assert.equal(server.answers.wakeUps, before);
    await register('db');
    const { text, index: then } = await waiting;
    assert.match(text, /"Name":"db"/);
    assert.ok(then > index);
  });
});

describe('GET /v1/health/ingress/:service', () => {
  it('finds the gateways once each, however many ports they have for it', async () => {
    const { config, register, speaks, found } = await start();
    await register('web');
    await speaks('web', 'http');
    const listener = (Port: number, ...names: string[]) => ({
      Port,
      Protocol: 'http',
      Services: named(...names),
    });
    await config(ingressOf('in', listener(1, 'web'), listener(2, 'web'), listener(3, '*')));
    assert.deepEqual(await found('/v1/health/ingress/WEB'), ['in']);
    // Whatever it speaks: so says Consul, whose list of services is narrower.
    await register('db');
    assert.deepEqual(await found('/v1/health/ingress/db'), ['in']);
    assert.deepEqual(await found('/v1/health/ingress/none'), []);
    assert.deepEqual(await found('/v1/health/ingress/in'), []);
  });

  it('is narrowed like any list of instances', async () => {
    const { config, register, found, put } = await start();
    await config(ingressOf('in', { Port: 1, Services: named('web') }));
    await register('in2', { Service: 'in', Kind: 'ingress-gateway', Tags: ['x'] });
    await put('/v1/catalog/register', {
      ...{ Node: 'm', Address: '10.0.0.1' },
      Check: { Name: 'c', ServiceID: 'in2', Status: 'critical' },
    });
    const path = '/v1/health/ingress/web';
    assert.deepEqual(await found(path), ['in', 'in2']);
    assert.deepEqual(await found(`${path}?passing`), ['in']);
    assert.deepEqual(await found(`${path}?tag=x`), ['in2']);
    assert.deepEqual(await found(`${path}?filter=Service.Port==80`), ['in2']);
  });

  it('wakes when a gateway comes in front of the service, changes or goes, and for no other', async () => {
    const { config, register, get, clock, server } = await start();
    await register('web');
    const wokenBy = async (act: () => Promise<void>, other: () => Promise<void>) => {
      const { index } = await get('/v1/health/ingress/web');
      const waiting = get(`/v1/health/ingress/web?index=${index}`);
      await clock.untilArmed();
      const before = server.answers.wakeUps;
      await other();
      assert.equal(server.answers.wakeUps, before);
      await act();
      return ((await waiting).json as unknown[]).length;
    };
    const listeners = (...names: string[]) =>
      names.map((n, i) => ({ Port: i + 1, Services: named(n) }));
    const comes = () => config(ingressOf('in', ...listeners('db', 'web')));
    assert.equal(await wokenBy(comes, () => config(ingressOf('in', ...listeners('db')))), 1);
    const changes = () => register('in', { Kind: 'ingress-gateway', Port: 1 });
    const elsewhere = () => config(ingressOf('in', ...listeners('web', 'api', 'db')));
    assert.equal(await wokenBy(changes, elsewhere), 1);
    const goes = () => config(ingressOf('in', ...listeners('db')));
    assert.equal(await wokenBy(goes, () => register('web', { Port: 2 })), 0);
  });
});

describe('GET /v1/health/connect/:service', () => {
  it('finds the terminating gateways of a service beside its sidecars', async () => {
    const { config, register, found } = await start();
    await register('web');
    await register('webp', { Kind: 'connect-proxy', Proxy: { DestinationServiceName: 'web' } });
    await config(terminatingOf('term', ...named('*', 'ghost')));
    assert.deepEqual(await found('/v1/health/connect/web'), ['term', 'webp']);
    assert.deepEqual(await found('/v1/health/connect/ghost'), ['term']);
    assert.deepEqual(await found('/v1/health/connect/webp'), []);
    assert.deepEqual(await found('/v1/health/connect/in'), []);
    assert.deepEqual(await found('/v1/health/ingress/web'), []);
  });
});

describe('gateways under rules', () => {
  const READ = (...names: string[]) =>
    [...names.map((n) => `service "${n}"`), 'node_prefix ""']
      .map((head) => `${head} { policy = "read" }`)
      .join('\n');

  async function startWithRules() {
    const server = await startAclServer();
    const { master, as } = server;
    await master('PUT', '/v1/catalog/register', on('web'));
    await master('PUT', '/v1/catalog/register', on('in', { Kind: 'ingress-gateway' }));
    const listeners = ['web', 'db'].map((n, i) => ({ Port: i + 1, Services: named(n) }));
    await master('PUT', '/v1/config', ingressOf('in', ...listeners));
    let policies = 0;
    const tokenFor = async (...names: string[]) => {
      const Name = `p${policies++}`;
      await master('PUT', '/v1/acl/policy', { Name, Rules: READ(...names) });
      const { SecretID = '' } = await master('PUT', '/v1/acl/token', { Policies: [{ Name }] });
      return SecretID;
    };
    const read = async (token: string, path: string) => {
      const { status, text } = await as(token, 'GET', path);
      return status === 200 ? text : status;
    };
    return { tokenFor, read };
  }

  it('show a gateway to who may see it, and of what is behind it what he may see', async () => {
    const { tokenFor, read } = await startWithRules();
    const path = '/v1/catalog/gateway-services/in';
    const ui = '/v1/internal/ui/gateway-services-nodes/in';
    const web = await tokenFor('web');
    assert.equal(await read(web, path), 403);
    assert.equal(await read(web, ui), 403);
    assert.equal(await read(await tokenFor('in'), path), '[]');
    // Names are found in any case, and rights are had by one.
    assert.equal(await read(await tokenFor('IN'), path.replace('/in', '/IN')), 'null');
    const both = String(await read(await tokenFor('web', 'in'), path));
    assert.deepEqual(both.match(/"Service":\{"Name":"(\w+)"/g), ['"Service":{"Name":"web"']);
  });

  it('are found by who may see the service and the gateway both', async () => {
    const { tokenFor, read } = await startWithRules();
    const path = '/v1/health/ingress/web';
    assert.equal(await read(await tokenFor('web'), path), '[]');
    assert.equal(await read(await tokenFor('in'), path), '[]');
    assert.match(String(await read(await tokenFor('web', 'in'), path)), /"ID":"in"/);
  });
});

describe('GET /v1/internal/ui/gateway-services-nodes/:gateway', () => {
  it('sums up what is behind a gateway, with where it listens for it', async () => {
    const { config, speaks, register, json } = await start();
    await register('web');
    for (const name of ['web', 'ghost']) await speaks(name, 'http');
    const web = { Name: 'web', Hosts: ['a.example', 'b.example'] };
    await config(
      ingressOf(
        'in',
        { Port: 1, Protocol: 'http', Services: [web, { Name: 'ghost' }] },
        { Port: 2, Protocol: 'http', Services: named('web') },
      ),
    );
    const rows = (await json('/v1/internal/ui/gateway-services-nodes/in')) as UiRow[];
    assert.deepEqual(
      rows.map(({ Name, Nodes, InstanceCount, GatewayConfig }) => [
        Name,
        Nodes,
        InstanceCount,
        GatewayConfig.Addresses,
      ]),
      [
        ['ghost', null, 0, ['ghost.ingress.dc1.consul.:1']],
        ['web', ['m'], 1, ['a.example:1', 'b.example:1', 'web.ingress.dc1.consul.:2']],
      ],
    );
  });

  it('sums up as much of hundreds as of few', async () => {
    const { config, register, json } = await start();
    const names = Array.from({ length: 100 }, (_, i) => `s${i}`);
    for (const name of names) await register(name);
    await config(terminatingOf('term', ...named('*')));
    const rows = (await json('/v1/internal/ui/gateway-services-nodes/term')) as UiRow[];
    assert.deepEqual(rows.map(({ Name }) => Name).sort(), [...names].sort());
    assert.ok(rows.every((row) => row.InstanceCount === 1 && !row.GatewayConfig.Addresses));
  });
});

interface UiRow {
  readonly Name: string;
  readonly Nodes: readonly string[] | null;
  readonly InstanceCount: number;
  readonly GatewayConfig: { readonly Addresses?: readonly string[] };
}

describe('a gateway that is registered', () => {
  it('has a port, no sidecar and nothing of a proxy', async () => {
    const { put }: Pick<TestServer, 'put'> = await start();
    const bad = on('bad', {
      ...{ Kind: 'mesh-gateway', Port: 0, Connect: { SidecarService: {} } },
      Proxy: { DestinationServiceName: 'x' },
    });
    const { status, text } = await put('/v1/catalog/register', bad);
    const faults = [
      'Port must be non-zero for a mesh-gateway',
      'A mesh-gateway cannot have a sidecar service defined',
      'The Proxy.DestinationServiceName configuration is invalid for a mesh-gateway',
    ];
    const list = faults.map((fault) => `\t* ${fault}\n`).join('');
    assert.deepEqual([status, text], [500, `3 errors occurred:\n${list}\n`]);
    const portless = on('in2', { Kind: 'ingress-gateway', Port: 0 });
    assert.equal((await put('/v1/catalog/register', portless)).status, 200);
  });
});
