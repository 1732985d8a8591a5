/**
 * Two programs call a third while what one of them may is changed again and again, and the authority gets another root.
 * The other may never: none of its bytes may come to the program. Of the first none may come once a denial has had its
 * time; how long that took is printed, from the answer to the denial to the last byte. By TCP, where connections are
 * judged, and by HTTP, where requests are; with our sidecar before the program, and with an Envoy. By TCP those that are
 * open at an Envoy go on until it has drained them: here that is a second, and new ones are judged at once.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/intentions.system.ts [CHANGES, 20] [WAY, all]
 */
import { spawnSync } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { MeshEnvoys } from '../support/experiments/mesh-envoys.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const ENVOY = process.env['ENVOY'] ?? 'envoy';
const [changes = '20', only] = process.argv.slice(2);
const PATIENCE_MS = 60_000;
const MOST_MS = 30 * 60_000;
const CALLERS = 8;
/** After which none of the bytes of whoever is denied may come: each change has to come to two processes. */
const SETTLED_MS = 2500;
/** How many are let through, and how many are denied, between two changes. */
const BETWEEN_MS = 300;
/** Of one connection. */
const PARTS = 20;
const CALL_MS = 5000;

type Say = (line: string) => void;
type Protocol = 'tcp' | 'http';

interface Way {
  readonly protocol: Protocol;
  readonly isEnvoy: boolean;
}

const WAYS: Readonly<Record<string, Way>> = {
  'own-tcp': { protocol: 'tcp', isEnvoy: false },
  'own-http': { protocol: 'http', isEnvoy: false },
  'envoy-tcp': { protocol: 'tcp', isEnvoy: true },
  'envoy-http': { protocol: 'http', isEnvoy: true },
};

/** By HTTP: what `bad` may never, written in several ways, and what it may. */
const SECRETS = ['/secret', '/secret/x', '//secret', '/x/../secret', '/%73ecret'];
const OPEN = '/open';

const PERMISSIONS = [
  { Action: 'deny', HTTP: { PathPrefix: '/secret' } },
  { Action: 'allow', HTTP: { PathPrefix: '/' } },
];

/** What there is to say of `good`, who may or not, and of `bad`, who may never. */
function intentions(protocol: Protocol, isAllowed: boolean, round: number): object {
  const good = { Name: 'good', Action: isAllowed ? 'allow' : 'deny' };
  const byPermissions = isAllowed
    ? { Name: 'good', Permissions: PERMISSIONS.slice(1) }
    : { Name: 'good', Permissions: PERMISSIONS };
  const bad =
    protocol === 'tcp'
      ? { Name: 'bad', Action: 'deny' }
      : { Name: 'bad', Permissions: PERMISSIONS };
  // Others come and go, so that the rules that stand are written anew in another order.
  const others = Array.from({ length: round % 4 }, (_, i) => ({
    Name: `other${i}`,
    Action: 'allow',
  }));
  const sources = [...others, protocol === 'tcp' ? good : byPermissions, bad];
  return {
    ...{ Kind: 'service-intentions', Name: 'db' },
    Sources: round % 2 === 0 ? sources : sources.reverse(),
  };
}

/** What has come of whom, and when it came last. */
class Came {
  readonly #count = new Map<string, number>();
  readonly #last = new Map<string, number>();

  note(who: string): void {
    this.#count.set(who, this.of(who) + 1);
    this.#last.set(who, performance.now());
  }

  of(who: string): number {
    return this.#count.get(who) ?? 0;
  }

  last(who: string): number {
    return this.#last.get(who) ?? 0;
  }
}

/** Notes who calls: by HTTP only where it is what a denial is about, else under another name. */
function program(protocol: Protocol, came: Came): Server {
  if (protocol === 'tcp') {
    return createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (part: Buffer) => {
        came.note(part.toString().slice(0, 4).trim());
        socket.write('so it is');
      });
    });
  }
  return createHttpServer((request, response) => {
    const who = String(request.headers['x-who']);
    came.note(request.url === OPEN ? `${who}, open` : who);
    response.end('so it is');
  });
}

/** Says who it is at once, and again for each answer, for a while: a denial is to find calls under way. */
function callOnce(port: number, who: string, protocol: Protocol): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let parts = 0;
    const say = () => {
      const path = parts % 2 === 0 ? OPEN : SECRETS[parts % SECRETS.length];
      if (protocol === 'tcp') socket.write(who.padEnd(4));
      else socket.write(`GET ${path} HTTP/1.1\r\nHost: db\r\nX-Who: ${who}\r\n\r\n`);
    };
    say();
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (++parts < PARTS) say();
      else socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.setTimeout(CALL_MS, () => socket.destroy());
    socket.on('close', () => setTimeout(resolve, 5));
  });
}

