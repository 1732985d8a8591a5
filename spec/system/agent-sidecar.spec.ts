import assert from 'node:assert/strict';
import { once } from 'node:events';
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

const PATIENCE_MS = 120_000;

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
  }).timeout(PATIENCE_MS);

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
  }).timeout(PATIENCE_MS);
});

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
