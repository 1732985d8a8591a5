/**
 * Two programs call a third, each by its own sidecar (`connect proxy`), on a new connection each time, while what
 * one of them may is changed again and again, and the authority gets another root. The other may never: none of its
 * bytes may come to the program. Of the first none may come once a denial has had its time; how long that took is
 * printed, from the answer to the denial to the last byte.
 *
 *   node --import tsx spec/system/intentions.system.ts [CHANGES, 40]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const COMMAND = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const [changes = '40'] = process.argv.slice(2);
const PATIENCE_MS = 60_000;
const CALLERS = 8;
/** After which none of the bytes of whoever is denied may come: each change has to come to two processes. */
const SETTLED_MS = 2000;
/** How many are let through, and how many are denied, between two changes. */
const BETWEEN_MS = 300;

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'intentions-'));
  const children: ChildProcess[] = [];
  const agent = await startProconsul([
    ...['-server', '-bootstrap', `-data-dir=${folder}`],
    ...['-hcl', 'connect { enabled = true }'],
  ]);
  const ask = async (method: string, path: string, body: object) => {
    const { status, text } = await send(agent.port, method, path, { body });
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  };
  const intend = (SourceName: string, Action: string) =>
    ask('PUT', `/v1/connect/intentions/exact?source=${SourceName}&destination=db`, { Action });
  const program = await startProgram();
  const [listens = 0, good = 0, bad = 0] = await freePorts(3);
  const proxy = (...flags: string[]) => {
    const address = `-http-addr=127.0.0.1:${agent.port}`;
    const words = ['connect', 'proxy', address, '-log-level=err', ...flags];
    children.push(spawn(COMMAND, words, { stdio: ['ignore', 'ignore', 'inherit'] }));
  };
  let isOver = false;
  try {
    const standsFor = { DestinationServiceName: 'db', LocalServicePort: program.port };
    const at = { Address: '127.0.0.1', Port: listens };
    await intend('good', 'allow');
    await intend('bad', 'deny');
    await ask('PUT', '/v1/agent/service/register', {
      ...{ ID: 'db-proxy', Name: 'db-proxy', Kind: 'connect-proxy', Proxy: standsFor },
      ...at,
    });
    proxy('-proxy-id=db-proxy');
    proxy('-service=good', `-upstream=db:${good}`);
    proxy('-service=bad', `-upstream=db:${bad}`);
    await until(
      async () => {
        await callOnce(good, 'good');
        return (program.last.get('good') ?? 0) > 0;
      },
      () => 'nobody comes through',
      PATIENCE_MS,
    );
    const callers = [
      ...Array.from({ length: CALLERS }, () => [good, 'good'] as const),
      ...Array.from({ length: CALLERS }, () => [bad, 'bad'] as const),
    ].map(async ([port, who]) => {
      while (!isOver) await callOnce(port, who);
    });
    const late: number[] = [];
    let wrong = 0;
    for (let i = 0; i < Number(changes); i++) {
      await intend('good', 'deny');
      const denied = performance.now();
      if (i % 10 === 5) await rotate(ask, i);
      await sleep(SETTLED_MS);
      const settled = performance.now();
      late.push(Math.max(0, (program.last.get('good') ?? 0) - denied));
      await sleep(BETWEEN_MS);
      if ((program.last.get('good') ?? 0) > settled) wrong++;
      const before = program.came.get('good');
      await intend('good', 'allow');
      await until(
        () => program.came.get('good') !== before,
        () => 'nobody comes through again',
        PATIENCE_MS,
      );
    }
    isOver = true;
    await Promise.all(callers);
    late.sort((a, b) => a - b);
    const of = (q: number) => (late[Math.floor(late.length * q)] ?? 0).toFixed(0);
    const strange = program.came.get('bad') ?? 0;
    say(`${changes} denials, ${program.came.get('good')} parts came of who was let in`);
    say(`the last byte came ${of(0.5)} ms after a denial, at the 99th percentile ${of(0.99)} ms`);
    say(`after ${SETTLED_MS} ms: in ${wrong} rounds; of who may never: ${strange}`);
    return wrong + strange;
  } finally {
    isOver = true;
    for (const child of children) child.kill('SIGKILL');
    program.close();
    await killProconsuls();
    await rm(folder, { recursive: true });
  }
}, SHORT_MS);

type Ask = (method: string, path: string, body: object) => Promise<void>;

function rotate(ask: Ask, n: number): Promise<void> {
  const Config =
    n % 20 === 5 ? { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 } : { PrivateKeyType: 'ec' };
  return ask('PUT', '/v1/connect/ca/configuration', { Provider: 'consul', Config });
}

/** Notes of whom a part came, and when; and answers. */
async function startProgram() {
  const came = new Map<string, number>();
  const last = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('data', (part: Buffer) => {
      const who = part.toString().slice(0, 4).trim();
      came.set(who, (came.get(who) ?? 0) + 1);
      last.set(who, performance.now());
      socket.write('so it is');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, came, last, close };
}

/** Says who it is at once, and again for each answer, for a while: a denial is to find calls under way. */
function callOnce(port: number, who: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let parts = 0;
    socket.write(who.padEnd(4));
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (++parts < 20) socket.write(who.padEnd(4));
      else socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.setTimeout(5000, () => socket.destroy());
    socket.on('close', () => setTimeout(resolve, 5));
  });
}
