/**
 * Real Envoys of the mesh as `connect envoy` runs them: permissions of intentions keep out what is written otherwise
 * than the program reads it too, and the three gateways carry what they stand for, and nothing else.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/envoy-mesh.system.ts
 */
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { removeTlsFolders, TestAuthority } from '../support/certificates.ts';
import { callPlain, MeshEnvoys, rawGet } from '../support/experiments/mesh-envoys.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const ENVOY = process.env['ENVOY'] ?? 'envoy';
const PATIENCE_MS = 60_000;

type Say = (line: string) => void;

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers with who it is, and what it was asked. */
const program = (name: string) =>
  createServer((request, response) => {
    const { method, url, headers } = request;
    const caller = headers['x-forwarded-client-cert'] ?? '';
    response.end(`${name}: ${method} ${url} of ${caller} at ${headers.host} ${headers['x-set']}`);
  });

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);

interface Rounds {
  readonly envoys: MeshEnvoys;
  /** Of the sidecar before `api`. */
  readonly api: number;
  readonly check: (what: string, isGood: boolean, seen?: string) => void;
}

const PERMISSIONS = [
  { Action: 'deny', HTTP: { PathPrefix: '/admin' } },
  { Action: 'deny', HTTP: { PathExact: '/secret' } },
  { Action: 'deny', HTTP: { Header: [{ Name: 'x-debug', Present: true }] } },
  { Action: 'allow', HTTP: { PathPrefix: '/', Methods: ['GET', 'POST'] } },
  { Action: 'deny', HTTP: { PathPrefix: '/' } },
];

/** What a program may take for /admin or /secret, written otherwise. */
const EVASIONS = [
  ...['/admin', '/admin/x?y', '/secret', '//admin', '///secret', '/./admin', '/x/../admin'],
  ...['/%61dmin', '/%73ecret', '/x/%2e%2e/admin', '/%2e/admin', '/x/..%2fadmin', '/%2fadmin'],
  ...['http://h/admin', 'http://h//x/../admin', '/admin#x', '/admin?', '/admin%00', '*'],
  ...['/x%2f..%2fsecret', '/%5cadmin', '/\\admin', '/x\\..\\admin', '//x/../admin/'],
];

async function permissions({ envoys, api, check }: Rounds): Promise<void> {
  await envoys.put('/v1/config', {
    ...{ Kind: 'service-intentions', Name: 'api' },
    Sources: [
      { Name: 'web', Permissions: PERMISSIONS },
      { Name: '*', Action: 'deny' },
    ],
  });
  const call = { port: api, as: 'web', name: await envoys.nameOf('api') };
  const answer = (bytes: string) => envoys.call(call, bytes);
  await until(
    async () => statusOf(await answer(rawGet('/admin'))) === 403,
    () => 'the intention does not come to Envoy',
    PATIENCE_MS,
  );
  for (const path of EVASIONS) {
    const said = await answer(rawGet(path));
    check(`${path} is refused`, statusOf(said) >= 400 && !said.includes('api:'), said);
  }
  const hidden = await answer(rawGet('/', 'x_debug: 1\r\n'));
  check('x_debug does not come to the program', !hidden.includes('x_debug'), hidden);
  for (const [what, bytes] of [
    ['a header that is denied', rawGet('/', 'X-Debug: 1\r\n')],
    ['a method that nobody allows', rawGet('/', '', 'DELETE')],
  ] as const) {
    const said = await answer(bytes);
    check(`${what} is refused`, statusOf(said) === 403, said);
  }
  for (const path of ['/', '/ADMIN', '/x/y?z=//admin', '/a%20b']) {
    const said = await answer(rawGet(path));
    check(`${path} is let in`, statusOf(said) === 200 && said.includes('api: GET'), said);
  }
  const own = await answer(rawGet('/', 'x-forwarded-client-cert: URI=spiffe://forged\r\n'));
  check('the program hears who calls', /URI=spiffe:[^ ]*svc\/web/.test(own), own);
  check('and nobody else says it', !own.includes('forged'), own);
}

