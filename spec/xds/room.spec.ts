/** How much of a process' memory all that is kept for clients of xDS may take. */
import assert from 'node:assert/strict';
import { OPEN } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { Account, type Most } from '../../xds/accounts.ts';
import { OpenWorld } from '../../xds/open-world.ts';
import type { Kind } from '../../xds/resource.ts';
import { KINDS } from '../../xds/resource.ts';
import { Room } from '../../xds/room.ts';
import { DeltaSubscription } from '../../xds/serving/delta-subscription.ts';
import { Wire } from '../../xds/serving/wire.ts';
import { type Member, Views } from '../../xds/views.ts';
import type { Subscribed } from '../../xds/world.ts';
import { FakeAgentAnswers, instance } from '../support/fakes/fake-agent-answers.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { liveBytes } from '../support/heap.ts';
import { until } from '../support/until.ts';

const MB = 1024 * 1024;
const WIRE = new Wire();

const isBusy = (error: unknown) => error instanceof ProconsulError && error.code === 'busy';

function start(room = new Room(), most: Partial<Most> = {}) {
  const agent = new FakeAgentAnswers();
  const system = { clock: new FakeClock(), logger: new RecordingLogger(), random: seededRandom(1) };
  const { ask } = agent;
  const views = new Views({ ask, access: OPEN, caughtUp: async () => true, system, room, most });
  const world = new OpenWorld({ datacenter: 'dc1', domain: 'consul.' }, '');
  const has = (member: Member, kind: Kind, name: string) =>
    member.subscribeTo(world.resources(kind, name), () => {}, name);
  return { agent, views, has, room, ...system };
}

/** Until it is refused. */
function fill(one: () => unknown): number {
  for (let count = 0; ; count++) {
    try {
      one();
    } catch (error) {
      assert.ok(isBusy(error), String(error));
      return count;
    }
  }
}

