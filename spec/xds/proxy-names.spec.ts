/** What a proxy's resources cost whoever asks for them one by one, as no Envoy does. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { RegisteredWorld } from '../../xds/mesh/registered-world.ts';
import { Questions } from '../../xds/questions.ts';
import type { Kind } from '../../xds/resource.ts';
import { Views } from '../../xds/views.ts';
import { FakeAgentAnswers } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { chainTo, DOMAIN, leafOf, registered } from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const SERVICES = Array.from({ length: 50 }, (_, i) => `s${i}`);

async function start() {
  const agent = new FakeAgentAnswers();
  const upstreams = SERVICES.map((DestinationName, i) => ({
    DestinationName,
    LocalBindPort: 9000 + i,
  }));
  agent.say('/v1/agent/service/web-proxy', registered({}, upstreams));
  agent.say('/v1/agent/connect/ca/leaf/web', leafOf('web'));
  agent.say('/v1/agent/connect/ca/roots', { Roots: [{ RootCert: 'ROOT' }] });
  for (const name of SERVICES) agent.say(`/v1/discovery-chain/${name}`, chainTo(name, 'tcp'));
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  const views = new Views({ ask: agent.ask, access: OPEN, caughtUp: async () => true, system });
  const member = await views.enter('', '10.0.0.1');
  const world = new RegisteredWorld({
    ...{ id: 'web-proxy', domain: 'consul.', callsByDefault: true, takesLongPatterns: true },
  });
  const has = (kind: Kind, name: string) => {
    return member.subscribeTo(world.resources(kind, name), () => undefined);
  };
  return { views, has };
}

describe('what a proxy is told by name', () => {
  const { hold } = Questions.prototype;
  afterEach(() => {
    Questions.prototype.hold = hold;
  });

  for (const [kind, there] of [
    ['clusters', `s7.default.dc1.internal.${DOMAIN}`],
    ['listeners', 's7:127.0.0.1:9007'],
  ] as const) {
    it(`needs once what all of its ${kind} follow from, however many are named`, async () => {
      const { views, has } = await start();
      try {
        let held = 0;
        Questions.prototype.hold = function (...args) {
          held++;
          return hold.apply(this, args);
        };
        const named = has(kind, there);
        await until(() => named.current?.length === 1);
        const first = held;
        const others = Array.from({ length: 200 }, (_, i) => has(kind, `none ${i}`));
        await until(() => others.every(({ current }) => current?.length === 0));
        // Each of them needed some two hundred things.
        assert.ok(held - first < 200, `${held - first} for 200 more names`);
      } finally {
        views.stop();
      }
    });
  }
});