async function ingress({ envoys, check }: Rounds): Promise<void> {
  const [own = 0, http = 0, tcp = 0, secure = 0] = await freePorts(4);
  // Envoy would have none of them for the sake of one that it does not take.
  const RequestHeaders = { Set: { host: 'renamed', 'x y': '1', 'x-z': 'a\nb', 'x-set': '2' } };
  await envoys.put('/v1/config', {
    ...{ Kind: 'ingress-gateway', Name: 'edge' },
    Listeners: [
      {
        ...{ Port: http, Protocol: 'http' },
        Services: [{ Name: 'api', Hosts: ['api.example'] }, { Name: 'other' }],
      },
      { Port: tcp, Protocol: 'tcp', Services: [{ Name: 'plain' }] },
      {
        ...{ Port: secure, Protocol: 'http', TLS: { Enabled: true } },
        Services: [{ Name: 'other', Hosts: ['other.example'], RequestHeaders }],
      },
    ],
  });
  const words = ['-gateway=ingress', '-register', '-service=edge', `-address=127.0.0.1:${own}`];
  await envoys.run(...words);
  const at = (port: number, host: string) => callPlain(port, rawGet('/', '', 'GET', host));
  const until200 = (port: number, host: string) =>
    until(
      async () => statusOf(await at(port, host).catch(() => '')) === 200,
      () => `${host} is not reached`,
      PATIENCE_MS,
    );
  await until200(http, 'other.ingress.consul');
  for (const [host, who] of [
    ['other.ingress.consul', 'other:'],
    [`other.ingress.dc1.consul:${http}`, 'other:'],
  ] as const) {
    const said = await at(http, host);
    check(`${host} leads there`, said.includes(who), said);
  }
  const denied = await at(http, 'api.example');
  check('whom an intention denies the gateway does not reach', statusOf(denied) === 403, denied);
  await envoys.put('/v1/config', {
    ...{ Kind: 'service-intentions', Name: 'api' },
    Sources: [{ Name: 'edge', Action: 'allow' }],
  });
  await until200(http, `API.example:${http}`);
  const unknown = await at(http, 'who.example');
  check('a host that nobody names is not found', statusOf(unknown) === 404, unknown);
  const plain = await callPlain(tcp, rawGet('/'));
  check('a port of TCP leads to its service', plain.includes('plain:'), plain);
  const call = { port: secure, as: 'edge', name: 'other.example' };
  const byTls = await envoys.call(call, rawGet('/', '', 'GET', 'other.example'));
  check('a port speaks TLS where it is told to', byTls.includes('other:'), byTls);
  check('and changes headers as it is told', byTls.includes(' 2'), byTls);
  const inTheClear = await at(secure, 'other.example').catch(() => '');
  check('and nothing else', inTheClear === '', inTheClear);
}

