import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
});
