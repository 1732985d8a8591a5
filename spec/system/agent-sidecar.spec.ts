import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../support/servers/free-ports.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { ask } from '../support/servers/http-sidecars.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

const PATIENCE_MS = 40_000;

describe('an agent with a sidecar in its configuration', () => {
  it('runs it, and it ends with its agent, however that ends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
    const { port } = await serveHttp((_, response) => response.end('web'));
    const [own = 0, admin = 0] = await freePorts(2);
    const upstreams = [`web:${own}`];
    const sidecar = [{ upstreams, protocol: 'http', admin: `127.0.0.1:${admin}` }];
    const file = join(folder, 'sidecar.json');
    await writeFile(file, JSON.stringify({ sidecar }));
    try {
      const agent = await startProconsul(['-dev', `-config-file=${file}`]);
      const body = { Name: 'web', Address: '127.0.0.1', Port: port };
      const { status } = await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
      assert.equal(status, 200);
      await until(
        async () => (await ask(own, '/').catch(() => undefined))?.text === 'web',
        () => agent.output,
        PATIENCE_MS,
      );
      await agent.kill();
      await until(
        async () => (await ask(own, '/').catch(() => 'gone')) === 'gone',
        () => 'it goes on',
        PATIENCE_MS,
      );
    } finally {
      await killProconsuls();
      await rm(folder, { recursive: true });
    }
  }).timeout(4 * PATIENCE_MS);

  it('refuses nobody while a reload changes its block', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
    const { port } = await serveHttp((_, response) => response.end('web'));
    const [own = 0, other = 0, third = 0, admin = 0] = await freePorts(4);
    const file = join(folder, 'sidecar.json');
    const write = (...blocks: object[]) =>
      writeFile(
        file,
        JSON.stringify({ sidecar: blocks.map((each) => ({ protocol: ['http'], ...each })) }),
      );
    await write({ upstreams: [`web:${own}`], admin: `127.0.0.1:${admin}` });
    let meanwhile: Calls | undefined;
    try {
      const agent = await startProconsul(['-dev', `-config-file=${file}`]);
      const body = { Name: 'web', Address: '127.0.0.1', Port: port };
      await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
      const answers = (at: number) =>
        until(
          async () => (await ask(at, '/').catch(() => undefined))?.text === 'web',
          () => agent.output,
          PATIENCE_MS,
        );
      await answers(own);
      meanwhile = new Calls(own);
      const changed = async (count: number, ...blocks: object[]) => {
        const before = childrenOf(agent.pid);
        await write(...blocks);
        assert.equal((await send(agent.port, 'PUT', '/v1/agent/reload', {})).status, 200);
        await until(
          () => {
            const now = childrenOf(agent.pid);
            return now.length === count && !now.some((pid) => before.includes(pid));
          },
          () => agent.output,
          PATIENCE_MS,
        );
      };
      await changed(1, { upstreams: [`web:${own}`, `web:${other}`], admin: `127.0.0.1:${admin}` });
      await answers(other);
      // And to another block; what the one before listens on as well is in neither.
      await changed(
        2,
        { upstreams: [`web:${third}`] },
        { upstreams: [`web:${own}`], policy: ['random'] },
      );
      await answers(third);
      await assert.rejects(ask(other, '/'));
      await meanwhile.end();
      assert.deepEqual(meanwhile.faults, []);
      assert.ok(meanwhile.count > 50, `${meanwhile.count}`);
    } finally {
      await meanwhile?.end();
      await killProconsuls();
      await rm(folder, { recursive: true });
    }
  }).timeout(4 * PATIENCE_MS);

  it('refuses nobody where one reload follows another before what that one began is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
    const { port } = await serveHttp((_, response) => response.end('web'));
    const [own = 0] = await freePorts(1);
    const file = join(folder, 'sidecar.json');
    const write = (policy: string) => {
      const sidecar = [{ upstreams: [`web:${own}`], protocol: ['http'], policy: [policy] }];
      return writeFile(file, JSON.stringify({ sidecar }));
    };
    await write('random');
    let meanwhile: Calls | undefined;
    try {
      const agent = await startProconsul(['-dev', `-config-file=${file}`]);
      const body = { Name: 'web', Address: '127.0.0.1', Port: port };
      await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
      await until(
        async () => (await ask(own, '/').catch(() => undefined))?.text === 'web',
        () => agent.output,
        PATIENCE_MS,
      );
      const [before = ''] = childrenOf(agent.pid);
      meanwhile = new Calls(own);
      for (const policy of ['round-robin', 'two-choices', 'peak-ewma']) {
        await write(policy);
        assert.equal((await send(agent.port, 'PUT', '/v1/agent/reload', {})).status, 200);
      }
      await until(
        () => {
          const now = childrenOf(agent.pid);
          return now.length === 1 && !now.includes(before);
        },
        () => agent.output,
        PATIENCE_MS,
      );
      await meanwhile.end();
      assert.deepEqual(meanwhile.faults, []);
      assert.doesNotMatch(agent.output, /begun anew/);
    } finally {
      await meanwhile?.end();
      await killProconsuls();
      await rm(folder, { recursive: true });
    }
  }).timeout(4 * PATIENCE_MS);

  it('is asked by it at a socket where it has one, whoever holds all connections of its address', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) => serveHttp((_, response) => response.end(name))),
    );
    const [own = 0, admin = 0] = await freePorts(2);
    const socketPath = join(folder, 'http.sock');
    const held: Socket[] = [];
    const config = {
      sidecar: [{ upstreams: [`web:${own}`], protocol: 'http', admin: `127.0.0.1:${admin}` }],
      addresses: { http: `127.0.0.1 unix://${socketPath}` },
      limits: { http_max_conns_per_client: HELD },
    };
    const file = join(folder, 'sidecar.json');
    await writeFile(file, JSON.stringify(config));
    const called = (name: string) =>
      until(
        async () => (await ask(own, '/').catch(() => undefined))?.text === name,
        () => `${name} is not called`,
        PATIENCE_MS,
      );
    try {
      const agent = await startProconsul(['-dev', `-config-file=${file}`]);
      await register(socketPath, a?.port ?? 0);
      await called('a');
      for (let i = 0; i < HELD; i++) held.push(await connected(agent.port));
      await until(
        async () => (await send(agent.port, 'GET', '/v1/agent/self', {})).status === 429,
        () => 'it has room',
        PATIENCE_MS,
      );
      await register(socketPath, b?.port ?? 0);
      await called('b');
    } finally {
      for (const socket of held) socket.destroy();
      await killProconsuls();
      await rm(folder, { recursive: true });
    }
  }).timeout(4 * PATIENCE_MS);
});

/** One after the other from each of four callers, until they are told to end. */
class Calls {
  count = 0;
  /** What came in place of the answer. */
  readonly faults: string[] = [];
  #isOver = false;
  readonly #callers: readonly Promise<void>[];

  constructor(port: number) {
    this.#callers = Array.from({ length: 4 }, () => this.#caller(port));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#callers);
  }

  async #caller(port: number): Promise<void> {
    while (!this.#isOver) {
      this.count++;
      const text = await ask(port, '/').then((answer) => answer.text, String);
      if (text !== 'web') this.faults.push(text);
    }
  }
}

/** That run. */
function childrenOf(pid: number): readonly string[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(path, 'utf8')
    .split(' ')
    .filter((each) => each !== '');
}

/** As many as an address may have. */
const HELD = 8;

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The one instance of web. */
async function register(socketPath: string, Port: number): Promise<void> {
  const sent = request({ socketPath, method: 'PUT', path: '/v1/agent/service/register' });
  sent.end(JSON.stringify({ ID: 'web', Name: 'web', Address: '127.0.0.1', Port }));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  response.resume();
  assert.equal(response.statusCode, 200);
}