async function terminating({ envoys, check }: Rounds): Promise<void> {
  const authority = await TestAuthority.create();
  const { cert, key } = await authority.issue({ names: ['pay.localhost'] });
  const outside = createSecureServer({ cert, key }, (request, response) => {
    response.end(`pay: ${request.url} at ${request.headers.host}`);
  });
  const others = await TestAuthority.create();
  const [pay, [port = 0]] = [await listening(outside), await freePorts(1)];
  const external = (name: string) => ({
    ...{ Node: 'outside', Address: 'localhost', SkipNodeUpdate: name !== 'pay' },
    Service: { Service: name, Address: 'localhost', Port: pay },
  });
  for (const name of ['pay', 'forged', 'misnamed']) {
    await envoys.put('/v1/catalog/register', external(name));
  }
  await envoys.put('/v1/config', { Kind: 'service-defaults', Name: 'pay', Protocol: 'http' });
  const SNI = 'pay.localhost';
  await envoys.put('/v1/config', {
    ...{ Kind: 'terminating-gateway', Name: 'out' },
    Services: [
      { Name: 'pay', CAFile: authority.caFile, SNI },
      { Name: 'forged', CAFile: others.caFile, SNI },
      { Name: 'misnamed', CAFile: authority.caFile, SNI: 'other.localhost' },
    ],
  });
  const words = ['-gateway=terminating', '-register', '-service=out'];
  await envoys.run(...words, `-address=127.0.0.1:${port}`);
  const call = async (service: string, as = 'web') =>
    await envoys.call({ port, as, name: await envoys.nameOf(service) }, rawGet('/x'));
  await until(
    async () => statusOf(await call('pay').catch(() => '')) === 200,
    () => 'the service outside is not reached',
    PATIENCE_MS,
  );
  const said = await call('pay');
  check(
    'a service outside is reached by TLS, by its name',
    said.includes('pay: /x at localhost'),
    said,
  );
  for (const name of ['forged', 'misnamed']) {
    const refused = await call(name).catch(() => '');
    check(`${name} is not taken for it`, !refused.includes('pay:'), refused);
  }
  const strange = await call('unknown').catch((error: Error) => error.message);
  check('nobody else is stood for', !strange.includes('pay:'), strange);
  await envoys.put('/v1/config', {
    ...{ Kind: 'service-intentions', Name: 'pay' },
    Sources: [{ Name: 'web', Action: 'deny' }],
  });
  await until(
    async () => statusOf(await call('pay')) === 403,
    () => 'the intention does not come to the gateway',
    PATIENCE_MS,
  );
  const other = await call('pay', 'edge');
  check('only whom an intention denies is kept out', other.includes('pay:'), other);
  outside.closeAllConnections();
  outside.close();
}

async function meshGateway({ envoys, check }: Rounds): Promise<void> {
  const [port = 0] = await freePorts(1);
  await envoys.run('-gateway=mesh', '-register', `-address=127.0.0.1:${port}`);
  const call = async (name: string) =>
    await envoys.call({ port, as: 'web', name }, rawGet('/through'));
  const other = await envoys.nameOf('other');
  await until(
    async () => statusOf(await call(other).catch(() => '')) === 200,
    () => 'the service is not reached',
    PATIENCE_MS,
  );
  const said = await call(other);
  check('what is not read is passed on', said.includes('other: GET /through'), said);
  check('and who calls stays who he is', said.includes('svc/web'), said);
  for (const name of ['local_agent', 'other.default.dc2.internal.x.consul']) {
    const refused = await call(name).catch((error: Error) => error.message);
    check(`${name} leads nowhere`, statusOf(refused) === 0, refused);
  }
}

/** A program and the Envoy before it; the port of that. */
async function serve(envoys: MeshEnvoys, name: string, protocol: string): Promise<number> {
  const [port, [Port = 0]] = [await listening(program(name)), await freePorts(1)];
  await envoys.put('/v1/config', { Kind: 'service-defaults', Name: name, Protocol: protocol });
  const Connect = { SidecarService: { Port } };
  const service = { Name: name, Address: '127.0.0.1', Port: port, Connect };
  await envoys.put('/v1/agent/service/register', service);
  await envoys.run(`-sidecar-for=${name}`);
  return Port;
}

async function run(say: Say): Promise<number> {
  if (spawnSync(ENVOY, ['--version']).status !== 0) {
    say('skipped: there is no Envoy (ENVOY=/path/to/envoy)');
    return 0;
  }
  let bad = 0;
  const envoys = await MeshEnvoys.start(ENVOY);
  try {
    const api = await serve(envoys, 'api', 'http');
    await serve(envoys, 'other', 'http');
    await serve(envoys, 'plain', 'tcp');
    const check = (what: string, isGood: boolean, seen = '') => {
      if (!isGood) bad++;
      say(`${what}${isGood ? '' : `  FAILED: ${JSON.stringify(seen)}`}`);
    };
    for (const round of [permissions, ingress, terminating, meshGateway]) {
      await round({ envoys, api, check });
    }
    check('no Envoy refused what it was told', envoys.refused.length === 0);
  } finally {
    for (const line of envoys.refused) say(line);
    await envoys.stop();
    removeTlsFolders();
  }
  return bad;
}

await report(run, SHORT_MS);
// Programs listen still.
process.exit();