describe('the room for what clients of xDS ask for', function () {
  // The machine may be busy.
  this.timeout(120_000);

  it('has three quarters for whoever asks first, and the rest for those who hold little, however many have come', () => {
    const room = new Room(16 * MB);
    const [first, ...others] = Array.from(
      { length: 9 },
      () => new Account({ followed: 1 }, room),
    ) as [Account, ...Account[]];
    const had = fill(() => first.subscribe('a name'));
    assert.ok(Math.abs(room.taken / room.bytes - 0.75) < 0.01, `${room.taken}`);
    // What comes to be of what it has asked for, it has all the same.
    first.unasked(() => first.subscribe('a name'));
    first.unsubscribe('a name');
    for (const each of others) {
      const before = room.taken;
      assert.ok(fill(() => each.subscribe('a name')) > 1000);
      assert.ok(Math.abs(room.taken - before - MB / 4) < 1000, `${room.taken - before}`);
    }
    assert.throws(() => first.subscribe('one more'), isBusy);
    for (let i = 0; i < had; i++) first.unsubscribe('a name');
    others[0]?.subscribe('one more');
  });

  it('is refused to nobody for what is held, and to those who come only where there is nothing for them', async () => {
    const { views, has, room, logger } = start(new Room(4 * MB));
    const [one, other] = [await views.enter('', '10.0.0.1'), await views.enter('', '10.0.0.2')];
    const held: Subscribed[] = [];
    fill(() => held.push(has(one, 'listeners', `n${held.length}`)));
    assert.ok(held.length > 100);
    assert.ok(held.every(({ current }) => current?.length === 1));
    // It is somebody else with the rights that he has by now, whether there is room or not.
    const again = await views.enter('', '10.0.0.1', one);
    await assert.rejects(async () => {
      for (;;) await views.enter('', '10.0.0.1');
    }, isBusy);
    assert.equal(has(other, 'listeners', 'web').current?.length, 1);
    for (let i = 0; i < 70; i++) views.review();
    assert.equal(logger.lines.length, 1, logger.lines.join('\n'));
    assert.match(logger.lines[0] ?? '', /no room for more.*max-old-space-size/);
    for (const each of held.splice(0)) each.cancel();
    has(one, 'listeners', 'in their place');
    again.leave();
    views.stop();
    assert.ok(room.taken >= 0);
  });

  it('is not asked for by what a change leads to; where that is too many questions, it is followed as soon as there are fewer', async () => {
    const { agent, views, has, logger } = start(new Room(4 * MB), { followed: 3 });
    const [one, other] = [await views.enter('', '10.0.0.1'), await views.enter('', '10.0.0.2')];
    const leadTo = (Service: string) => {
      agent.sayInstances(Service, [instance('a', { port: 70 + Service.length })]);
      const Nodes = { x: { Type: 'resolver', Resolver: { Target: 'x' } } };
      const Targets = { x: { ID: 'x', Service, Datacenter: 'dc1', Subset: {} } };
      agent.say('/v1/discovery-chain/web', {
        Chain: { Protocol: 'http', StartNode: 'x', Nodes, Targets },
      });
    };
    leadTo('db');
    const [held, more] = [has(one, 'endpoints', 'x@web'), has(one, 'endpoints', 'more')];
    const leadsTo = (port: number) => JSON.stringify(held.current ?? []).includes(`:${port}`);
    await until(() => leadsTo(72));
    let count = 0;
    fill(() => has(other, 'listeners', `n${count++}`));
    leadTo('other');
    await until(() => logger.lines.length > 0);
    leadTo('longer');
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(leadsTo(72));
    assert.equal(logger.lines.length, 1, logger.lines.join('\n'));
    more.cancel();
    await until(() => leadsTo(76));
    // From then on it may be somewhere else each time, however little room there is.
    leadTo('db');
    await until(() => leadsTo(72));
    views.stop();
  });

  it('is given back whole, whatever was asked for, changed, and was let go (seed 7)', async () => {
    const { agent, views, has, room } = start();
    const random = seededRandom(7);
    const pick = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
    const names = [
      'web',
      'WEB',
      'v1.web',
      'v2.web',
      'a.b.web',
      'x@web',
      'y@web',
      'db',
      'q.query',
      '*',
    ];
    const members = await Promise.all(
      ['10.0.0.1', '10.0.0.2', '10.0.0.2'].map((from) => views.enter('', from)),
    );
    const held: Subscribed[] = [];
    const change = (round: number) => {
      const Tags = round % 2 === 0 ? ['v1'] : ['v2', 'a.b'];
      const one = instance('a', { port: 80 + round }) as { readonly Service: object };
      agent.sayInstances('web', [{ ...one, Service: { ...one.Service, Tags } }]);
      const Target = round % 3 === 0 ? 'x' : 'y';
      const Nodes = { [`resolver:${Target}`]: { Type: 'resolver', Resolver: { Target } } };
      const Targets = { [Target]: { ID: Target, Service: 'web', Datacenter: 'dc1', Subset: {} } };
      agent.say('/v1/discovery-chain/web', {
        Chain: { Protocol: 'http', StartNode: `resolver:${Target}`, Nodes, Targets },
      });
    };
    const before = room.taken;
    for (let round = 0; round < 60; round++) {
      change(round);
      for (let i = 0; i < 10; i++) {
        if (random.next() < 0.6) held.push(has(pick(members), pick(KINDS), pick(names)));
        else held.splice(Math.floor(random.next() * held.length), 1)[0]?.cancel();
      }
      for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(room.taken > before);
    for (const each of held) each.cancel();
    assert.deepEqual([room.taken, views.size], [before, { resources: 0, questions: 0 }]);
    for (const each of members) each.leave();
    assert.equal(room.taken, 0);
  });

  /** For each of them. */
  async function measured(kind: Kind, names: readonly string[], isShared = false) {
    const { views, has, room } = start();
    const world = new OpenWorld({ datacenter: 'dc1', domain: 'consul.' }, '');
    const member = await views.enter('', '10.0.0.1');
    const others = isShared ? names.map((name) => has(member, kind, name)) : [];
    await until(() => others.every(({ current }) => current !== undefined));
    for (const { current } of others) current?.[0]?.encoded('delta', WIRE.encode);
    // As they come, each of a message of its own.
    const own = names.map((name) => Buffer.from(name).toString());
    const [before, taken] = [await liveBytes(), room.taken];
    const held: Subscribed[] = [];
    const changed = (name: string) => delta.changed(name);
    const delta: DeltaSubscription = new DeltaSubscription({
      ...{ kind, wire: WIRE, nextNonce: () => 1, onDropped: () => undefined },
      account: () => member.account,
      order: { shown: (_, all) => ({ all, held: new Set(), looked: undefined }), heldOf: () => [] },
      subscribe: (name) => {
        const one = member.subscribeTo(world.resources(kind, name), changed, name);
        held.push(one);
        return one;
      },
    });
    const request = { resource_names_subscribe: own, resource_names_unsubscribe: [] };
    const steps = delta.take({ ...request, initial_resource_versions: {} });
    while (steps.next().done !== true);
    await until(() => held.every(({ current }) => current !== undefined));
    held.length = 0;
    delta.next();
    const after = await liveBytes();
    const each = (after.heap + after.buffers - before.heap - before.buffers) / names.length;
    const reckoned = (room.taken - taken) / names.length;
    for (const _ of delta.end());
    views.stop();
    // Questions are let go some in a turn.
    for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
    return { each, reckoned };
  }

  const NAMES = Array.from({ length: 2000 }, (_, i) => `service-${i}`);
  it('is reckoned rather too large than too small of names that others have', async () => {
    await measured('listeners', NAMES.slice(0, 100), true);
    const { each, reckoned } = await measured('listeners', NAMES, true);
    const said = `${Math.round(each)} bytes, reckoned ${Math.round(reckoned)}`;
    assert.ok(each < reckoned && reckoned < 4 * each, said);
  });

  for (const [what, kind, as] of [
    ['listeners', 'listeners', (name) => name],
    ['endpoints, with their questions,', 'endpoints', (name) => name],
    ['clusters, with their questions,', 'clusters', (name) => name],
    ['targets that are not there', 'clusters', (name) => `${name}@web`],
    ['tags that are not there', 'endpoints', (name) => `${name}.web`],
  ] as const satisfies readonly (readonly [string, Kind, (name: string) => string])[]) {
    it(`is reckoned rather too large than too small of ${what} that one stream has been told of`, async () => {
      // What is made once for all is of none of them.
      await measured(kind, NAMES.slice(0, 100).map(as));
      const { each, reckoned } = await measured(kind, NAMES.map(as));
      const said = `${Math.round(each)} bytes, reckoned ${Math.round(reckoned)}`;
      assert.ok(each < reckoned && reckoned < 4 * each, said);
    });
  }
});
