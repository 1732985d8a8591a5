import assert from 'node:assert/strict';
import { AccessLog } from '../../sidecar/access-log.ts';
import { Upstream } from '../../sidecar/upstream.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { liveBytes } from '../support/heap.ts';
import { type Backend, startBackend } from '../support/servers/backends.ts';
import {
  agentAt,
  call,
  LIMITS,
  plain,
  startSidecar,
  whoAnswers,
} from '../support/servers/sidecars.ts';
import { startServer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

interface Said {
  readonly Address?: string;
  readonly Port?: number;
  readonly Status?: string;
  readonly CheckID?: string;
}

async function start(names: readonly string[], more: Parameters<typeof startSidecar>[2] = {}) {
  const server = await startServer();
  const backends = await Promise.all(names.map((name) => startBackend(name)));
  const register = async (id: string, { Port, Address, Status, CheckID }: Said) =>
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { ID: id, Service: 'web', Port, ...(Address !== undefined && { Address }) },
      Checks: [
        { CheckID: CheckID ?? `c-${id}`, ServiceID: id, Name: 'c', Status: Status ?? 'passing' },
      ],
    });
  const deregister = (ServiceID: string) =>
    server.put('/v1/catalog/deregister', { Node: 'm', ServiceID });
  for (const { name, port } of backends) await register(name, { Port: port });
  const agent = agentAt(server.port);
  const sidecar = await startSidecar(agent.ask, [plain('web')], more);
  await sidecar.untilHealthy(names.length);
  const backend = (name: string) => backends.find((each) => each.name === name) as Backend;
  return { ...sidecar, server, agent, backend, register, deregister };
}

async function answers(port: number, calls: number): Promise<readonly string[]> {
  const found = new Set<string>();
  for (let i = 0; i < calls; i++) found.add(await whoAnswers(port));
  return [...found].sort();
}

