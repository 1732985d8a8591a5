import assert from 'node:assert/strict';
import { noLeader } from '../../../lib/errors.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { MEMBER_STATUS } from '../../../lib/membership.ts';
import { Keeper } from '../../../server/cluster/keeper.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import { Cluster } from '../../support/experiments/cluster.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const S1 = '00000000-0000-4000-a000-000000000001';
const SECOND_MS = 1000;
const { alive, failed } = MEMBER_STATUS;

/** A store that can be away, as Redis can. */
class AwayLeases extends MemoryLeases {
  away = false;

  override async renew(id: string, ttlMs: number): Promise<void> {
    if (this.away) throw noLeader();
    await super.renew(id, ttlMs);
  }

  override async expired() {
    if (this.away) throw noLeader();
    return await super.expired();
  }
}

describe('the keeper of sessions', () => {
  async function start() {
    const cluster = new Cluster();
    cluster.history.register('a');
    cluster.history.session(S1, { TTL: '10s' });
    const leader = cluster.leader('a');
    await leader.start();
    const lives = () => cluster.state().sessions.get(S1) !== undefined;
    return { cluster, leader, lives };
  }

  it('ends one that is not renewed within one and a half times its TTL', async () => {
    const { cluster, leader, lives } = await start();
    await cluster.clock.advance(9 * SECOND_MS);
    await cluster.sessions.renew(S1);
    await cluster.clock.advance(14 * SECOND_MS);
    assert(lives());
    await cluster.clock.advance(2 * SECOND_MS);
    assert(!lives());
    await leader.stop();
  });

  it('tries again until the log takes it', async () => {
    const { cluster, leader, lives } = await start();
    cluster.refusal = () => noLeader();
    await cluster.clock.advance(60 * SECOND_MS);
    assert(lives());
    cluster.refusal = () => undefined;
    await cluster.clock.advance(SECOND_MS);
    assert(!lives());
    assert.equal((await cluster.leases.remaining()).has(`session/${S1}`), false);
    await leader.stop();
  });

  it('ends thousands at once in commands that stay small', async () => {
    const { cluster, leader } = await start();
    const ids = Array.from({ length: 1200 }, (_, i) => S1.slice(0, -4) + String(1000 + i));
    for (const id of ids) {
      cluster.history.session(id, { TTL: '10s' });
      await cluster.sessions.renew(id);
    }
    await cluster.clock.advance(16 * SECOND_MS);
    assert.equal(cluster.state().sessions.table.size, 0);
    assert(cluster.commands.every((command) => !('ids' in command) || command.ids.length <= 500));
    await leader.stop();
  });

  it('leads on while the log takes nothing, and finds dead agents though sessions cannot end', async () => {
    const { cluster, leader, lives } = await start();
    await cluster.beat('n');
    cluster.refusal = (command) => (command.type === 'expire-sessions' ? noLeader() : undefined);
    await cluster.clock.advance(30 * SECOND_MS);
    assert(lives());
    assert.equal(leader.knowsLeader, true);
    assert.equal(cluster.statusOf('n'), failed);
    await leader.stop();
  });

  it('gives one whose lease was lost a new one, rather than ending or keeping it', async () => {
    const { cluster, leader, lives } = await start();
    await cluster.leases.drop(`session/${S1}`);
    await cluster.clock.advance(20 * SECOND_MS);
    assert(lives());
    await cluster.clock.advance(10 * SECOND_MS);
    assert(!lives());
    await leader.stop();
  });

  for (const seconds of [8, 25, 3600]) {
    it(`ends none for the ${seconds} s in which the keeper stood still`, async () => {
      const { cluster, leader, lives } = await start();
      await cluster.clock.advance(5 * SECOND_MS);
      await cluster.clock.stall(seconds * SECOND_MS);
      await cluster.clock.advance(9 * SECOND_MS);
      assert(lives());
      await cluster.sessions.renew(S1);
      await cluster.clock.advance(14 * SECOND_MS);
      assert(lives());
      await cluster.clock.advance(2 * SECOND_MS);
      assert(!lives());
      await leader.stop();
    });
  }
});

