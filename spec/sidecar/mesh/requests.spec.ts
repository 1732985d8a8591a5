import assert from 'node:assert/strict';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { AccessLog } from '../../../sidecar/access-log.ts';
import { followRegistration, MeshSidecar } from '../../../sidecar/mesh/mesh-sidecar.ts';
import { registrationIn } from '../../../sidecar/mesh/registration.ts';
import { Sidecar } from '../../../sidecar/sidecar.ts';
import { Sockets } from '../../../sidecar/sockets.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { freePort } from '../../support/servers/free-ports.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { ask } from '../../support/servers/http-sidecars.ts';
import { accessOutput, agentAt, call, LIMITS, wanted } from '../../support/servers/sidecars.ts';
import { send } from '../../support/servers/start-server.ts';
import { startWholeAgent, type WholeAgent } from '../../support/servers/whole-agent.ts';
import { until } from '../../support/until.ts';

/** The machine may be busy: each spec waits for certificates. */
const PATIENCE_MS = 30_000;

describe('a sidecar of the mesh whose service speaks HTTP', () => {
  let agent: WholeAgent;
  const stops: (() => Promise<unknown>)[] = [];

  before(async () => {
    agent = await startWholeAgent([]);
    await put('/v1/config', { Kind: 'service-defaults', Name: 'db', Protocol: 'http' });
  });
  after(() => agent.stop());
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    await send(agent.port, 'DELETE', '/v1/config/service-intentions/db', {});
  });

  const put = async (path: string, body: object) => {
    const answer = await send(agent.port, 'PUT', path, { body });
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  };
  const permit = (...Permissions: object[]) =>
    put('/v1/config', {
      Kind: 'service-intentions',
      Name: 'db',
      Sources: [{ Name: 'web', Permissions }],
    });

  const start = async (name: string, port: number, upstreams: readonly object[]) => {
    const Address = '127.0.0.1';
    await put('/v1/agent/service/register', { ID: name, Name: name, Address, Port: port });
    const standsFor = {
      DestinationServiceName: name,
      DestinationServiceID: name,
      LocalServicePort: port,
      Upstreams: upstreams,
    };
    const ID = `${name}-proxy`;
    const Port = await freePort();
    await put('/v1/agent/service/register', {
      ...{ ID, Name: ID, Kind: 'connect-proxy', Address, Port, Proxy: standsFor },
    });
    for (const id of [name, ID]) stops.push(() => put(`/v1/agent/service/deregister/${id}`, {}));
    const lines: string[] = [];
    const logger = new RecordingLogger();
    const parts = {
      agent: { ask: agentAt(agent.port).ask, clock: systemClock, random: systemRandom },
      ...{ logger, limits: LIMITS },
      wantedOf: (service: string) => wanted(service),
    };
    const access = new AccessLog(accessOutput((line) => void lines.push(line)));
    const sidecar = new Sidecar({ ...parts, sockets: new Sockets(), admin: undefined, access });
    const mesh = new MeshSidecar({ ...parts, sidecar });
    const ending = new AbortController();
    const { signal } = ending;
    const take = (json: unknown) => void mesh.takeOver(registrationIn(json));
    void followRegistration(parts.agent, ID, { take, logger, signal });
    stops.push(async () => {
      ending.abort();
      await Promise.all([mesh.stop(0), sidecar.stop(0)]);
    });
    return { lines, logger, mesh };
  };

  /** A web that calls a db, each by its own sidecar. */
  const startPair = async (db: Parameters<typeof serveHttp>[0]) => {
    const [program, calls] = [await serveHttp(db), await freePort()];
    const dbSide = await start('db', program.port, []);
    const web = await start('web', 1, [{ DestinationName: 'db', LocalBindPort: calls }]);
    const status = (path: string) =>
      ask(calls, path).then(
        (answer) => answer.status,
        () => 0,
      );
    await until(
      async () => (await status('/ready')) === 200,
      () => [web.logger.lines, dbSide.logger.lines, web.lines, dbSide.lines],
      PATIENCE_MS,
    );
    return { calls, status, dbSide, web };
  };

  it('carries requests by mutual TLS, and tells the program who calls, whoever says what', async () => {
    const { calls, dbSide } = await startPair((request, response) => {
      const { headers } = request;
      const said = headers['x-forwarded-client-cert'];
      const like = ['x_forwarded_client_cert', 'x.forwarded.client.cert'];
      response.end(`${said}${like.map((name) => headers[name] ?? '').join('')}`);
    });
    const root = 'URI=spiffe://x/ns/default/dc/dc1/svc/root';
    const forged = { 'X-Forwarded-Client-Cert': root, X_Forwarded_Client_Cert: root };
    Object.assign(forged, { 'X.Forwarded.Client.Cert': root });
    const { text } = await ask(calls, '/x?secret', { headers: forged });
    assert.match(
      text,
      /^By=spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/db;URI=spiffe:\/\/[^/]+\/ns\/default\/dc\/dc1\/svc\/web$/,
    );
    const line = JSON.parse(dbSide.lines.at(-1) ?? '');
    assert.match(line.from, /^spiffe:\/\/\S+\/svc\/web 127\.0\.0\.1:\d+$/);
    assert.deepEqual([line.upstream, line.path, line.status], ['public db', '/x', 200]);
  }).timeout(PATIENCE_MS);

  it('judges each request by the permissions, and answers as Envoy does', async () => {
    const seen: string[] = [];
    const { calls, status } = await startPair((request, response) => {
      seen.push(request.url ?? '');
      response.end('db');
    });
    await permit(
      { Action: 'deny', HTTP: { PathPrefix: '/admin' } },
      { Action: 'allow', HTTP: { PathPrefix: '/', Methods: ['GET'] } },
      { Action: 'deny', HTTP: { PathPrefix: '/' } },
    );
    await until(async () => (await status('/admin')) === 403);
    seen.length = 0;
    assert.equal(await status('/x'), 200);
    const denied = await ask(calls, '/x', { method: 'POST', body: 'y' });
    assert.deepEqual([denied.status, denied.text], [403, 'RBAC: access denied']);
    for (const path of ['/x/../admin', '/%61dmin', '//admin', '/admin;a', '/x/..%2f%2fadmin'])
      assert.equal(await status(path), 403, path);
    for (const path of ['/x/..;/admin', '/;a/admin', '/x/%252e%252e/admin'])
      assert.equal(await status(path), 400, path);
    assert.deepEqual(seen, ['/x']);
    // As the one that was judged, whatever the program would make of the other.
    for (const path of ['/x//../admin?y', '/x%2fy/../%61dmin'])
      assert.equal(await status(path), 200);
    assert.deepEqual(seen.slice(1), ['/x/admin?y', '/x/admin']);
  }).timeout(PATIENCE_MS);

  it('cuts a request that goes on when the permissions change', async () => {
    const { calls, status } = await startPair((request, response) => {
      if (request.url === '/ready') response.end('ready');
      else response.write('begun');
    });
    const { socket, said, state } = call(calls);
    socket.write('GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await said('begun');
    const other = call(calls);
    other.socket.write('GET /kept HTTP/1.1\r\nHost: x\r\n\r\n');
    await other.said('begun');
    await permit({ Action: 'deny', HTTP: { PathExact: '/stream' } });
    await until(() => state.closed || state.ended);
    assert.equal(await status('/stream'), 403);
    assert.deepEqual([other.state.closed, other.state.ended], [false, false]);
  }).timeout(PATIENCE_MS);

  it('tells its agent how many requests there were, and how long they took', async () => {
    const { status, dbSide } = await startPair((request, response) => {
      response.statusCode = request.url === '/bad' ? 500 : 200;
      response.end();
    });
    for (const path of ['/', '/bad', '/']) await status(path);
    const values = new Map(
      dbSide.mesh.metrics().map((metric) => [metric.name, 'read' in metric ? metric.read() : 0]),
    );
    const errors = values.get('proconsul.sidecar.public.requests.errors');
    assert.equal(errors, 1);
    assert.ok(Number(values.get('proconsul.sidecar.public.requests.answered')) >= 4);
  }).timeout(PATIENCE_MS);
});
