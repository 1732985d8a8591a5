import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { AccessLog } from '../../../sidecar/access-log.ts';
import { followRegistration, MeshSidecar } from '../../../sidecar/mesh/mesh-sidecar.ts';
import { registrationIn } from '../../../sidecar/mesh/registration.ts';
import { Sidecar } from '../../../sidecar/sidecar.ts';
import { Sockets } from '../../../sidecar/sockets.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { type Backend, startBackend } from '../../support/servers/backends.ts';
import { freePort } from '../../support/servers/free-ports.ts';
import {
  accessOutput,
  agentAt,
  call,
  LIMITS,
  wanted,
  whoAnswers,
} from '../../support/servers/sidecars.ts';
import { send } from '../../support/servers/start-server.ts';
import { startWholeAgent, type WholeAgent } from '../../support/servers/whole-agent.ts';
import { until } from '../../support/until.ts';

/** The machine may be busy: each spec waits for certificates. */
const PATIENCE_MS = 30_000;

describe('a sidecar of the mesh', () => {
  let agent: WholeAgent;
  const stops: (() => Promise<unknown>)[] = [];

  before(async () => {
    agent = await startWholeAgent([]);
  });
  after(() => agent.stop());
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    for (const { ID } of await listed()) await put(`/v1/connect/intentions/${ID}`, '', 'DELETE');
  });

  const put = async (path: string, body: object | string = {}, method = 'PUT') => {
    const answer = await send(agent.port, method, path, { body });
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  };
  const listed = async () => {
    const { json } = await send(agent.port, 'GET', '/v1/connect/intentions', {});
    return (json ?? []) as readonly { readonly ID: string }[];
  };
  const intend = (SourceName: string, DestinationName: string, Action: string) =>
    put('/v1/connect/intentions', { SourceName, DestinationName, Action }, 'POST');

  interface Registered {
    readonly id: string;
    readonly program: Backend;
    readonly listens: number;
    readonly upstreams?: readonly {
      readonly name: string;
      readonly port: number;
      readonly more?: object;
    }[];
  }

  /** Its checks would look at the port; here nobody is to wait for them. */
  const register = async (name: string, { id, program, listens, upstreams = [] }: Registered) => {
    const Upstreams = upstreams.map((each) => ({
      DestinationName: each.name,
      LocalBindPort: each.port,
      ...each.more,
    }));
    const standsFor = {
      DestinationServiceName: name,
      DestinationServiceID: id,
      LocalServicePort: program.port,
      Upstreams,
    };
    const Address = '127.0.0.1';
    await put('/v1/agent/service/register', { ID: id, Name: name, Address, Port: program.port });
    const proxy = {
      ID: `${id}-proxy`,
      Name: `${name}-proxy`,
      Kind: 'connect-proxy',
      Proxy: standsFor,
    };
    await put('/v1/agent/service/register', { ...proxy, Address, Port: listens });
    stops.push(() => put(`/v1/agent/service/deregister/${id}-proxy`));
    stops.push(() => put(`/v1/agent/service/deregister/${id}`));
  };

  const start = (proxyId: string) => {
    const { ask, state } = agentAt(agent.port);
    const lines: string[] = [];
    const parts = {
      agent: { ask, clock: systemClock, random: systemRandom },
      logger: new RecordingLogger(),
      limits: LIMITS,
      wantedOf: (service: string) => wanted(service),
    };
    const sidecar: Sidecar = new Sidecar({
      ...parts,
      sockets: new Sockets(),
      admin: { host: '127.0.0.1', port: 0 },
      access: new AccessLog(accessOutput((line) => void lines.push(line))),
      beside: () => mesh,
    });
    const mesh: MeshSidecar = new MeshSidecar({ ...parts, sidecar });
    void sidecar.start();
    const ending = new AbortController();
    const take = (json: unknown) => void mesh.takeOver(registrationIn(json));
    const { signal } = ending;
    void followRegistration(parts.agent, proxyId, { take, logger: parts.logger, signal });
    stops.push(async () => {
      ending.abort();
      await Promise.all([mesh.stop(0), sidecar.stop(0)]);
    });
    const admin = (path: string) => send(sidecar.adminPort, 'GET', path, {});
    return { sidecar, mesh, lines, state, logger: parts.logger, admin };
  };

  /** A web that calls a db, each by its own sidecar. */
  const startPair = async () => {
    const [web, db] = await Promise.all([startBackend('web'), startBackend('db')]);
    const [calls, webListens, dbListens] = [await freePort(), await freePort(), await freePort()];
    const upstreams = [{ name: 'db', port: calls }];
    await register('web', { id: 'web-1', program: web, listens: webListens, upstreams });
    await register('db', { id: 'db-1', program: db, listens: dbListens });
    const [webSide, dbSide] = [start('web-1-proxy'), start('db-1-proxy')];
    await until(
      async () => (await whoAnswers(calls)) === 'db',
      () => [webSide.logger.lines, webSide.lines, dbSide.lines],
      PATIENCE_MS,
    );
    return { calls, web, db, dbListens, webListens, webSide, dbSide };
  };

  it('carries a call by mutual TLS to the program of the service that is meant', async () => {
    const { calls, dbListens, dbSide } = await startPair();
    const { socket, state, said } = call(calls);
    socket.write('hello');
    await said('hello');
    socket.end();
    await until(() => state.closed);
    assert.equal(state.error, '');
    await until(() => dbSide.lines.some((line) => line.includes('"sent"')));
    const line = JSON.parse(dbSide.lines.at(-1) ?? '');
    assert.match(
      line.from,
      /^spiffe:\/\/[0-9a-f-]{36}\.consul\/ns\/default\/dc\/dc1\/svc\/web 127\./,
    );
    // Without TLS, and with TLS but no certificate, nobody is let in.
    const plain = call(dbListens);
    plain.socket.write('GET / HTTP/1.1\r\n\r\n');
    await until(() => plain.state.closed || plain.state.ended);
    assert.equal(plain.state.text.includes('db'), false);
    const stranger = connectTls({ port: dbListens, host: '127.0.0.1', rejectUnauthorized: false });
    let heard = '';
    stranger.on('data', (data) => {
      heard += data;
    });
    await new Promise<void>((resolve) => {
      stranger.on('error', () => undefined);
      stranger.on('close', () => resolve());
      stranger.write('GET / HTTP/1.1\r\n\r\n');
    });
    assert.equal(heard, '');
  }).timeout(PATIENCE_MS);

  it('speaks TLS as the mesh says, with those who call it and whom it calls', async () => {
    const { calls, dbListens } = await startPair();
    const { CertPEM: cert, PrivateKeyPEM: key } = (
      await send(agent.port, 'GET', '/v1/agent/connect/ca/leaf/web', {})
    ).json as { readonly CertPEM: string; readonly PrivateKeyPEM: string };
    const spoken = (maxVersion: 'TLSv1.2' | 'TLSv1.3') =>
      new Promise<string>((resolve) => {
        const at = { port: dbListens, host: '127.0.0.1', rejectUnauthorized: false };
        const socket = connectTls({ ...at, cert, key, maxVersion });
        socket.once('error', () => resolve('none'));
        socket.once('secureConnect', () => {
          resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`);
          socket.destroy();
        });
      });
    const suite = 'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
    const mesh = (TLS: object) => put('/v1/config', { Kind: 'mesh', TLS });
    stops.push(() => put('/v1/config/mesh/mesh', '', 'DELETE'));
    await mesh({ Incoming: { TLSMinVersion: 'TLSv1_3' } });
    await until(
      async () => (await spoken('TLSv1.2')) === 'none',
      () => '',
      PATIENCE_MS,
    );
    assert.match(await spoken('TLSv1.3'), /^TLSv1\.3 /);
    const only = { TLSMaxVersion: 'TLSv1_2', CipherSuites: [suite] };
    await mesh({ Incoming: only, Outgoing: only });
    const wanted13 = async () => (await spoken('TLSv1.3')) === `TLSv1.2 ${suite}`;
    await until(wanted13, () => '', PATIENCE_MS);
    await until(
      async () => (await whoAnswers(calls)) === 'db',
      () => '',
      PATIENCE_MS,
    );
  }).timeout(3 * PATIENCE_MS);

  it('carries calls to what a prepared query finds, as that changes', async () => {
    const { db, dbListens } = await startPair();
    const { json } = await send(agent.port, 'POST', '/v1/query', {
      body: { Name: 'geo', Service: { Service: 'db', Connect: true } },
    });
    const { ID } = json as { readonly ID: string };
    stops.push(() => put(`/v1/query/${ID}`, '', 'DELETE'));
    const other = await startBackend('other');
    const [calls, listens, caller] = [await freePort(), await freePort(), await startBackend('c')];
    const more = { DestinationType: 'prepared_query' };
    await register('caller', {
      ...{ id: 'caller-1', program: caller, listens: await freePort() },
      upstreams: [{ name: 'geo', port: calls, more }],
    });
    const { logger, admin } = start('caller-1-proxy');
    const untilIs = (names: readonly string[]) =>
      until(
        async () => {
          const all = await Promise.all(Array.from({ length: 8 }, () => whoAnswers(calls)));
          return [...new Set(all)].sort().join() === names.join();
        },
        () => logger.lines,
        PATIENCE_MS,
      );
    await untilIs(['db']);
    await register('db', { id: 'db-2', program: other, listens });
    start('db-2-proxy');
    await untilIs(['db', 'other']);
    await put('/v1/agent/service/deregister/db-1-proxy');
    await untilIs(['other']);
    assert.match((await admin('/metrics')).text, /calls_total\{upstream="prepared_query:geo"\} \d/);
    assert.ok(db.taken() > 0 && dbListens > 0);
  }).timeout(2 * PATIENCE_MS);

  it('lets nobody call whom an intention denies, and cuts who is calling when one comes', async () => {
    const { calls, db, dbSide } = await startPair();
    const open = call(calls);
    await open.said('db\n');
    await intend('web', 'db', 'deny');
    await until(() => open.state.closed || open.state.ended);
    const before = db.taken();
    for (let i = 0; i < 5; i++) assert.notEqual(await whoAnswers(calls), 'db');
    // Not even the program hears of it.
    assert.equal(db.taken(), before);
    assert.ok(dbSide.lines.some((line) => line.includes('"fault":"denied"')));
    const [{ ID = '' } = {}] = await listed();
    await put(`/v1/connect/intentions/${ID}`, '', 'DELETE');
    await until(async () => (await whoAnswers(calls)) === 'db');
  }).timeout(PATIENCE_MS);

  it('cuts whom an intention denies while it ends, on a listener that another had followed too', async () => {
    const { calls, db, dbSide } = await startPair();
    const before = call(calls);
    await before.said('db\n');
    const listens = await freePort();
    await register('db', { id: 'db-1', program: db, listens });
    await until(() => dbSide.mesh.publicPort === listens);
    await until(async () => (await whoAnswers(calls)) === 'db');
    const after = call(calls);
    await after.said('db\n');
    const ended = dbSide.mesh.stop(LIMITS.drainMs);
    before.socket.write('still there');
    await before.said('still there');
    after.socket.end();
    await until(() => after.state.closed || after.state.ended);
    await intend('web', 'db', 'deny');
    await until(() => before.state.closed || before.state.ended);
    await ended;
  }).timeout(PATIENCE_MS);

  it('calls nobody who only says to be the service: its certificate is of another', async () => {
    const { calls, dbListens, webListens } = await startPair();
    await put('/v1/agent/service/register', {
      ID: 'false-proxy',
      Name: 'false-proxy',
      Kind: 'connect-proxy',
      Address: '127.0.0.1',
      Port: webListens,
      Proxy: { DestinationServiceName: 'db' },
    });
    stops.push(() => put('/v1/agent/service/deregister/false-proxy'));
    await until(async () => {
      const { json } = await send(agent.port, 'GET', '/v1/health/connect/db', {});
      return (json as unknown[]).length === 2;
    });
    // Another is tried in its place, so no caller hears of it.
    for (let i = 0; i < 10; i++) assert.equal(await whoAnswers(calls), 'db');
    assert.notEqual(webListens, dbListens);
  }).timeout(PATIENCE_MS);

  it('goes on while the agent is away: with its certificates, and for those whose right is known', async () => {
    const { calls, webSide, dbSide } = await startPair();
    webSide.state.isAway = true;
    dbSide.state.isAway = true;
    for (let i = 0; i < 5; i++) assert.equal(await whoAnswers(calls), 'db');
  }).timeout(PATIENCE_MS);

  it('lets nobody in of whom the agent was never asked while it is away', async () => {
    const { calls, dbSide } = await startPair();
    dbSide.state.isAway = true;
    const web2 = await startBackend('web2');
    const [more, listens] = [await freePort(), await freePort()];
    await register('other', {
      id: 'other-1',
      program: web2,
      listens,
      upstreams: [{ name: 'db', port: more }],
    });
    const other = start('other-1-proxy');
    await until(() => other.lines.length > 0 || other.sidecar.ports.length > 0);
    await until(async () => (await whoAnswers(more)) !== 'ECONNREFUSED');
    for (let i = 0; i < 3; i++) assert.notEqual(await whoAnswers(more), 'db');
    assert.equal(await whoAnswers(calls), 'db');
    dbSide.state.isAway = false;
    await until(
      async () => (await whoAnswers(more)) === 'db',
      () => other.lines,
    );
  }).timeout(PATIENCE_MS);

  it('is not ready before it lets calls in, and shows how many came', async () => {
    const db = await startBackend('db');
    const listens = await freePort();
    const taken = createServer().listen(listens, '127.0.0.1');
    await register('db', { id: 'db-1', program: db, listens });
    const { admin, mesh, logger } = start('db-1-proxy');
    await until(() => logger.lines.some((line) => line.includes('EADDRINUSE')));
    const before = await admin('/ready');
    assert.equal(before.status, 503);
    assert.match(before.text, new RegExp(`^waits for .*its port ${listens}\n$`));
    // Whoever was there before is gone: nobody has to say so.
    await new Promise((resolve) => taken.close(resolve));
    await until(async () => (await admin('/ready')).status === 200);
    assert.equal(mesh.publicPort, listens);
    assert.equal(logger.lines.filter((line) => line.includes('EADDRINUSE')).length, 1);
    const { text } = await admin('/metrics');
    assert.match(text, /^proconsul_sidecar_public_calls_total\{service="db"\} 0$/m);
  }).timeout(PATIENCE_MS);

  it('calls as whom it is registered for now, and no more as another', async () => {
    const { calls, web, webListens, dbSide } = await startPair();
    const upstreams = [{ name: 'db', port: calls }];
    const was = dbSide.lines.length;
    await register('shop', { id: 'web-1', program: web, listens: webListens, upstreams });
    await until(async () => {
      await whoAnswers(calls);
      return dbSide.lines.slice(was).some((line) => line.includes('/svc/shop '));
    });
    const now = dbSide.lines.length;
    assert.equal(await whoAnswers(calls), 'db');
    await until(() => dbSide.lines.length > now);
    assert.ok(dbSide.lines.slice(now).every((line) => line.includes('/svc/shop ')));
  }).timeout(PATIENCE_MS);

  it('breaks what a program breaks, through both proxies', async () => {
    const { calls, db } = await startPair();
    const open = call(calls);
    await open.said('db\n');
    for (const socket of db.sockets) socket.resetAndDestroy();
    await until(() => open.state.closed || open.state.ended);
    assert.deepEqual([open.state.ended, open.state.error], [false, 'ECONNRESET']);
  }).timeout(PATIENCE_MS);

  it('takes over what is registered anew, and keeps what stays as it was', async () => {
    const { calls, web, webListens, webSide } = await startPair();
    const open = call(calls);
    await open.said('db\n');
    const [also] = [await freePort()];
    const upstreams = [
      { name: 'db', port: calls },
      { name: 'web', port: also },
    ];
    await register('web', { id: 'web-1', program: web, listens: webListens, upstreams });
    await until(
      async () => (await whoAnswers(also)) === 'web',
      () => webSide.logger.lines,
    );
    open.socket.write('still there');
    await open.said('still there');
    await register('web', {
      id: 'web-1',
      program: web,
      listens: webListens,
      upstreams: upstreams.slice(1),
    });
    await until(async () => (await whoAnswers(calls)) === 'ECONNREFUSED');
    open.socket.write('to the end');
    await open.said('to the end');
  }).timeout(PATIENCE_MS);
});
