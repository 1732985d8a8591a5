/** What names cost that a registered proxy does not have: clients of one address may name a quarter of a million of them. */
import assert from 'node:assert/strict';
import { Omissions } from '../../xds/omissions.ts';
import { Polled } from '../../xds/polled.ts';
import { KINDS, type Kind } from '../../xds/resource.ts';
import { liveBytes } from '../support/heap.ts';
import { registered } from '../support/servers/xds-mesh.ts';
import { ID, startProxy, upstreamsTo } from '../support/servers/xds-proxy.ts';
import { until } from '../support/until.ts';

const SERVICES = Array.from({ length: 20 }, (_, i) => `s${i}`);
const NAMES = 10_000;
/** Of which each had 5,000 to 7,000. */
const MOST_BYTES = 500;

async function withAbsent(kind: Kind, names: number) {
  const proxy = await startProxy(SERVICES);
  const there = proxy.has(kind, proxy.nameOf(kind, 's7'));
  await until(() => there.current?.length === 1);
  const absent = Array.from({ length: names }, (_, i) => `none-${i}.of.no.service.at.all`);
  const before = await liveBytes();
  const all = absent.map((name) => proxy.has(kind, name));
  await until(() => all.every(({ current }) => current?.length === 0));
  const after = await liveBytes();
  return { ...proxy, all, there, each: (after.heap - before.heap) / names };
}

