import assert from 'node:assert/strict';
import { Cluster } from '../../support/experiments/cluster.ts';

const SECOND_MS = 1000;

describe('a leader', () => {
  it('is who claims first where nobody leads, and it alone', async () => {
    const cluster = new Cluster();
    const [a, b] = [cluster.leader('a'), cluster.leader('b')];
    await a.start();
    await b.start();
    assert.deepEqual([a.isLeader, b.isLeader], [true, false]);
    assert.deepEqual([a.knowsLeader, b.knowsLeader], [true, true]);
    assert.equal(cluster.state().leadership.term, 1);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('leads on while it renews, and writes nothing to do so', async () => {
    const cluster = new Cluster();
    const a = cluster.leader('a');
    await a.start();
    const b = cluster.leader('b');
    await b.start();
    await cluster.clock.advance(60 * SECOND_MS);
    assert.equal(cluster.commands.length, 1);
    await Promise.all([a.stop(), b.stop()]);
  });

  it('is followed by another when it is gone, with a higher term', async () => {
    const cluster = new Cluster();
    const [a, b] = [cluster.leader('a'), cluster.leader('b')];
    await a.start();
    await b.start();
    await a.stop();
    await cluster.clock.advance(3 * SECOND_MS);
    assert.equal(b.isLeader, true);
    assert(cluster.state().leadership.term > 1);
    await b.stop();
  });

  it('leaves no timer when it stops, and stops twice', async () => {
    const cluster = new Cluster();
    const a = cluster.leader('a');
    await a.start();
    await a.stop();
    await a.stop();
    assert.equal(cluster.clock.armed, 0);
  });
});
