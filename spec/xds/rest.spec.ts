/** Endpoint discovery by polls. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { createApp } from '../../lib/http/app.ts';
import { Listener } from '../../lib/http/listener.ts';
import { silentLogger } from '../../lib/logger.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { atEnd, send } from '../support/servers/start-server.ts';
import { startXds } from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

const TYPE = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';

async function setUp() {
  const xds = await startXds();
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
  const poll = (body: object) => send(listener.port, 'POST', '/v3/discovery:endpoints', { body });
  return { ...xds, poll };
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