describe('names that a registered proxy does not have', function () {
  // The machine may be busy.
  this.timeout(120_000);
  const { take } = Omissions.prototype;
  afterEach(() => {
    Omissions.prototype.take = take;
  });

  for (const kind of KINDS) {
    it(`take a few hundred bytes each of memory, where they are ${kind}`, async () => {
      const { all, each, views } = await withAbsent(kind, NAMES);
      views.stop();
      assert.equal(all.length, NAMES);
      assert.ok(each < MOST_BYTES, `${Math.round(each)} bytes`);
    });

    it(`have nothing worked out anew where the proxy changes, where they are ${kind}`, async () => {
      const { agent, has, nameOf, views } = await withAbsent(kind, 1000);
      let runs = 0;
      // Each run says at its end what it leaves out.
      Omissions.prototype.take = function (...said) {
        runs++;
        return take.apply(this, said);
      };
      const more = has(kind, nameOf(kind, 'more'));
      agent.say(`/v1/agent/service/${ID}`, registered({}, upstreamsTo([...SERVICES, 'more'])));
      await until(() => more.current?.length === 1);
      views.stop();
      assert.ok(runs < 50, `${runs} runs`);
    });
  }

  it('are known not to be there once it is known what is, and not before', async () => {
    const { agent, has, nameOf, views } = await startProxy(SERVICES);
    const path = `/v1/agent/service/${ID}`;
    agent.silent.add(path);
    const all = KINDS.flatMap((kind) => [has(kind, 'none'), has(kind, nameOf(kind, 's7'))]);
    await until(() => agent.asked.length > 0);
    assert.ok(all.every(({ current }) => current === undefined));
    agent.silent.delete(path);
    agent.wake();
    await until(() => all.every(({ current }) => current !== undefined));
    assert.deepEqual(
      all.map(({ current }) => current?.length),
      KINDS.flatMap(() => [0, 1]),
    );
    views.stop();
  });

  for (const kind of KINDS) {
    it(`come, go and come again with the proxy, where they are ${kind}, and leave nothing behind`, async () => {
      const { agent, has, member, nameOf, views } = await startProxy(SERVICES);
      let told = 0;
      const more = has(kind, nameOf(kind, 'more'), () => told++);
      const same = has(kind, nameOf(kind, 'more'));
      await until(() => more.current?.length === 0);
      const say = (services: readonly string[]) =>
        agent.say(`/v1/agent/service/${ID}`, registered({}, upstreamsTo(services)));
      for (let round = 0; round < 2; round++) {
        const before = told;
        say([...SERVICES, 'more']);
        await until(() => more.current?.length === 1);
        assert.deepEqual(same.current, more.current);
        assert.ok(told > before);
        say(SERVICES);
        await until(() => more.current?.length === 0);
      }
      say([...SERVICES, 'more']);
      await until(() => more.current?.length === 1);
      same.cancel();
      same.cancel();
      assert.equal(more.current?.length, 1);
      more.cancel();
      assert.deepEqual([views.size, member.account.size], [{ resources: 0, questions: 0 }, 0]);
    });
  }

  it('cost those of an address one of what they may have, whether they are there or not', async () => {
    for (const kind of ['endpoints', 'routes'] as const) {
      const { agent, has, nameOf, views } = await startProxy(SERVICES, { made: SERVICES.length });
      const all = SERVICES.map((service) => has(kind, nameOf(kind, service)));
      await until(() => all.every(({ current }) => current?.length === 1));
      assert.throws(() => has(kind, 'one too many'), /have 20 resources already/);
      const say = (services: readonly string[]) =>
        agent.say(`/v1/agent/service/${ID}`, registered({}, upstreamsTo(services)));
      say(SERVICES.slice(1));
      await until(() => all[0]?.current?.length === 0);
      assert.throws(() => has(kind, 'one too many'), /have 20 resources already/);
      all[0]?.cancel();
      const more = has(kind, nameOf(kind, 'more'));
      say([...SERVICES, 'more']);
      await until(() => more.current?.length === 1);
      views.stop();
    }
  });

  it('are not taken for absent where there is no room for what there is, and are told as room comes', async () => {
    // The proxy and its chains, and the endpoints of one service.
    const { has, logger, nameOf, views } = await startProxy(SERVICES, { followed: 26 });
    const [first, ...others] = ['s1', 's2', 's3'].map((service) =>
      has('endpoints', nameOf('endpoints', service)),
    );
    await until(() => first?.current?.length === 1);
    await until(() => logger.lines.some((line) => line.includes('too many questions')));
    const told = () => others.map(({ current }) => current?.length);
    assert.deepEqual(told(), [undefined, undefined]);
    const absent = has('endpoints', 'none');
    assert.deepEqual(absent.current, []);
    absent.cancel();
    assert.deepEqual(told(), [undefined, undefined]);
    first?.cancel();
    await until(() => told().includes(1));
    for (const each of others) if (each.current?.length === 1) each.cancel();
    await until(() => told().includes(1));
    assert.equal(logger.lines.filter((line) => line.includes('too many questions')).length, 1);
    views.stop();
  });

  it('are of each address by itself, and what is there is made for all of them', async () => {
    const { enter, has, nameOf, views } = await startProxy(SERVICES);
    const name = nameOf('endpoints', 's7');
    const other = await enter('10.0.0.2');
    const [first, second] = [has('endpoints', name), other.has('endpoints', name)];
    await until(() => first.current !== undefined && second.current !== undefined);
    assert.equal(first.current?.[0], second.current?.[0]);
    first.cancel();
    assert.equal(second.current?.length, 1);
    second.cancel();
    assert.deepEqual(views.size, { resources: 0, questions: 0 });
  });

  it('are told to polls as to streams', async () => {
    const { agent, clock, member, nameOf, views, world } = await startProxy(SERVICES);
    const names = ['s7', 'none', 'more'].map((service) => nameOf('endpoints', service));
    const wanted = names.map((name) => world.resources('endpoints', name));
    const polled = new Polled(clock);
    assert.ok(await polled.ask(member, wanted, 1000));
    assert.ok(!polled.isKnown);
    assert.ok(await polled.until(() => polled.isKnown, 1000));
    const found = () => polled.current.map(({ name }) => name);
    assert.deepEqual(found(), [names[0]]);
    const held = polled.until(() => found().length === 2, 1000);
    agent.say(`/v1/agent/service/${ID}`, registered({}, upstreamsTo([...SERVICES, 'more'])));
    assert.ok(await held);
    assert.deepEqual(found(), [names[0], names[2]]);
    polled.end();
    assert.deepEqual(views.size, { resources: 0, questions: 0 });
  });
});