async function rotate(mesh: MeshEnvoys, n: number): Promise<void> {
  const Config =
    n % 20 === 5 ? { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 } : { PrivateKeyType: 'ec' };
  await mesh.put('/v1/connect/ca/configuration', { Provider: 'consul', Config });
}

interface Started {
  readonly mesh: MeshEnvoys;
  readonly way: Way;
  readonly came: Came;
  readonly good: number;
  readonly bad: number;
}

async function start(mesh: MeshEnvoys, way: Way, server: Server): Promise<[number, number]> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const [listens = 0, good = 0, bad = 0] = await freePorts(3);
  const { protocol } = way;
  await mesh.put('/v1/config', { Kind: 'service-defaults', Name: 'db', Protocol: protocol });
  await mesh.put('/v1/config', intentions(protocol, true, 0));
  const Connect = { SidecarService: { Port: listens } };
  const { port: Port } = server.address() as AddressInfo;
  await mesh.put('/v1/agent/service/register', { Name: 'db', Address: '127.0.0.1', Port, Connect });
  if (way.isEnvoy) await mesh.run('-sidecar-for=db');
  else mesh.runOwn('-sidecar-for=db');
  mesh.runOwn('-service=good', `-upstream=db:${good}`);
  mesh.runOwn('-service=bad', `-upstream=db:${bad}`);
  return [good, bad];
}

async function rounds({ mesh, way, came, good, bad }: Started, say: Say): Promise<number> {
  const { protocol } = way;
  const isThrough = async (port: number, who: string, as: string) => {
    await callOnce(port, who, protocol);
    return came.of(as) > 0;
  };
  const wait = (reached: () => boolean | Promise<boolean>) =>
    until(reached, () => 'nobody comes through', PATIENCE_MS);
  await wait(() => isThrough(good, 'good', 'good'));
  if (protocol === 'http') await wait(() => isThrough(bad, 'bad', 'bad, open'));
  let isOver = false;
  const callers = Array.from({ length: 2 * CALLERS }, async (_, i) => {
    const [port, who] = i % 2 === 0 ? ([good, 'good'] as const) : ([bad, 'bad'] as const);
    while (!isOver) await callOnce(port, who, protocol);
  });
  const late: number[] = [];
  let wrong = 0;
  for (let i = 0; i < Number(changes); i++) {
    await mesh.put('/v1/config', intentions(protocol, false, i));
    const denied = performance.now();
    if (i % 10 === 5) await rotate(mesh, i);
    await sleep(SETTLED_MS);
    const settled = performance.now();
    late.push(Math.max(0, came.last('good') - denied));
    await sleep(BETWEEN_MS);
    if (came.last('good') > settled) wrong++;
    const before = came.of('good');
    await mesh.put('/v1/config', intentions(protocol, true, i));
    await wait(() => came.of('good') !== before);
  }
  isOver = true;
  await Promise.all(callers);
  late.sort((a, b) => a - b);
  const of = (share: number) => (late[Math.floor(late.length * share)] ?? 0).toFixed(0);
  const strange = came.of('bad');
  say(`  ${changes} denials, ${came.of('good')} parts came of who was let in`);
  say(`  the last byte came ${of(0.5)} ms after a denial, at the 99th percentile ${of(0.99)} ms`);
  say(`  after ${SETTLED_MS} ms: in ${wrong} rounds; of who may never: ${strange}`);
  if (protocol === 'http') say(`  of what it may: ${came.of('bad, open')}`);
  return wrong + strange;
}

async function run(name: string, way: Way, say: Say): Promise<number> {
  say(name);
  const mesh = await MeshEnvoys.start(ENVOY, '--drain-time-s', '1');
  const [came, sockets] = [new Came(), new Set<Socket>()];
  const server = program(way.protocol, came);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  try {
    const [good, bad] = await start(mesh, way, server);
    const failed = await rounds({ mesh, way, came, good, bad }, say);
    for (const line of mesh.refused) say(line);
    return failed + mesh.refused.length;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await mesh.stop();
  }
}

await report(async (say) => {
  const hasEnvoy = spawnSync(ENVOY, ['--version']).status === 0;
  if (!hasEnvoy) say('without an Envoy: there is none (ENVOY=/path/to/envoy)');
  let failed = 0;
  for (const [name, way] of Object.entries(WAYS)) {
    const isWanted = only === undefined || only === name;
    if (isWanted && (hasEnvoy || !way.isEnvoy)) failed += await run(name, way, say);
  }
  return failed;
}, MOST_MS);
