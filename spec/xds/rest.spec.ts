/** Endpoint discovery by polls. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { createApp } from '../../lib/http/app.ts';
import { Listener } from '../../lib/http/listener.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { XdsOptions } from '../../xds/xds.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { atEnd, type Sent, send } from '../support/servers/start-server.ts';
import { startXds } from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

const TYPE = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';

async function setUp(more: Partial<XdsOptions> = {}) {
  const xds = await startXds(more);
  const app = createApp(
    { routes: xds.xds.routes(), access: OPEN },
    { guards: [], audit: undefined, logger: silentLogger },
  );
  const listener = new Listener({
    listener: app,
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  atEnd(() => listener.stop());
  const sent = (how: Sent) => send(listener.port, 'POST', '/v3/discovery:endpoints', how);
  const poll = (body: object) => sent({ body });
  return { ...xds, poll, send: sent };
}

describe('POST /v3/discovery:endpoints', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('answers with the assignments of the services that are named, as Envoy reads JSON', async () => {
    const { agent, poll } = await setUp();
    agent.sayInstances('web', [instance('a', { weights: { Passing: 3, Warning: 1 }, zone: 'a' })]);
    const { status, json } = await poll({
      node: { id: 'envoy-1', cluster: 'edge', user_agent_name: 'envoy' },
      resource_names: ['web', 'none'],
      type_url: TYPE,
    });
    assert.equal(status, 200);
    const { version_info, ...rest } = json as { readonly version_info: string };
    assert.notEqual(version_info, '');
    assert.deepEqual(rest, {
      type_url: TYPE,
      resources: [
        {
          '@type': TYPE,
          cluster_name: 'web',
          endpoints: [
            {
              locality: { region: 'dc1', zone: 'a' },
              priority: 0,
              load_balancing_weight: 3,
              lb_endpoints: [
                {
                  health_status: 'HEALTHY',
                  load_balancing_weight: 3,
                  endpoint: {
                    address: { socket_address: { address: '10.0.0.1', port_value: 80 } },
                  },
                },
              ],
            },
          ],
        },
        { '@type': TYPE, cluster_name: 'none', endpoints: [] },
      ],
    });
  });

  it('answers 304 while nothing has changed', async () => {
    const { agent, poll } = await setUp();
    agent.sayInstances('web', [instance('a')]);
    const { json } = await poll({ resource_names: ['web'] });
    const { version_info } = json as { readonly version_info: string };
    assert.equal((await poll({ resource_names: ['web'], version_info })).status, 304);
    agent.sayInstances('web', [instance('a', { port: 2 })]);
    assert.equal((await poll({ resource_names: ['web'], version_info })).status, 200);
  });

  it('answers no more for one service under many names than one message should have', async () => {
    const { agent, poll } = await setUp();
    const many = Array.from({ length: 4000 }, (_, i) => instance(`i-${i}`, { port: i + 1 }));
    agent.sayInstances('web', many);
    const ways = (count: number) =>
      Array.from({ length: count }, (_, i) => {
        const domain = [...'consul'].map((letter, at) =>
          i & (1 << at) ? letter.toUpperCase() : letter,
        );
        return `web.service.${domain.join('')}`;
      });
    const several = await poll({ resource_names: ways(13) });
    assert.equal(several.status, 400);
    assert.match(several.text, /at most 50000 endpoints, and not 52000: ask for fewer at once/);
    const alone = await poll({ resource_names: ways(1) });
    assert.equal(alone.status, 200);
    const tooMany = await poll({ resource_names: ways(17) });
    assert.equal(tooMany.status, 429);
    assert.match(tooMany.text, /clients of this address have 16 names of the same already/);
  });

  it('refuses a poll of more names than are answered at once', async () => {
    const { poll, agent } = await setUp();
    const names = Array.from({ length: 1001 }, (_, i) => `web-${i}`);
    const { status, text } = await poll({ resource_names: names });
    assert.equal(status, 400);
    assert.match(text, /a poll has at most 1000 resource_names, and not 1001/);
    assert.equal(agent.asked.length, 0);
    const twice = [...names.slice(1), ...names.slice(1)];
    const { json } = await poll({ resource_names: twice });
    assert.equal((json as { readonly resources: readonly unknown[] }).resources.length, 1000);
  });

  it('answers nothing of what is not known yet', async () => {
    const { agent, poll, clock } = await setUp();
    agent.isAway = true;
    const polled = poll({ resource_names: ['web'] });
    await until(() => agent.asked.length > 0);
    await clock.advance(5000);
    const { status, text } = await polled;
    assert.equal(status, 500);
    assert.match(text, /No cluster leader/);
  });
});

/** Polls as an Envoy that waits so long, with what it has. */
async function polling(more: Partial<XdsOptions> = {}) {
  const all = await setUp(more);
  const { agent, poll, xds } = all;
  agent.sayInstances('web', [instance('a')]);
  const { json } = await poll({ resource_names: ['web'] });
  const { version_info } = json as { readonly version_info: string };
  const sent = (waits: string, and: Sent = {}) =>
    all.send({
      body: { resource_names: ['web'], version_info },
      headers: { 'x-envoy-expected-rq-timeout-ms': waits },
      ...and,
    });
  const gauge = (name: string) => {
    const row = xds.metrics().find((each) => each.name === `proconsul.xds.${name}`);
    return row?.kind === 'gauge' ? row.read() : undefined;
  };
  const untilHeld = (polls = 1) => until(() => gauge('polls') === polls);
  /** Not before all is let go that was followed for it. */
  const untilFree = () =>
    until(
      () => ['polls', 'questions', 'resources'].every((name) => gauge(name) === 0),
      () => ['polls', 'questions', 'resources'].map((name) => `${name} ${gauge(name)}`).join(', '),
    );
  return { ...all, sent, untilHeld, untilFree };
}

