import assert from 'node:assert/strict';
import { MEMBER_STATUS } from '../../../lib/membership.ts';
import { beatMs, leaseMs } from '../../../server/state/beat-pace.ts';
import type { State } from '../../../server/state/state.ts';
import { Cluster } from '../../support/experiments/cluster.ts';
import { registerOn, serviceNamed } from '../../support/factories.ts';

const S1 = '00000000-0000-4000-a000-000000000001';
const SECOND_MS = 1000;

/** A leader, and an agent that lives with a service, a session and a lock. */
async function start() {
  const cluster = new Cluster();
  const leader = cluster.leader('s');
  await leader.start();
  const { history, members, clock } = cluster;
  await cluster.beat('n2');
  const base = registerOn('n2', { service: serviceNamed('web') });
  history.run({ ...base, node: { ...base.node, ID: 'id-of-n2' } });
  await cluster.beat('n2');
  history.session(S1, { Node: 'n2' });
  history.kv('lock', 'k', { session: S1 });
  const untouched = () =>
    cluster.state().kv.get('k')?.Session === S1 &&
    cluster.state().catalog.instance('n2', 'web') !== undefined &&
    cluster.statusOf('n2') === MEMBER_STATUS.alive;
  const gone = () => cluster.state().catalog.node('n2') === undefined;
  const stopBeating = () => clock.advance(9 * SECOND_MS);
  return { cluster, leader, members, untouched, gone, stopBeating };
}

describe('leaving', () => {
  it('takes a node out with all that is on it', async () => {
    const { members, gone, leader } = await start();
    await members.leave({ ID: 'id-of-n2', Node: 'N2' });
    assert(gone());
    await leader.stop();
  });

  it('takes nothing from the owner of a name when another machine leaves by it', async () => {
    const { cluster, members, untouched, leader } = await start();
    await assert.rejects(cluster.beat('n2', 'another'), {
      code: 'rejected',
      message: 'Node name n2 is reserved by node id-of-n2 (10.0.0.1), which is alive',
    });
    await members.leave({ ID: 'another', Node: 'n2' });
    assert(untouched());
    assert(((await cluster.leases.left('agent/n2')) ?? 0) > 0);
    await leader.stop();
  });

  it('is applied as it was from entries that do not say whose it is', async () => {
    const { cluster, gone, leader } = await start();
    await cluster.propose({ type: 'member-left', node: 'n2', prune: false });
    assert(gone());
    await leader.stop();
  });
});

describe('forcing a node to leave', () => {
  it('touches nothing of one that lives, pruned or not', async () => {
    const { members, untouched, leader } = await start();
    for (const prune of [false, true]) assert.equal(await members.forceLeave('n2', prune), true);
    assert(untouched());
    await leader.stop();
  });

  it('takes out one that is dead, and forgets it when it is to', async () => {
    const { cluster, members, gone, stopBeating, leader } = await start();
    await stopBeating();
    await members.forceLeave('n2', false);
    assert(gone());
    assert.equal(cluster.statusOf('n2'), MEMBER_STATUS.left);
    await members.forceLeave('n2', true);
    assert.equal(cluster.statusOf('n2'), undefined);
    await leader.stop();
  });

  it('touches nothing of one that came back while it was on its way', async () => {
    const { cluster, untouched, leader } = await start();
    const command = { type: 'member-left', node: 'n2', id: 'id-of-n2', prune: false } as const;
    await cluster.propose({ ...command, onlyDead: true });
    assert(untouched());
    await leader.stop();
  });

  it('knows nobody of another name', async () => {
    const { members, leader } = await start();
    assert.equal(await members.forceLeave('n3', false), false);
    await leader.stop();
  });
});

