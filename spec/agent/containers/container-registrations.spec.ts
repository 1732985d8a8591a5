import assert from 'node:assert/strict';
import type { Agent } from '../../../agent/agent.ts';
import { ContainerRegistrations } from '../../../agent/containers/container-registrations.ts';
import { Containers } from '../../../agent/containers/containers.ts';
import { readServices } from '../../../agent/containers/labels.ts';
import { serviceFromConfig } from '../../../agent/definitions/service-spec.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { type FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { startAgent } from '../../support/servers/agents.ts';
import { containerOf, optionsOf, published, type Shape } from '../../support/servers/containers.ts';

const WEB = 'host:web:80';

async function start(config = '') {
  const started = await startAgent(config);
  return { ...started, registrations: new ContainerRegistrations(started.agent) };
}

function serviceOf(shape: Shape = {}) {
  const container = containerOf({ ports: published({ 80: 8080 }), ...shape });
  const { services } = readServices(container, optionsOf(), () => undefined);
  assert.ok(services[0] !== undefined);
  return services[0];
}

function containersOf(clock: FakeClock): Containers {
  const { config } = loadConfig({ argv: ['-dev'], host: fakeConfigHost() });
  return new Containers({
    config,
    dockerHost: undefined,
    system: { clock, random: seededRandom(1), logger: silentLogger },
  });
}

const statusOf = (agent: Agent, id: string) => agent.local.checks.get(id)?.definition.Status;
const TTL = { env: ['SERVICE_CHECK_TTL=30s'] };

describe('a container in the agent', () => {
  it('is registered under the token for it, which may change', async () => {
    const tokens = 'config_file_service_registration = "theirs" default = "anybody\'s"';
    const { registrations, agent, catalog } = await start(`acl { tokens { ${tokens} } }`);
    await registrations.registerService(serviceOf(TTL));
    await agent.registrar.registerService(serviceFromConfig({ name: 'plain' }), {
      source: 'api',
      token: '',
    });
    await agent.antiEntropy.push('plain');
    await settle();
    assert.equal(catalog.tokens.get(WEB), 'theirs');
    assert.equal(catalog.tokens.get('plain'), "anybody's");
  });

  it('is in the catalog with its check and metadata, and gone when it is deregistered', async () => {
    const { registrations, catalog } = await start();
    await registrations.registerService(serviceOf(TTL));
    await settle();
    const { services = [], checks = [] } = catalog.nodes.get('n1') ?? {};
    const web = services.find(({ ID }) => ID === WEB);
    assert.deepEqual([web?.Address, web?.Port], ['192.168.1.102', 8080]);
    assert.equal(web?.Meta?.['proconsul-source'], 'docker');
    assert.ok(checks.some(({ CheckID }) => CheckID === `service:${WEB}`));
    await registrations.deregisterService(WEB);
    await settle();
    assert.ok(!catalog.serviceIds('n1').includes(WEB));
  });

  it('registered again as it was keeps its status, in the catalog too', async () => {
    const { registrations, catalog, agent } = await start();
    await registrations.registerService(serviceOf(TTL));
    await registrations.updateCheck({
      CheckID: `service:${WEB}`,
      Status: 'passing',
      Output: 'ok',
    });
    await settle();
    await registrations.registerService(serviceOf(TTL));
    await settle();
    assert.equal(statusOf(agent, `service:${WEB}`), 'passing');
    const status = catalog.nodes.get('n1')?.checks.find((c) => c.ServiceID === WEB)?.Status;
    assert.equal(status, 'passing');
  });

  it('keeps the state that Docker told when it is registered again', async () => {
    const { registrations, agent } = await start();
    await registrations.registerService(serviceOf());
    const CheckID = `docker:${WEB}`;
    const check = { CheckID, Name: 'x', ServiceID: WEB, TTL: '24h', Status: 'critical' };
    await registrations.registerCheck(check);
    await registrations.registerService(serviceOf({ env: ['SERVICE_TAGS=a'] }));
    assert.equal(statusOf(agent, CheckID), 'critical');
    await registrations.deregisterCheck(CheckID);
    assert.equal(statusOf(agent, CheckID), undefined);
  });

  it('that takes the id of another one does not keep that one’s check', async () => {
    const { registrations, agent } = await start();
    await registrations.registerService(serviceOf({ ...TTL, id: 'a1' }));
    await registrations.registerService(serviceOf({ id: 'b2' }));
    assert.equal(statusOf(agent, `service:${WEB}`), undefined);
  });

  it('may not run scripts unless requests may', async () => {
    const service = serviceOf({ env: ['SERVICE_CHECK_CMD=true'] });
    const careful = await start();
    await assert.rejects(careful.registrations.registerService(service), /Scripts are disabled/);
    assert.equal(careful.agent.local.services.has(WEB), false);
    const trusting = await start('enable_script_checks = true');
    await trusting.registrations.registerService(service);
    assert.equal(statusOf(trusting.agent, `service:${WEB}`), 'critical');
  });

  it('is forgotten when the agent is started without -docker', async () => {
    const { registrations, agent, clock } = await start();
    await registrations.registerService(serviceOf());
    await registrations.registerService({ ...serviceOf(), ID: 'mine', Meta: {} });
    const containers = containersOf(clock);
    await containers.start(agent);
    assert.deepEqual([...agent.local.services.keys()], ['mine']);
    await containers.stop();
  });
});
