import assert from 'node:assert/strict';
import supertest from 'supertest';
import { startAgent } from '../../support/servers/agents.ts';

describe('PUT /v1/agent/service/register', () => {
  it('is answered once the catalog has the service and its checks, in one command', async () => {
    const { app, catalog } = await startAgent();
    const before = catalog.commands;
    await supertest(app)
      .put('/v1/agent/service/register')
      .send('{"Name":"web","Port":80,"Checks":[{"TTL":"10s"},{"TTL":"20s"}]}')
      .expect(200, '');
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
    assert.deepEqual(catalog.checkStates('n1'), [
      'serfHealth passing',
      'service:web:1 critical',
      'service:web:2 critical',
    ]);
    assert.equal(catalog.commands - before, 1);
  });

  it('is answered with 200 while no server is there, and the catalog hears of it later', async () => {
    const { app, catalog, clock } = await startAgent();
    catalog.away = true;
    await supertest(app).put('/v1/agent/service/register').send('{"Name":"web"}').expect(200);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul']);
    catalog.away = false;
    await clock.advance(2000);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul', 'web']);
  });

  it('takes keys in any case, snake_case and durations as numbers', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .put('/v1/agent/service/register')
      .send(
        '{"name":"low","enable_tag_override":true,"check":{"checkid":"c","ttl":10000000000},"locality":{}}',
      )
      .expect(200);
    const { body } = await supertest(app).get('/v1/agent/service/low').expect(200);
    assert.equal(body.EnableTagOverride, true);
    const checks = await supertest(app).get('/v1/agent/checks');
    assert.equal(checks.body.c.Type, 'ttl');
  });

  it('keeps the status of the checks when the same is registered again', async () => {
    const { app, catalog } = await startAgent();
    const body = '{"Name":"web","Check":{"CheckID":"c","TTL":"10s"}}';
    await supertest(app).put('/v1/agent/service/register').send(body);
    await supertest(app).put('/v1/agent/check/pass/c');
    await supertest(app).put('/v1/agent/service/register').send(body);
    assert.deepEqual(catalog.checkStates('n1'), ['c passing', 'serfHealth passing']);
  });

  it('takes names that mean something to JavaScript for names', async () => {
    const { app } = await startAgent();
    await supertest(app)
      .put('/v1/agent/service/register')
      .send('{"Name":"__proto__","Meta":{"constructor":"x"}}')
      .expect(200);
    const { text } = await supertest(app).get('/v1/agent/services').expect(200);
    assert.match(text, /^\{"__proto__":\{"ID":"__proto__"/);
  });

  it('refuses a NUL in names and ids, by which the catalog joins its keys', async () => {
    const { app, catalog } = await startAgent();
    for (const body of [
      { Name: 'a\0b' },
      { Name: 'a', ID: 'a\0b' },
      { Name: 'a', Check: { CheckID: 'a\0b', TTL: '10s' } },
    ]) {
      const put = supertest(app).put('/v1/agent/service/register');
      await put.send(JSON.stringify(body)).expect(400);
    }
    await supertest(app)
      .put('/v1/agent/check/register')
      .send(JSON.stringify({ Name: 'a', ID: 'a\0b', TTL: '10s' }))
      .expect(400);
    assert.deepEqual(catalog.serviceIds('n1'), ['consul']);
  });

  it('refuses scripts unless they are enabled for what comes over HTTP', async () => {
    const { app } = await startAgent('enable_local_script_checks = true');
    const { text } = await supertest(app)
      .put('/v1/agent/service/register')
      .send('{"Name":"web","Check":{"Args":["true"],"Interval":"10s"}}')
      .expect(500);
    assert.match(text, /^Scripts are disabled on this agent from remote calls/);
    await supertest(app).get('/v1/agent/services').expect(200, '{}');
  });
});

describe('GET /v1/agent/service/:id?hash', () => {
  it('answers when the service changes', async () => {
    const { app, clock } = await startAgent();
    const put = (port: number) =>
      supertest(app).put('/v1/agent/service/register').send(`{"Name":"web","Port":${port}}`);
    await put(1);
    const first = await supertest(app).get('/v1/agent/service/web');
    const armed = clock.armed;
    const waiting = supertest(app)
      .get('/v1/agent/service/web')
      .query({ hash: first.body.ContentHash })
      .then(({ body }) => body.Port);
    await clock.untilArmed(armed + 1);
    await put(2);
    assert.equal(await waiting, 2);
  });
});

describe('PUT /v1/agent/service/maintenance/:id', () => {
  it('adds a critical check and takes it away again', async () => {
    const { app, catalog } = await startAgent();
    await supertest(app).put('/v1/agent/service/register').send('{"Name":"web"}');
    await supertest(app).put('/v1/agent/service/maintenance/web?enable=True').expect(200);
    assert.deepEqual(catalog.checkStates('n1'), [
      '_service_maintenance:web critical',
      'serfHealth passing',
    ]);
    await supertest(app).put('/v1/agent/service/maintenance/web?enable=false').expect(200);
    assert.deepEqual(catalog.checkStates('n1'), ['serfHealth passing']);
  });
});
