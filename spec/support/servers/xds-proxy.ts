/** All that a proxy is told, resource by resource, without a stream: of one that is registered, and calls some services. */
import { OPEN } from '../../../lib/acl/rights.ts';
import type { Most } from '../../../xds/accounts.ts';
import { RegisteredWorld } from '../../../xds/mesh/registered-world.ts';
import type { Kind } from '../../../xds/resource.ts';
import { Views } from '../../../xds/views.ts';
import { FakeAgentAnswers } from '../fakes/fake-agent-answers.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { chainTo, DOMAIN, leafOf, registered } from './xds-mesh.ts';

export const ID = 'web-proxy';

/** Each at a port of its own: by the number at the end of its name, and the one that has none. */
export function upstreamsTo(services: readonly string[]): readonly object[] {
  return services.map((DestinationName) => ({
    DestinationName,
    LocalBindPort: portOf(DestinationName),
  }));
}

function portOf(service: string): number {
  return 9000 + Number(/\d+$/.exec(service)?.[0] ?? 999);
}

/** `most`: of what clients of one address have. */
export async function startProxy(services: readonly string[], most: Partial<Most> = {}) {
  const agent = new FakeAgentAnswers();
  agent.say(`/v1/agent/service/${ID}`, registered({}, upstreamsTo(services)));
  agent.say('/v1/agent/connect/ca/leaf/web', leafOf('web'));
  agent.say('/v1/agent/connect/ca/roots', { Roots: [{ RootCert: 'ROOT' }] });
  for (const name of [...services, 'more']) {
    agent.say(`/v1/discovery-chain/${name}`, chainTo(name, 'http'));
  }
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  const { ask } = agent;
  const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system, most });
  const world = new RegisteredWorld({
    ...{ id: ID, domain: 'consul.', callsByDefault: true, takesLongPatterns: true },
  });
  const enter = async (address: string) => {
    const member = await views.enter('', address);
    const has = (kind: Kind, name: string, listener = () => {}) =>
      member.subscribeTo(world.resources(kind, name), listener);
    return { member, has };
  };
  const nameOf = (kind: Kind, service: string) => {
    if (kind === 'routes') return service;
    if (kind === 'listeners') return `${service}:127.0.0.1:${portOf(service)}`;
    return `${service}.default.dc1.internal.${DOMAIN}`;
  };
  return { ...system, agent, views, world, enter, nameOf, ...(await enter('10.0.0.1')) };
}