describe('the keeper of agents', () => {
  async function start(leases?: (cluster: Cluster) => void) {
    const away = { leases: undefined as AwayLeases | undefined };
    const cluster = new Cluster((clock) => {
      away.leases = new AwayLeases(clock);
      return away.leases;
    });
    leases?.(cluster);
    const leader = cluster.leader('s');
    await leader.start();
    for (const node of ['lives', 'dead']) await cluster.beat(node);
    const statuses = () => [cluster.statusOf('lives'), cluster.statusOf('dead')];
    /** As agents do: one beats every two seconds, or tries every half when nobody answers. */
    const pass = async (seconds: number) => {
      for (let i = 0; i < seconds * 2; i++) {
        await cluster.clock.advance(SECOND_MS / 2);
        await cluster.beat('lives').catch(() => undefined);
      }
    };
    return { cluster, leader, statuses, pass, store: away.leases as AwayLeases };
  }

  it('calls one failed that does not beat, within eight seconds', async () => {
    const { leader, statuses, pass } = await start();
    await pass(5);
    assert.deepEqual(statuses(), [alive, alive]);
    await pass(3);
    assert.deepEqual(statuses(), [alive, failed]);
    await leader.stop();
  });

  for (const seconds of [2, 8, 25]) {
    it(`calls none failed that lives when it stood still for ${seconds} s, and says so`, async () => {
      const { cluster, leader, statuses, pass } = await start();
      await cluster.clock.stall(seconds * SECOND_MS);
      // A beat on its way, and the time that an agent needs to try again.
      await cluster.clock.advance(4 * SECOND_MS);
      assert.deepEqual(statuses(), [alive, alive]);
      assert.match(cluster.lines.join(), /nobody could be heard for \d+\.\d s/);
      await pass(8);
      assert.deepEqual(statuses(), [alive, failed]);
      await leader.stop();
    });

    it(`calls none failed that lives when its store was away for ${seconds} s`, async () => {
      const { cluster, leader, statuses, pass, store } = await start();
      await pass(1);
      store.away = true;
      await pass(seconds);
      store.away = false;
      await cluster.clock.advance(4 * SECOND_MS);
      assert.deepEqual(statuses(), [alive, alive]);
      await pass(8);
      assert.deepEqual(statuses(), [alive, failed]);
      await leader.stop();
    });
  }

  it('gives all their time again in a new term', async () => {
    const { cluster, leader, statuses } = await start();
    const next = cluster.leader('t');
    await next.start();
    await cluster.clock.advance(5 * SECOND_MS);
    await leader.stop();
    await cluster.clock.advance(6 * SECOND_MS);
    assert.equal(next.isLeader, true);
    assert.deepEqual(statuses(), [alive, alive]);
    await next.stop();
  });

  it('finds the dead all the same when it stalls again and again', async () => {
    const { cluster, leader, statuses } = await start();
    for (let i = 0; i < 20; i++) {
      await cluster.beat('lives');
      await cluster.clock.stall(2 * SECOND_MS);
    }
    assert.deepEqual(statuses(), [alive, failed]);
    await leader.stop();
  });
});

describe('the reaper', () => {
  const TIMEOUT_MS = 60 * SECOND_MS;

  it('forgets a member that is gone for long enough by the log’s time, whatever clocks say', async () => {
    const cluster = new Cluster();
    const leader = cluster.leader('s', TIMEOUT_MS);
    await leader.start();
    await cluster.beat('dead');
    await cluster.clock.advance(10 * SECOND_MS);
    assert.equal(cluster.statusOf('dead'), failed);
    cluster.clock.setWall(24 * 3600 * SECOND_MS);
    await cluster.clock.advance(30 * SECOND_MS);
    assert.equal(cluster.statusOf('dead'), failed);
    // The log's own time is that of its entries.
    cluster.history.kv('set', 'k', {}, TIMEOUT_MS);
    await cluster.clock.advance(60 * SECOND_MS);
    assert.equal(cluster.statusOf('dead'), undefined);
    await leader.stop();
  });
});

describe('the keeper of leases that end between two ticks', () => {
  async function start() {
    const clock = new FakeClock();
    const leases = new MemoryLeases(clock);
    const begun = clock.monotonic();
    const ended: string[] = [];
    const stuck = { is: false, throws: false };
    const kind = {
      prefix: 'x/',
      held: () => [],
      ended: async (names: readonly string[]) => {
        ended.push(`${names.join()} ${clock.monotonic() - begun}`);
        if (stuck.throws) throw noLeader();
        return !stuck.is;
      },
    };
    const keeper = new Keeper({ leases, kinds: [kind], clock, logger: silentLogger });
    await leases.renew('x/a', 120);
    await leases.renew('x/b', 130);
    await leases.renew('x/c', 700);
    await keeper.tick();
    return { clock, leases, keeper, ended, stuck };
  }

  it('ends them when they end, and those of one moment together', async () => {
    const { clock, keeper, ended } = await start();
    await clock.advance(499);
    assert.deepEqual(ended, ['a 120', 'b 170']);
    await keeper.halt();
  });

  for (const how of ['is', 'throws'] as const) {
    it(`looks no oftener than it ticks at one that stays, whatever ends meanwhile: ${how}`, async () => {
      const { clock, leases, keeper, ended, stuck } = await start();
      stuck[how] = true;
      for (const ms of [150, 200, 300, 400]) await leases.renew(`x/${ms}`, ms);
      await clock.advance(499);
      assert.deepEqual(ended, ['a 120']);
      stuck[how] = false;
      await keeper.tick();
      assert.match(ended[1] ?? '', /^a,b,150,.* 499$/);
      await clock.advance(400);
      assert.deepEqual(ended.slice(2), ['c 700']);
      await keeper.halt();
    });
  }

  it('looks at nothing once it is not called any more, or was stopped', async () => {
    const { clock, leases, keeper, ended } = await start();
    await clock.advance(2000);
    assert.equal(ended.length, 2);
    await leases.renew('x/d', 100);
    await keeper.tick();
    await keeper.halt();
    await clock.advance(400);
    assert.equal(
      ended.some((each) => each.startsWith('d')),
      false,
    );
  });
});