describe('a beat', () => {
  it('tells of the servers that live, in the order of names', async () => {
    const { cluster, members, leader } = await start();
    const beat = async (Node: string) => {
      const Tags = { role: 'consul', port: '8300' };
      const server = { ID: Node, Node, Address: '::1', Datacenter: 'DC1', LanPort: 1, Tags };
      return await members.beat(server);
    };
    for (const name of ['s2', 's1']) await beat(name);
    const servers = async () => (await beat('s1')).Servers.map(({ Node, Url }) => [Node, Url]);
    const url = 'http://[::1]:8300';
    assert.deepEqual(await servers(), [
      ['s1', url],
      ['s2', url],
    ]);
    await members.leave({ ID: 's2', Node: 's2' });
    assert.deepEqual(await servers(), [['s1', url]]);
    assert.equal(cluster.state().liveServers.size, 1);
    await leader.stop();
  });

  it('gives its node a coordinate, until somebody measures one', async () => {
    const { cluster, leader } = await start();
    const [row, ...more] = cluster.state().coordinates.on('n2');
    assert.deepEqual(row?.Coord, {
      Vec: [0, 0, 0, 0, 0, 0, 0, 0],
      Error: 1.5,
      Adjustment: 0,
      Height: 1e-5,
    });
    assert.equal(more.length, 0);
    const measured = { ...row, Coord: { ...row.Coord, Height: 0.5 } };
    cluster.history.run({ type: 'update-coordinates', coordinates: [measured] });
    await cluster.beat('n2');
    assert.deepEqual([...cluster.state().coordinates.on('n2')], [measured]);
    await leader.stop();
  });
});

describe('how often agents beat', () => {
  const AGENT = { Tags: { role: 'node' } };
  const SERVER = { Tags: { role: 'consul' } };
  const of = (agents: number, servers: number) => ({
    members: { size: agents } as State['members'],
    liveServers: new Map(
      Array.from({ length: servers }, (_, i) => [`s${i}`, {}]),
    ) as unknown as State['liveServers'],
  });

  it('is two seconds for as many as a server takes easily, and a thousand a second of each from then on', () => {
    const asked = ([agents, servers]: readonly [number, number]) =>
      beatMs(of(agents, servers), AGENT);
    const all = [
      [0, 0],
      [2000, 1],
      [5000, 1],
      [5000, 3],
      [50_000, 3],
      [1_000_000, 3],
    ] as const;
    assert.deepEqual(all.map(asked), [2000, 2000, 5000, 2000, 16_667, 30_000]);
  });

  it('leaves time for one that is lost to be sent again: the agent tries after a quarter of it', () => {
    for (const agents of [0, 10_000, 50_000, 1_000_000]) {
      const everyMs = beatMs(of(agents, 3), AGENT);
      const slackMs = leaseMs(of(agents, 3), AGENT) - everyMs;
      assert(slackMs >= everyMs / 4 + 1500, `${slackMs} ms for ${everyMs}`);
    }
  });

  it('is the same for servers however many agents there are', () => {
    assert.equal(beatMs(of(50_000, 3), SERVER), 2000);
    assert.equal(leaseMs(of(50_000, 3), SERVER), 6000);
  });

  it('is what a lease is given by that a leader begins for whoever has none', async () => {
    const { cluster, leader } = await start();
    for (let i = 0; i < 4000; i++) {
      const member = { ID: `id-${i}`, Node: `a${i}`, Address: '10.0.0.2', Port: 8301, Tags: {} };
      await cluster.propose({ type: 'member-alive', member });
    }
    await cluster.clock.advance(11 * SECOND_MS);
    assert.equal(beatMs(cluster.state(), AGENT), 4001);
    assert(((await cluster.leases.left('agent/a7')) ?? 0) > 6000);
    await leader.stop();
  });
});

describe('a machine that beats', () => {
  it('is compared with those of its id alone, of fifty thousand', async () => {
    const { cluster, leader } = await start();
    const { members } = cluster.state();
    // Whoever goes through all of them, for each that comes, goes through a thousand million.
    Object.assign(members, { values: () => assert.fail('all members are gone through') });
    await cluster.beat('n3');
    await assert.rejects(cluster.beat('n4', 'id-of-n3'), {
      code: 'rejected',
      message: /is that of node n3/,
    });
    await cluster.beat('n5', '');
    await cluster.beat('n6', '');
    Reflect.deleteProperty(members, 'values');
    await leader.stop();
  });
});
