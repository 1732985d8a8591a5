import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { serviceFromConfig } from '../../agent/definitions/service-spec.ts';
import { startAgent } from '../support/servers/agents.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { until } from '../support/until.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

function heapBytes(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

describe('an agent after 10,000 services came and went', () => {
  it('has its timers and memory back', async () => {
    const { agent, catalog, clock } = await startAgent();
    const comeAndGo = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const id = `web-${i}`;
        const checks = [{ ttl: '10s' }, { tcp: '127.0.0.1:1', interval: '10s' }];
        const spec = serviceFromConfig({ id, name: 'web', checks });
        agent.registrar.registerService(spec, { source: 'api', token: '' });
        await agent.antiEntropy.push(id);
      }
      assert.equal(agent.local.services.size, count);
      for (let i = 0; i < count; i++) {
        agent.registrar.removeService(`web-${i}`);
        await agent.antiEntropy.push(`web-${i}`);
      }
      // What the double of the catalog keeps is not the agent's.
      catalog.registrations.length = 0;
      catalog.deregistrations.length = 0;
    };
    await comeAndGo(100);
    const timers = clock.armed;
    const before = heapBytes();
    for (let round = 0; round < 20; round++) await comeAndGo(500);
    const grownMb = (heapBytes() - before) / 2 ** 20;
    assert.ok(grownMb < 8, `${grownMb.toFixed(1)} MB more than before`);
    assert.equal(clock.armed, timers);
    assert.deepEqual([agent.local.services.size, agent.local.checks.size], [0, 0]);
  }).timeout(60_000);

  it('has its sockets back', async () => {
    const { app } = await startAgent();
    const { host, server } = await serveHttp(app);
    const put = async (target: string, body = '') => {
      const url = `http://${host}/v1/agent/service/${target}`;
      const { status } = await fetch(url, { method: 'PUT', body });
      assert.equal(status, 200);
    };
    const names = Array.from({ length: 200 }, (_, i) => `web-${i}`);
    await Promise.all(names.map((Name) => put('register', JSON.stringify({ Name }))));
    await Promise.all(names.map((name) => put(`deregister/${name}`)));
    server.closeIdleConnections();
    const open = () =>
      new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
    await until(async () => (await open()) === 0);
  });
});
