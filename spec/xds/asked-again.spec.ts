/** What may change without a word, or is refused: how often it is asked again. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { OpenWorld } from '../../xds/open-world.ts';
import { Views } from '../../xds/views.ts';
import { FakeAgentAnswers } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

async function start(
  nameOf: (name: string) => string,
  pathOf: (name: string) => string,
  said: unknown,
  count = 1000,
) {
  const [agent, clock] = [new FakeAgentAnswers(), new FakeClock()];
  const system = { clock, logger: new RecordingLogger(), random: seededRandom(1) };
  const { ask } = agent;
  const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system });
  const world = new OpenWorld({ datacenter: 'dc1', domain: 'consul.' }, '');
  const enter = async (address: string) => {
    const member = await views.enter('', address);
    return (name: string) => {
      agent.say(pathOf(name), said);
      return member.subscribeTo(world.resources('endpoints', nameOf(name)), () => {});
    };
  };
  const [his, mine] = [await enter('10.0.0.1'), await enter('10.0.0.2')];
  const all = Array.from({ length: count }, (_, i) => his(`n${i}`));
  const one = mine('mine');
  await until(() => [...all, one].every(({ current }) => current !== undefined));
  /** How often each was asked meanwhile, and that of another address. */
  const askedWithin = async (seconds: number) => {
    const before = agent.asked.length;
    for (let i = 0; i < seconds * 10; i++) await clock.advance(100);
    const asked = agent.asked.slice(before);
    const own = asked.filter(({ path }) => path === pathOf('mine')).length;
    return { own, others: asked.length - own };
  };
  return { agent, askedWithin, clock, views, all };
}

describe('what nothing says of that it has changed', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('is asked again a hundred times a second for all, where the agent refuses it, and that of each address in turn', async () => {
    const { askedWithin, clock, views, all } = await start(
      (name) => `${name}.service.dc9`,
      (name) => `/v1/health/service/${name}?dc=dc9`,
      500,
    );
    await askedWithin(3);
    const { own, others } = await askedWithin(10);
    assert.ok(others <= 1100, `${others}`);
    assert.ok(own >= 4, `${own}`);
    for (const each of all) each.cancel();
    views.stop();
    await clock.advance(1000);
    assert.equal((await askedWithin(5)).others, 0);
    assert.equal(clock.armed, 0);
  });

  it('is asked again a hundred times a second for all, where it has no index', async () => {
    const { askedWithin, views } = await start(
      (name) => `${name}.query`,
      (name) => `/v1/query/${name}/execute`,
      404,
      2500,
    );
    await askedWithin(15);
    const { own, others } = await askedWithin(30);
    assert.ok(others <= 3200, `${others}`);
    assert.ok(own >= 1, `${own}`);
    views.stop();
  });
});
