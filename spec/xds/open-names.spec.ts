/** Names of which a service has as many as anybody likes: of its chain's targets, and of its tags. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Most } from '../../xds/accounts.ts';
import { Omissions } from '../../xds/omissions.ts';
import { OpenWorld } from '../../xds/open-world.ts';
import type { Kind } from '../../xds/resource.ts';
import { Views } from '../../xds/views.ts';
import type { Subscribed } from '../../xds/world.ts';
import { FakeAgentAnswers, instance } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

const MANY = Array.from({ length: 1000 }, (_, i) => `n${i}`);

async function start(most: Partial<Most> = {}) {
  const agent = new FakeAgentAnswers();
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  const { ask } = agent;
  const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system, most });
  const world = new OpenWorld({ datacenter: 'dc1', domain: 'consul.' }, '');
  const member = await views.enter('', '10.0.0.1');
  const has = (kind: Kind, name: string, listener = () => {}) =>
    member.subscribeTo(world.resources(kind, name), listener, name);
  return { agent, views, member, has };
}

const ID = 'v1.web.default.dc1';

/** Calls to web go to those. */
function sayChain(agent: FakeAgentAnswers, ids: readonly string[], service = 'web'): void {
  const Nodes = Object.fromEntries(
    ids.map((Target) => [
      `resolver:${Target}`,
      { Type: 'resolver', Resolver: { ConnectTimeout: '3s', Target } },
    ]),
  );
  const Targets = Object.fromEntries(
    ids.map((ID) => [ID, { ID, Service: service, Datacenter: 'dc1', Subset: {} }]),
  );
  const Chain = { Protocol: 'tcp', StartNode: `resolver:${ids[0]}`, Nodes, Targets };
  agent.say(`/v1/discovery-chain/${service}`, { Chain });
}

const tagged = (id: string, port: number, ...Tags: readonly string[]) => {
  const each = instance(id, { port }) as { readonly Service: object };
  return { ...each, Service: { ...each.Service, Tags } };
};

const portsOf = ({ current }: Subscribed) =>
  JSON.stringify(current ?? [])
    .match(/"port_value":\d+/g)
    ?.map((each) => Number(each.slice(13))) ?? [];

/** How often anything is worked out. */
function countRuns(): () => number {
  let runs = 0;
  // Each run says at its end what it leaves out.
  Omissions.prototype.take = function (...said) {
    runs++;
    return take.apply(this, said);
  };
  return () => runs;
}

const { take } = Omissions.prototype;

describe('names of which a service has as many as anybody likes', function () {
  // The machine may be busy.
  this.timeout(60_000);
  afterEach(() => {
    Omissions.prototype.take = take;
  });

  for (const kind of ['clusters', 'endpoints'] as const) {
    it(`have nothing worked out anew where the chain has not those targets, where they are ${kind}`, async () => {
      const { agent, has, views } = await start();
      sayChain(agent, [ID]);
      const there = has(kind, `${ID}@web`);
      const all = MANY.map((id) => has(kind, `${id}@web`));
      await until(() => [there, ...all].every(({ current }) => current?.length === 1));
      const runs = countRuns();
      sayChain(agent, ['v2.web.default.dc1']);
      const more = has(kind, 'v2.web.default.dc1@web');
      await until(() => more.current !== undefined);
      // As many turns as all of them would take.
      for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.ok(runs() < 50, `${runs()} runs`);
      assert.deepEqual(
        all.map(({ current }) => current?.[0]?.name),
        MANY.map((id) => `${id}@web`),
      );
      views.stop();
    });
  }

  it('have a cluster and endpoints where the chain has that target, from when on it has', async () => {
    const { agent, has, member, views } = await start();
    agent.sayInstances('web', [instance('a', { port: 7 })]);
    sayChain(agent, ['web.default.dc1']);
    let told = 0;
    const cluster = has('clusters', `${ID}@web`, () => told++);
    const endpoints = has('endpoints', `${ID}@web`);
    await until(() => cluster.current !== undefined && endpoints.current !== undefined);
    const seconds = () => JSON.stringify(cluster.current?.[0]?.message['connect_timeout']);
    assert.match(seconds(), /"seconds":5/);
    assert.deepEqual(portsOf(endpoints), []);
    sayChain(agent, ['web.default.dc1', ID]);
    await until(() => portsOf(endpoints).length === 1 && seconds().includes(':3'));
    assert.ok(told > 1);
    sayChain(agent, ['web.default.dc1']);
    await until(() => portsOf(endpoints).length === 0 && seconds().includes(':5'));
    for (const each of [cluster, endpoints]) each.cancel();
    assert.deepEqual(views.size, { resources: 0, questions: 0 });
    assert.equal(member.account.size, 0);
    views.stop();
  });

  it('count as names, and whose they are is written in few ways', async () => {
    const { has, views } = await start({ named: 100 });
    const isBusy = (error: unknown) => error instanceof ProconsulError && error.code === 'busy';
    const refusedOf = (names: readonly string[]) =>
      names.filter((name) => {
        try {
          has('clusters', name);
          return false;
        } catch (error) {
          assert.ok(isBusy(error));
          return true;
        }
      }).length;
    const ways = Array.from({ length: 64 }, (_, i) =>
      [...'server'].map((c, at) => (i & (1 << at) ? c.toUpperCase() : c)).join(''),
    ).map((service, i) => `n${i}@${service}`);
    // As most write it, and sixteen more.
    assert.equal(refusedOf(ways), 64 - 17);
    const [{ questions }] = [views.size];
    assert.equal(questions, 17);
    assert.ok(refusedOf(MANY.map((id) => `${id}@server`)) >= 900);
    views.stop();
  });

  it('follow one question, however many tags are named, and nothing of those that it has not', async () => {
    const { agent, has, views } = await start();
    agent.sayInstances('web', [tagged('a', 1, 'V1', 'x'), tagged('b', 2, 'v2', 'V1')]);
    const all = MANY.map((tag) => has('endpoints', `${tag}.web`));
    const [v1, v2, other] = ['v1.web', 'V2.Web.service', 'x.web.service.dc1'].map((name) =>
      has('endpoints', name),
    ) as [Subscribed, Subscribed, Subscribed];
    const known = [...all, v1, v2, other];
    await until(() => known.every(({ current }) => current?.length === 1));
    assert.deepEqual([portsOf(v1), portsOf(v2), portsOf(other)], [[1, 2], [2], [1]]);
    assert.equal(views.size.questions, 1);
    const runs = countRuns();
    agent.sayInstances('web', [tagged('a', 1, 'N7'), tagged('b', 3, 'v2', 'V1')]);
    await until(() => portsOf(all[7] as Subscribed).length === 1 && portsOf(v2)[0] === 3);
    await until(() => portsOf(v1)[0] === 3 && portsOf(other).length === 0);
    assert.ok(runs() < 50, `${runs()} runs`);
    agent.sayInstances('web', []);
    await until(() => known.every((each) => portsOf(each).length === 0));
    for (const each of known) each.cancel();
    assert.deepEqual(views.size, { resources: 0, questions: 0 });
    views.stop();
  });
});