describe('POST /v3/discovery:endpoints by an Envoy that has what there is', function () {
  this.timeout(60_000);

  it('is answered once that has changed', async () => {
    const { agent, sent, untilFree, untilHeld } = await polling();
    const polled = sent('1000');
    await untilHeld();
    agent.sayInstances('web', [instance('a', { port: 2 })]);
    const { status, text } = await polled;
    assert.equal(status, 200);
    assert.match(text, /"port_value":\s*2\b/);
    await untilFree();
  });

  it('is answered 304 before it waits no more, also where what changed is as it was', async () => {
    const { agent, clock, sent, untilFree, untilHeld } = await polling();
    const polled = sent('1000');
    await untilHeld();
    await clock.advance(700);
    agent.sayInstances('web', [instance('a')]);
    await clock.advance(49);
    await untilHeld();
    await clock.advance(1);
    assert.equal((await polled).status, 304);
    await untilFree();
  });

  it('leaves nothing where it goes meanwhile', async () => {
    const { sent, untilFree, untilHeld } = await polling();
    const ending = new AbortController();
    const polled = sent('3600000', { signal: ending.signal });
    await untilHeld();
    ending.abort();
    await assert.rejects(polled);
    await untilFree();
  });

  it('is held for a second where half of what an address may have is held, and not at all beyond three quarters', async () => {
    const { agent, clock, sent, untilHeld, logger } = await polling({ maxConnections: () => 4 });
    const both = [sent('10000'), sent('10000')];
    await untilHeld(2);
    const brief = sent('10000');
    await untilHeld(3);
    for (let i = 0; i < 3; i++) assert.equal((await sent('10000')).status, 304);
    const warned = logger.lines.filter((line) => /polls of one address are more/.test(line));
    assert.equal(warned.length, 1);
    await clock.advance(999);
    await untilHeld(3);
    await clock.advance(1);
    assert.equal((await brief).status, 304);
    await untilHeld(2);
    agent.sayInstances('web', [instance('a', { port: 2 })]);
    for (const { status } of await Promise.all(both)) assert.equal(status, 200);
  });

  it('is answered 304 where the agent ends', async () => {
    const { sent, untilHeld, xds } = await polling();
    const polled = sent('3600000');
    await untilHeld();
    await xds.stop();
    assert.equal((await polled).status, 304);
  });

  it('is told of nothing by an agent that ends while it has nothing', async () => {
    const { poll, xds } = await polling();
    await xds.stop();
    const { status } = await poll({ resource_names: ['web'] });
    assert.ok(status >= 500, String(status));
  });

  for (const waits of ['', '0', '-5', 'a while', 'NaN']) {
    it(`is answered at once where it waits ${JSON.stringify(waits)} milliseconds`, async () => {
      const { sent } = await polling();
      assert.equal((await sent(waits)).status, 304);
    });
  }

  it('is told nothing more where its token has come to something else', async () => {
    let stands = true;
    const open = await OPEN.callerOf('', '');
    const access = { callerOf: async () => ({ ...open, stands: () => stands }) };
    const { agent, sent, untilHeld } = await polling({ access });
    const polled = sent('1000');
    await untilHeld();
    stands = false;
    agent.sayInstances('web', [instance('a', { port: 2 })]);
    assert.equal((await polled).status, 304);
  });
});
