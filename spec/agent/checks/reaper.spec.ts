import assert from 'node:assert/strict';
import supertest from 'supertest';
import { startAgent } from '../../support/servers/agents.ts';
import { until } from '../../support/until.ts';

const MINUTE = 60_000;

describe('DeregisterCriticalServiceAfter', () => {
  async function withCheck(after: string) {
    const started = await startAgent();
    const Check = { TTL: '10s', DeregisterCriticalServiceAfter: after };
    await supertest(started.app)
      .put('/v1/agent/service/register')
      .send(JSON.stringify({ Name: 'web', Check }));
    const services = () => started.catalog.serviceIds('n1');
    return { ...started, services };
  }

  it('takes the service out, no later than half a minute after its time', async () => {
    const { clock, services } = await withCheck('2m');
    await clock.advance(1.9 * MINUTE);
    assert.deepEqual(services(), ['consul', 'web']);
    await clock.advance(0.7 * MINUTE);
    await until(() => services().length === 1);
  });

  it('counts from the last time that the check turned critical', async () => {
    const { app, clock, services } = await withCheck('2m');
    await clock.advance(1.5 * MINUTE);
    await supertest(app).put('/v1/agent/check/pass/service:web').expect(200);
    await clock.advance(1.5 * MINUTE);
    assert.deepEqual(services(), ['consul', 'web']);
  });

  it('is at least a minute', async () => {
    const { clock, services } = await withCheck('1s');
    await clock.advance(0.9 * MINUTE);
    assert.deepEqual(services(), ['consul', 'web']);
    await clock.advance(MINUTE);
    await until(() => services().length === 1);
  });
});
