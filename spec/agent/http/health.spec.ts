/** Whether the agent itself is alive and of use, as those ask who run it. */
import assert from 'node:assert/strict';
import supertest from 'supertest';
import { FakeAccess } from '../../support/fakes/fake-access.ts';
import { MemoryCatalog } from '../../support/fakes/memory-catalog.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { until } from '../../support/until.ts';

const membership = {
  members: async () => [],
  join: async () => undefined,
  forceLeave: async () => false,
  leave: async () => undefined,
};

describe('/v1/agent/health', () => {
  it('live answers anybody', async () => {
    const { app } = await startAgent('', { access: new FakeAccess({}) });
    await supertest(app).get('/v1/agent/health/live').expect(200, { Live: true });
  });

  it('ready is 503 until a server is known, and the catalog has had what is registered', async () => {
    let isKnown = false;
    const catalog = new MemoryCatalog();
    catalog.away = true;
    const shared = { catalog, membership: { ...membership, knowsServer: () => isKnown } };
    const { app, clock } = await startAgent('service { name = "web" }', shared);
    const ready = async () => {
      const { status, body } = await supertest(app).get('/v1/agent/health/ready');
      return [status, body];
    };
    assert.deepEqual(await ready(), [503, { Ready: false, KnowsServer: false, Synced: false }]);
    isKnown = true;
    assert.deepEqual(await ready(), [503, { Ready: false, KnowsServer: true, Synced: false }]);
    catalog.away = false;
    await until(async () => {
      await clock.advance(5000);
      return (await ready())[0] === 200;
    });
    catalog.away = true;
    await clock.advance(120_000);
    assert.deepEqual(await ready(), [200, { Ready: true, KnowsServer: true, Synced: true }]);
  });
});
