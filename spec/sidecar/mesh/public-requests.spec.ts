/** Requests of callers that are known already, each on a plain connection: whose it is, the spec says. */
import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { portOf } from '../../../lib/listening.ts';
import { AS_THEY_CAME } from '../../../sidecar/mesh/normal-requests.ts';
import { Program } from '../../../sidecar/mesh/program.ts';
import { PublicRequests } from '../../../sidecar/mesh/public-requests.ts';
import { PermissionList, type Verdict } from '../../../sidecar/mesh/verdict.ts';
import { boundlessBuffers } from '../../support/fakes/boundless-buffers.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { call } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const OPEN = { Action: 'allow', HTTP: { PathPrefix: '/' } };
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function start(verdict: Verdict, maxRequests: number) {
  const held: string[] = [];
  const { port } = await serveHttp(({ url }, response) => {
    held.push(url ?? '');
    if (url === '/now') response.end('ok');
  });
  const clock = new FakeClock();
  const random = seededRandom(1);
  const agent = { ask: () => new Promise<never>(() => undefined), clock, random };
  const at = { host: '127.0.0.1', port };
  const wanted = { service: 'db', at, protocol: 'http', connectMs: 5000, requestMs: undefined };
  const program = new Program({ ...wanted, maxRequests }, agent, new RecordingLogger());
  const state = { verdict };
  const decided = () => Promise.resolve(state.verdict);
  const requests = new PublicRequests({
    ...{ program, service: 'db', clock, random, maxRequests },
    identity: { uriOf: (service) => service, normal: AS_THEY_CAME },
    permissions: { verdictOn: decided, verdictAnew: decided },
    rules: { tries: 3, patienceMs: 5000, idleMs: 0, streamIdleMs: 0 },
    buffers: boundlessBuffers(),
    log: undefined,
  });
  let whose = '';
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.on('error', () => undefined));
    requests.accept(socket, whose);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    requests.end();
    program.stop();
    for (const socket of open) socket.destroy();
    server.close();
  });
  /** A request of that caller, on a connection of its own. */
  const asks = async (who: string, path: string) => {
    whose = who;
    const before = open.size;
    const caller = call(portOf(server));
    caller.socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => open.size > before);
    return caller;
  };
  return { requests, asks, held, state };
}

describe('requests of the mesh', () => {
  it('have places that one caller cannot take all of', async () => {
    const { asks, held } = await start(true, 16);
    for (let i = 0; i < 14; i++) await asks('greedy', `/${i}`);
    await until(() => held.length === 14);
    const more = await asks('greedy', '/more');
    await more.said('HTTP/1.1 503 ');
    assert.match(more.state.text, /x-envoy-overloaded: true/);
    const first = await asks('other', '/of-another');
    await until(() => held.includes('/of-another'));
    await (await asks('other', '/now')).said('ok');
    // And who goes gives his back.
    first.socket.resetAndDestroy();
    await until(async () => {
      const next = await asks('other', '/now');
      return await next.said('ok').then(
        () => true,
        () => false,
      );
    });
  });

  it('are judged again by what has changed alone, whenever everybody is looked at', async () => {
    const list = new PermissionList([{ Action: 'deny', HTTP: { PathRegex: '/a.*' } }, OPEN], false);
    const { asks, held, requests, state } = await start(list, 16);
    const caller = await asks('web', '/stays');
    await until(() => held.includes('/stays'));
    const before = list.cost.letters;
    assert.equal(await requests.judge('web'), true);
    assert.equal(list.cost.letters, before);
    const other = new PermissionList([{ Action: 'deny', HTTP: { PathPrefix: '/x' } }, OPEN], false);
    state.verdict = other;
    assert.equal(await requests.judge('web'), true);
    assert.equal(caller.state.closed, false);
    state.verdict = new PermissionList(
      [{ Action: 'deny', HTTP: { PathPrefix: '/s' } }, OPEN],
      false,
    );
    assert.equal(await requests.judge('web'), true);
    await until(() => caller.state.closed);
    assert.equal(requests.cut, 1);
  });

  it('cost what they may when everybody is looked at: the dear ones of who has too many are cut', async () => {
    const deny = Array.from({ length: 40 }, (_, i) => ({
      ...{ Action: 'deny', HTTP: { PathRegex: `/a.*x${i}` } },
    }));
    const { asks, held, requests, state } = await start(new PermissionList([OPEN], false), 1000);
    const long = `/a${'b'.repeat(8000)}`;
    for (let i = 0; i < 12; i++) await asks('web', `${long}${i}`);
    await asks('web', '/usual');
    await until(() => held.length === 13);
    const dear = new PermissionList([...deny, OPEN], false);
    state.verdict = dear;
    assert.equal(await requests.judge('web'), true);
    assert.ok(dear.cost.letters < 3_000_000, `${dear.cost.letters}`);
    assert.ok(requests.cut > 0 && requests.cut < 12, `${requests.cut}`);
  });
});
