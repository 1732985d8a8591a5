/**
 * What people may write, and a real Envoy would refuse everything for: entries, names and registrations that are bad in one
 * place. Everything else goes on to be told, no Envoy refuses anything, and entries may come and go at speed.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/envoy-entries.system.ts
 */
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createPlainServer,
  type Server as PlainServer,
} from 'node:net';
import { BAD_ROUTES, HALF, ODD, setting } from '../support/experiments/bad-entries.ts';
import { callPlain, MeshEnvoys, rawGet } from '../support/experiments/mesh-envoys.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const ENVOY = process.env['ENVOY'] ?? 'envoy';
const PATIENCE_MS = 120_000;

const listening = async (server: Server | PlainServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

const program = (name: string) =>
  createServer((request, response) => {
    response.end(`${name}: ${request.url} ${request.headers['x-round']}`);
  });

interface Rounds {
  readonly envoys: MeshEnvoys;
  readonly check: (what: string, isGood: boolean, seen?: string) => void;
}

/** Whether it is so in time. */
async function comesTo(
  check: Rounds['check'],
  what: string,
  isSo: () => Promise<boolean>,
): Promise<void> {
  await until(isSo, () => 'not in time', PATIENCE_MS).then(
    () => check(what, true),
    (error) => check(what, false, String(error)),
  );
}

/** A service with a sidecar of Envoy's; its port. */
async function serve({ envoys }: Rounds, name: string, Protocol: string, more: object = {}) {
  const [Port = 0] = await freePorts(1);
  const server = program(name);
  const port = await listening(server);
  await envoys.put('/v1/config', { Kind: 'service-defaults', Name: name, Protocol });
  await envoys.put('/v1/agent/service/register', {
    ...{ Name: name, Address: '127.0.0.1', Port: port },
    Connect: { SidecarService: { Port, ...more } },
  });
  await envoys.run(`-sidecar-for=${name}`);
  return Port;
}

/** '' where the server takes it: what is refused as it is written is no affair of an Envoy's. */
async function tried(envoys: MeshEnvoys, body: object): Promise<string> {
  return await envoys.put('/v1/config', body).then(
    () => '',
    (error: Error) => error.message.slice(0, 160),
  );
}

async function entries(rounds: Rounds): Promise<void> {
  const { envoys, check } = rounds;
  await serve(rounds, 'api', 'http');
  await serve(rounds, 'other', 'http');
  const [own = 0, port = 0] = await freePorts(2);
  await envoys.put('/v1/config', {
    ...{ Kind: 'ingress-gateway', Name: 'edge' },
    Listeners: [
      {
        ...{ Port: port, Protocol: 'http' },
        Services: [
          {
            Name: 'api',
            Hosts: ['api.example'],
            RequestHeaders: { Set: { 'x-long': 'x'.repeat(17_000), 'x y': '1' } },
          },
          { Name: 'other', Hosts: ['other.example'] },
        ],
      },
    ],
  });
  await envoys.run('-gateway=ingress', '-register', '-service=edge', `-address=127.0.0.1:${own}`);
  const ask = (host: string, path = '/') =>
    callPlain(port, rawGet(path, '', 'GET', host)).catch((error: Error) => error.message);
  // A sidecar is critical until its agent has looked at its port.
  for (const name of ['api', 'other']) {
    const begins = async () => (await ask(`${name}.example`)).includes(`${name}:`);
    await comesTo(check, `${name} begins`, begins);
  }
  let round = 0;
  const changes = async (whenever: string) => {
    const mark = `round-${++round}`;
    await envoys.put('/v1/config', {
      ...{ Kind: 'service-router', Name: 'other' },
      Routes: [setting({ 'x-round': mark })],
    });
    const isThrough = async () => (await ask('other.example')).includes(mark);
    await comesTo(check, `${whenever} a change comes through`, isThrough);
  };
  for (const [i, bad] of BAD_ROUTES.entries()) {
    const why = await tried(envoys, { Kind: 'service-router', Name: 'api', Routes: [bad] });
    await changes(`with bad route ${i} of another (${why || 'taken'})`);
    const said = await ask('api.example', '/plain');
    check(`  and the service itself answers`, said.includes('api:'), said);
  }
  await envoys.put('/v1/config', { Kind: 'service-router', Name: 'api', Routes: [] });
  for (const [i, LoadBalancer] of [
    {
      Policy: 'ring_hash',
      HashPolicies: [
        { Field: 'header', FieldValue: 'x\ny' },
        { Field: 'cookie', FieldValue: 'c', CookieConfig: { Path: '/\n' } },
        { Field: 'query_parameter', FieldValue: HALF },
      ],
    },
    { Policy: 'ring_hash', RingHashConfig: { MinimumRingSize: 1e12, MaximumRingSize: 1 } },
    { Policy: 'least_request', LeastRequestConfig: { ChoiceCount: 4294967295 } },
    { Policy: 'no such' },
  ].entries()) {
    const why = await tried(envoys, { Kind: 'service-resolver', Name: 'api', LoadBalancer });
    await changes(`with balancing ${i} of another`);
    const said = await ask('api.example', '/plain');
    check(`with balancing ${i} (${why || 'taken'}) it answers`, said.includes('api:'), said);
  }
}

async function names(rounds: Rounds): Promise<void> {
  const { envoys, check } = rounds;
  const [mesh = 0, out = 0] = await freePorts(2);
  const refusedNames: string[] = [];
  for (const [i, name] of ODD.entries()) {
    const body = {
      Node: 'odd',
      Address: '127.0.0.1',
      SkipNodeUpdate: i > 0,
      Service: { ID: `odd-${i}`, Service: name, Address: '127.0.0.1', Port: 9 },
    };
    await envoys
      .put('/v1/catalog/register', body)
      .catch((error: Error) => refusedNames.push(error.message.slice(0, 120)));
    const proxy = {
      ...body,
      Service: {
        ...body.Service,
        ID: `odd-${i}-proxy`,
        Service: `${name}-proxy`,
        Kind: 'connect-proxy',
        Proxy: { DestinationServiceName: name },
      },
    };
    await envoys
      .put('/v1/catalog/register', proxy)
      .catch((error: Error) => refusedNames.push(error.message.slice(0, 120)));
  }
  check(`names: ${refusedNames.length} were refused by the catalog`, true);
  await envoys.put('/v1/config', {
    Kind: 'terminating-gateway',
    Name: 'out',
    Services: [{ Name: '*' }],
  });
  await envoys.run('-gateway=mesh', '-register', `-address=127.0.0.1:${mesh}`);
  await envoys.run(
    '-gateway=terminating',
    '-register',
    '-service=out',
    `-address=127.0.0.1:${out}`,
  );
  const other = await envoys.nameOf('other');
  const call = (port: number) =>
    envoys
      .call({ port, as: 'web', name: other }, rawGet('/through'))
      .catch((error: Error) => error.message);
  await comesTo(check, 'a mesh gateway leads on among strange names', async () =>
    (await call(mesh)).includes('other: /through'),
  );
  await comesTo(check, 'a terminating gateway leads on among strange names', async () =>
    (await call(out)).includes('other: /through'),
  );
  const Sources = [
    ...ODD.filter((name) => name !== '..').map((Name) => ({ Name, Action: 'deny' })),
    { Name: 'web', Action: 'allow' },
  ];
  for (const source of Sources) {
    const why = await tried(envoys, {
      Kind: 'service-intentions',
      Name: 'other',
      Sources: [source, { Name: '*', Action: 'allow' }],
    });
    if (why !== '') check(`an intention is refused where it is written: ${why}`, true);
  }
  check('intentions of strange names', (await call(mesh)).includes('other:'));
  const called = ODD.filter((name) => !name.includes('\n'));
  const [caller = 0, at = 0, ...ports] = await freePorts(2 + called.length);
  const Upstreams = called.map((DestinationName, i) => ({
    DestinationName,
    LocalBindPort: ports[i],
  }));
  await envoys.put('/v1/agent/service/register', {
    Name: 'caller',
    Address: '127.0.0.1',
    Port: 9,
    Connect: {
      SidecarService: {
        Port: caller,
        Proxy: { Upstreams: [...Upstreams, { DestinationName: 'other', LocalBindPort: at }] },
      },
    },
  });
  await envoys.run('-sidecar-for=caller');
  await comesTo(check, 'an upstream is reached beside strange ones', async () =>
    (await callPlain(at, rawGet('/up')).catch(() => '')).includes('other: /up'),
  );
}

async function speed({ envoys, check }: Rounds): Promise<void> {
  const ports = await freePorts(6);
  const [own = 0, ...others] = ports;
  const say = (some: readonly number[]) =>
    envoys.put('/v1/config', {
      ...{ Kind: 'ingress-gateway', Name: 'fast' },
      Listeners: some.map((Port) => ({
        Port,
        Protocol: 'http',
        Services: [{ Name: 'other', Hosts: ['x.example'] }],
      })),
    });
  await say(others);
  await envoys.run(
    '-gateway=ingress',
    '-register',
    '-service=fast',
    '-proxy-id=fast',
    `-address=127.0.0.1:${own}`,
  );
  for (let i = 0; i < 200; i++)
    await say(others.filter((_, at) => ((i >> (at % 3)) + at) % 2 === 0 || at === i % 5));
  await say(others.slice(0, 2));
  const answers = async (port: number) =>
    (await callPlain(port, rawGet('/', '', 'GET', 'x.example')).catch(() => '')).includes('other:');
  const isRight = async () =>
    (await Promise.all(others.map(answers))).join() === others.map((_, at) => at < 2).join();
  await comesTo(check, 'after 200 changes of ports it is as was said last', isRight);
}

async function exposed({ envoys, check }: Rounds): Promise<void> {
  const [Port = 0, ListenerPort = 0, tcp = 0] = await freePorts(3);
  const port = await listening(program('shown'));
  const Paths = [{ Path: '/health', ListenerPort, LocalPathPort: port, Protocol: 'http' }];
  await envoys.put('/v1/agent/service/register', {
    ...{ Name: 'shown', Address: '127.0.0.1', Port: port },
    Connect: {
      SidecarService: { Port, Proxy: { Expose: { Paths }, Config: { bind_address: '127.0.0.1' } } },
    },
  });
  await envoys.run('-sidecar-for=shown');
  const at = (path: string) => callPlain(ListenerPort, rawGet(path));
  check('an exposed path is there', (await at('/health?x=1')).includes('shown: /health'));
  for (const path of [
    '/',
    '/health/x',
    '/healthx',
    '//health',
    '/HEALTH',
    '/health/../admin',
    '/%68ealth',
  ]) {
    const said = await at(path);
    check(`and ${path} is not`, said.includes('404') && !said.includes('shown'), said);
  }
  // A program that speaks first.
  const greeting = createPlainServer((socket) => {
    socket.on('error', () => undefined);
    socket.write('a secret greeting');
    socket.on('data', (data) => socket.end(data));
  });
  const greets = await listening(greeting);
  await envoys.put('/v1/agent/service/register', {
    ...{ Name: 'greets', Address: '127.0.0.1', Port: greets },
    Connect: { SidecarService: { Port: tcp } },
  });
  await envoys.run('-sidecar-for=greets');
  const call = (as: string) =>
    envoys.call({ port: tcp, as, name: 'greets' }, 'hello').catch((error: Error) => error.message);
  await comesTo(check, 'all are greeted', async () => (await call('web')).includes('secret'));
  for (const Sources of [
    [{ Name: 'web', Action: 'deny' }],
    [
      { Name: 'friend', Action: 'allow' },
      { Name: '*', Action: 'deny' },
    ],
  ]) {
    await envoys.put('/v1/config', { Kind: 'service-intentions', Name: 'greets', Sources });
    const said: string[] = [];
    await until(
      async () => {
        said.push(await call('web'));
        return !(said.at(-1) ?? '').includes('hello');
      },
      () => 'still let in',
      PATIENCE_MS,
    );
    said.push(await call('web'), await call('web'));
    check(
      'whom an intention denies reads nothing of what the program says first',
      !(said.at(-1) ?? '').includes('secret'),
      said.at(-1),
    );
    check('and others do', (await call('friend')).includes('secret'), await call('friend'));
    check('with what they say', (await call('friend')).includes('hello'));
  }
  greeting.close();
}

async function run(say: (line: string) => void): Promise<number> {
  if (spawnSync(ENVOY, ['--version']).status !== 0) {
    say('skipped: there is no Envoy (ENVOY=/path/to/envoy)');
    return 0;
  }
  let bad = 0;
  const envoys = await MeshEnvoys.start(ENVOY);
  try {
    const check = (what: string, isGood: boolean, seen = '') => {
      if (!isGood) bad++;
      say(`${what}${isGood ? '' : `  FAILED: ${JSON.stringify(seen)}`}`);
    };
    for (const round of [entries, names, speed, exposed]) {
      const before = envoys.refused.length;
      await round({ envoys, check });
      check(`${round.name}: no Envoy refused what it was told`, envoys.refused.length === before);
    }
  } finally {
    for (const line of envoys.refused) say(line);
    await envoys.stop();
  }
  return bad;
}

await report(run, SHORT_MS);
process.exit();
