import assert from 'node:assert/strict';
import { Peers, type PeersDeps } from '../../../server/cluster/peers.ts';
import { Cluster } from '../../support/experiments/cluster.ts';

const SECOND_MS = 1000;
const self = { id: 'id-of-a', node: 'a', address: '10.0.0.1:8300' };

type Heard = ReturnType<PeersDeps['log']['servers']>['seen'][number];

/** Servers by these names that live, seen from `a`; the first of them leads. */
async function start(...others: readonly string[]) {
  const cluster = new Cluster();
  const leader = cluster.leader('id-of-a');
  await leader.start();
  const beat = async (name: string, at: number) => {
    const Tags = { role: 'consul', port: '8300', build: '1.8.7:' };
    const where = { Address: `10.0.0.${at}`, Datacenter: 'dc1', LanPort: 8301 };
    await cluster.members.beat({ ID: `id-of-${name}`, Node: name, ...where, Tags });
  };
  await beat('a', 1);
  for (const [i, name] of others.entries()) await beat(name, i + 2);
  const heard = new Map<string, Heard>();
  const hear = (server: string, said: Partial<Heard>) =>
    heard.set(server, { server, silentMs: 0, applied: 1, behind: 0, ...said });
  for (const name of ['a', ...others]) hear(`id-of-${name}`, {});
  const log = {
    servers: () => ({ seen: [...heard.values()], needed: 1 }),
    status: () => ({ lastContactMs: 0 }),
  };
  const { state, clock } = cluster;
  // What is in the log has a clock of its own here, which hardly moves.
  let laterMs = 0;
  const now = () => state().t + laterMs;
  const wait = (ms: number) => {
    laterMs += ms;
  };
  const peers = new Peers({ log, state, leader, self, clock: { now } });
  const fail = async (...nodes: readonly string[]) => {
    const { term } = state().leadership;
    await cluster.propose({ type: 'members-failed', term, nodes });
  };
  const tell = (settings: object) =>
    cluster.propose({
      type: 'set-autopilot',
      settings: {
        CleanupDeadServers: true,
        LastContactThreshold: 200e6,
        MaxTrailingLogs: 250,
        MinQuorum: 0,
        ServerStabilizationTime: 0,
        RedundancyZoneTag: '',
        DisableUpgradeMigration: false,
        UpgradeVersionTag: '',
        ...settings,
      },
    });
  const names = () => peers.peers().map(({ node, alive }) => (alive ? node : `${node} (failed)`));
  const well = () => peers.peers().map((peer) => peer.well);
  return { cluster, clock, wait, leader, peers, hear, fail, tell, names, well };
}

describe('the servers of a cluster', () => {
  it('are those that live, in the order of their addresses, with what each has applied', async () => {
    const { peers, hear, leader } = await start('b', 'c');
    hear('id-of-c', { applied: 4711, silentMs: 30 });
    const shown = peers.peers();
    assert.deepEqual(
      shown.map(({ node, leader: leads, version }) => [node, leads, version]),
      [
        ['a', true, '1.8.7'],
        ['b', false, '1.8.7'],
        ['c', false, '1.8.7'],
      ],
    );
    assert.deepEqual([shown[2]?.applied, shown[2]?.silentMs], [4711, 30]);
    await leader.stop();
  });

  it('are not well that are silent for too long, or lack too much', async () => {
    const { hear, tell, well, leader } = await start('b', 'c');
    assert.deepEqual(well(), [true, true, true]);
    hear('id-of-b', { silentMs: 201 });
    hear('id-of-c', { behind: 251 });
    assert.deepEqual(well(), [true, false, false]);
    await tell({ LastContactThreshold: 300e6, MaxTrailingLogs: 300n });
    assert.deepEqual(well(), [true, true, true]);
    await leader.stop();
  });

  it('are shown when they failed, until they are cleaned up', async () => {
    const { names, well, fail, wait, leader } = await start('b', 'c');
    await fail('b');
    assert.deepEqual(names(), ['a', 'b (failed)', 'c']);
    assert.deepEqual(well(), [true, false, true]);
    wait(11 * SECOND_MS);
    assert.deepEqual(names(), ['a', 'c']);
    await leader.stop();
  });

  const KEPT: readonly (readonly [string, readonly string[], object])[] = [
    ['half of the servers failed', ['b'], {}],
    ['CleanupDeadServers is false', ['b', 'c', 'd'], { CleanupDeadServers: false }],
    ['fewer than MinQuorum would be left', ['b', 'c', 'd'], { MinQuorum: 4 }],
  ];
  for (const [why, others, settings] of KEPT) {
    it(`are not cleaned up where ${why}`, async () => {
      const { names, fail, tell, wait, leader } = await start(...others);
      await tell(settings);
      await fail('b');
      wait(3600 * SECOND_MS);
      assert.equal(names()[1], 'b (failed)');
      await leader.stop();
    });
  }

  it('hand over the lead to whom an operator names, who leads with its next tick', async () => {
    const { cluster, peers, clock, leader } = await start('b');
    const other = cluster.leader('id-of-b');
    await other.start();
    assert.equal(await peers.handOverTo('id-of-b'), true);
    await clock.advance(3 * SECOND_MS);
    assert.deepEqual([leader.isLeader, other.isLeader], [false, true]);
    assert.deepEqual(
      peers.peers().map((peer) => peer.leader),
      [false, true],
    );
    await Promise.all([leader.stop(), other.stop()]);
  });

  it('take the lead back from whom it was given and who is gone', async () => {
    const { peers, clock, leader } = await start('b');
    assert.equal(await peers.handOverTo('id-of-b'), true);
    assert.equal(leader.isLeader, false);
    await clock.advance(4 * SECOND_MS);
    assert.equal(leader.isLeader, true);
    await leader.stop();
  });
});