describe("a sidecar's listener", () => {
  it('carries bytes both ways, to each instance in its turn', async () => {
    const { port, lines } = await start(['a', 'b', 'c']);
    assert.deepEqual(await answers(port, 6), ['a', 'b', 'c']);
    const { socket, state, said } = call(port);
    socket.write('hello');
    await said('hello');
    socket.end();
    await until(() => state.closed);
    await until(() => lines.length === 7);
    const line = JSON.parse(lines.at(-1) ?? '');
    assert.deepEqual(
      [line.upstream, line.sent, line.received, line.fault, line.tries],
      ['web', 5, 7, '', 1],
    );
  });

  it('lets one side end while the other goes on', async () => {
    const server = await startServer();
    const late = await startBackend('late', (socket) => {
      socket.resume();
      socket.on('end', () => socket.end('after your end'));
    });
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: late.port },
    });
    const { port, untilHealthy } = await startSidecar(agentAt(server.port).ask, [plain('web')]);
    await untilHealthy(1);
    const { socket, state, said } = call(port);
    socket.end('all I have');
    await said('after your end');
    await until(() => state.closed);
    assert.equal(state.error, '');
  });

  it('breaks the one side when the other breaks: an end would say that all has come', async () => {
    const { port, backend, lines } = await start(['a']);
    const { state, said } = call(port);
    await said('a\n');
    await backend('a').kill();
    await until(() => state.closed);
    assert.equal(state.error, 'ECONNRESET');
    await until(() => lines.length > 0);
    assert.match(lines.join(''), /"fault":"called: read ECONNRESET"/);
  });

  it('takes from the faster side no more than the slower one takes', async () => {
    let written = 0;
    const server = await startServer();
    const part = Buffer.alloc(64 * 1024);
    const flood = await startBackend('flood', (socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(part)) written += part.length;
      };
      socket.on('drain', more);
      more();
    });
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: flood.port },
    });
    const { port, untilHealthy } = await startSidecar(agentAt(server.port).ask, [plain('web')]);
    await untilHealthy(1);
    const { socket } = call(port);
    socket.pause();
    let before = -1;
    await until(() => {
      const isStill = written > 0 && written === before;
      before = written;
      return isStill;
    });
    // What fits into the buffers of four sockets.
    assert.ok(written < 40 * 1024 * 1024, `${written}`);
  });

  it('tries another host where one refuses, and sets that one aside after a while', async () => {
    const { port, backend, hosts, clock } = await start(['a', 'b', 'c']);
    await backend('b').kill();
    for (let i = 0; i < 30; i++) assert.notEqual(await whoAnswers(port), 'ECONNRESET');
    const ejected = (await hosts()).filter((each) => 'ejected' in each && each.ejected === true);
    assert.deepEqual(
      ejected.map(({ id }) => id),
      ['m/b'],
    );
    const again = await startBackend('b2');
    await clock.advance(10_000);
    await again.kill();
    assert.deepEqual(await answers(port, 10), ['a', 'c']);
  });

  it('tries little more often than it is called where all refuse, and costs those nothing that another takes', async () => {
    const { port, backend, admin } = await start(['a', 'b', 'c']);
    const retries = async () =>
      Number(/sidecar_retries_total\S* (\d+)/.exec((await admin('/metrics')).text)?.[1]);
    for (const name of ['a', 'b']) await backend(name).kill();
    for (let i = 0; i < 20; i++) assert.equal(await whoAnswers(port), 'c');
    const before = await retries();
    await backend('c').kill();
    for (let i = 0; i < 200; i++) assert.equal(await whoAnswers(port), 'ECONNRESET');
    const more = (await retries()) - before;
    assert.ok(more > 0 && more <= 0.2 * 220 + 30 + 1, `${more}`);
  });

  it('follows what comes, goes and is put into maintenance, and breaks no connection for it', async () => {
    const { port, untilHealthy, register, deregister, backend } = await start(['a', 'b']);
    const open = call(port);
    await open.said('\n');
    const first = open.state.text.trim();
    const other = first === 'a' ? 'b' : 'a';
    await register(first, {
      Port: backend(first).port,
      Status: 'critical',
      CheckID: `_service_maintenance:${first}`,
    });
    await untilHealthy(1);
    assert.deepEqual(await answers(port, 4), [other]);
    open.socket.write('still there');
    await open.said('still there');
    const added = await startBackend('new');
    await register('new', { Port: added.port });
    await untilHealthy(2);
    assert.deepEqual(await answers(port, 4), [other, 'new'].sort());
    await deregister(other);
    await deregister(first);
    await untilHealthy(1);
    assert.deepEqual(await answers(port, 4), ['new']);
    open.socket.write('to the end');
    await open.said('to the end');
  });

  it('goes on with what it has when the agent is away, and catches up', async () => {
    const { port, agent, clock, logger, register, server, untilHealthy } = await start(['a']);
    agent.state.isAway = true;
    // The look that is under way is answered once more.
    await register('x', { Port: 1, Status: 'critical' });
    await until(() => logger.lines.some((line) => line.includes('the hosts stay as they were')));
    for (let i = 0; i < 5; i++) await clock.advance(60_000);
    assert.equal(await whoAnswers(port), 'a');
    const warned = logger.lines.filter((line) => line.startsWith('warn')).length;
    assert.ok(warned <= 3, `${warned} lines`);
    agent.state.isAway = false;
    const added = await startBackend('b');
    await register('b', { Port: added.port });
    await clock.advance(60_000);
    await untilHealthy(2);
    assert.equal((await server.get('/v1/health/service/web')).status, 200);
  });

  it('says by name that its token is refused, and goes on with what it has', async () => {
    const { port, agent, logger, register } = await start(['a']);
    agent.state.isRefused = true;
    await register('x', { Port: 1, Status: 'critical' });
    const line = () => logger.lines.find((each) => each.includes('refuses the token'));
    await until(
      () => line() !== undefined,
      () => logger.lines,
    );
    assert.match(line() ?? '', /^error.*and the hosts stay as they were/);
    assert.equal(await whoAnswers(port), 'a');
  });

  it('keeps a caller waiting for what the agent says first, and no longer than for a connection', async () => {
    const server = await startServer();
    const backend = await startBackend('a');
    const agent = agentAt(server.port);
    agent.state.isAway = true;
    const { port, clock, admin, lines } = await startSidecar(agent.ask, [plain('web')]);
    assert.equal((await admin('/ready')).status, 503);
    const early = call(port);
    await clock.untilArmed(2);
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: backend.port },
    });
    agent.state.isAway = false;
    await clock.advance(3000);
    await early.said('a\n');
    const other = await startSidecar(
      async () => await new Promise<never>(() => undefined),
      [plain('web')],
    );
    assert.equal((await admin('/ready')).status, 200);
    const refused = call(other.port);
    await other.clock.untilArmed();
    await other.clock.advance(LIMITS.connectMs);
    await until(() => refused.state.closed);
    assert.match(other.lines[0] ?? '', /"fault":"no host is known yet"/);
    assert.deepEqual(lines, []);
  });

  it('leaves out what cannot be called, and says so once', async () => {
    const { port, register, hosts, logger, untilHealthy } = await start(['a']);
    await register('no-port', { Port: 0 });
    await register('no-host', { Port: 80, Address: 'not a host' });
    await register('meta', { Port: 80, Address: '169.254.169.254' });
    await untilHealthy(2);
    assert.deepEqual((await hosts()).map(({ id }) => id).sort(), ['m/a', 'm/meta']);
    // It is a cloud's own address: nobody is led there.
    assert.deepEqual(await answers(port, 4), ['a']);
    assert.ok(logger.lines.some((line) => line.includes('left out: service=web instances=')));
  });

  it('takes no more connections than its limit', async () => {
    const server = await startServer();
    const backend = await startBackend('a');
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: backend.port },
    });
    const upstream = plain('web', { maxConnections: 2 });
    const { port, untilHealthy, admin } = await startSidecar(agentAt(server.port).ask, [upstream]);
    await untilHealthy(1);
    const [one, two] = [call(port), call(port)];
    await Promise.all([one.said('a\n'), two.said('a\n')]);
    assert.equal(await whoAnswers(port), 'ECONNRESET');
    one.socket.destroy();
    await until(async () => (await whoAnswers(port)) === 'a');
    const { text } = await admin('/metrics');
    assert.match(text, /^proconsul_sidecar_refused_total\{upstream="web",limit="callers"\} [1-9]/m);
  });

  it('keeps no lines of its access log for whoever does not read them', async () => {
    const written: string[] = [];
    let waiting = 0;
    const write = (text: string) => void written.push(text);
    const access = new AccessLog({ write, waiting: () => waiting, unwritten: () => 0 });
    const { port, admin } = await start(['a'], { access });
    const lost = async () =>
      /^proconsul_sidecar_access_lines_lost_total (\d+)$/m.exec(
        (await admin('/metrics')).text,
      )?.[1];
    await whoAnswers(port);
    await until(() => written.length === 1);
    waiting = 5 * 1024 * 1024;
    await whoAnswers(port);
    await until(async () => (await lost()) === '1', lost);
    waiting = 0;
    await whoAnswers(port);
    await until(() => written.length === 2);
  });

  it('cuts a connection that is silent for too long', async () => {
    const { port, lines } = await start(['a'], { limits: { ...LIMITS, idleMs: 20 } });
    const { state, said } = call(port);
    await said('a\n');
    await until(() => state.closed);
    await until(() => lines.length > 0);
    assert.match(lines[0] ?? '', /"fault":"idle for too long"/);
  });

  it('shows a service that it calls by two ports as one: a series may stand there once', async () => {
    const server = await startServer();
    const backend = await startBackend('a');
    await server.put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: backend.port },
    });
    const upstreams = [plain('web'), plain('web', { policy: 'random' })];
    const { sidecar, admin, untilHealthy } = await startSidecar(
      agentAt(server.port).ask,
      upstreams,
    );
    await untilHealthy(1);
    await untilHealthy(1, 1);
    for (const port of sidecar.ports) await answers(port, 2);
    const { text } = await admin('/metrics');
    const series = text.split('\n').map((line) => line.split(' ')[0]);
    const named = series.filter((line = '') => line.startsWith('proconsul'));
    assert.equal(new Set(named).size, named.length);
    assert.match(text, /^proconsul_sidecar_calls_total\{upstream="web"\} 4$/m);
    assert.match(text, /^proconsul_sidecar_host_begun\{upstream="web",instance="m\/web"\} 4$/m);
  });

  it('keeps nothing of whoever waited in vain for an agent that is away', async () => {
    const agent = agentAt(1);
    agent.state.isAway = true;
    const clock = new FakeClock();
    const rules = plain('web')(clock);
    const upstream = new Upstream(
      rules,
      { ask: agent.ask, clock, random: seededRandom(1) },
      new RecordingLogger(),
    );
    const before = (await liveBytes()).heap;
    for (let i = 0; i < 20; i++) {
      const waiting = Array.from({ length: 1000 }, () => upstream.untilKnown(clock, 10));
      await clock.advance(10);
      await Promise.all(waiting);
    }
    const grown = (await liveBytes()).heap - before;
    assert.ok(grown < 2_000_000, `${grown}`);
  }).timeout(60_000);

  it('shows its hosts and what they did', async () => {
    const { port, admin } = await start(['a', 'b']);
    await answers(port, 4);
    const { text } = await admin('/metrics');
    assert.match(text, /^proconsul_sidecar_calls_total\{upstream="web"\} 4$/m);
    assert.match(text, /^proconsul_sidecar_host_begun\{upstream="web",instance="m\/a"\} 2$/m);
    assert.match(text, /^proconsul_sidecar_known\{upstream="web"\} 1$/m);
    // Of TCP no host has answers: what has no rows leaves no empty line.
    assert.doesNotMatch(text, /\n\n/);
    assert.equal((await admin('/nothing')).status, 404);
  });
});
