import assert from 'node:assert/strict';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('MemoryLeases', () => {
  function setUp() {
    const clock = new FakeClock();
    return { clock, leases: new MemoryLeases(clock) };
  }

  it('ends a lease when its time has passed, and not a millisecond before', async () => {
    const { clock, leases } = setUp();
    await leases.renew('a', 1000);
    await clock.advance(999);
    assert.deepEqual((await leases.expired()).ids, []);
    await clock.advance(1);
    assert.deepEqual((await leases.expired()).ids, ['a']);
  });

  it('counts from the last renewal', async () => {
    const { clock, leases } = setUp();
    await leases.renew('a', 1000);
    await clock.advance(900);
    await leases.renew('a', 1000);
    await clock.advance(900);
    assert.deepEqual((await leases.expired()).ids, []);
    assert.deepEqual([...(await leases.remaining())], [['a', 100]]);
  });

  it('reports an ended lease until it is dropped', async () => {
    const { clock, leases } = setUp();
    await leases.renew('a', 10);
    await clock.advance(20);
    assert.deepEqual((await leases.expired()).ids, ['a']);
    assert.deepEqual([...(await leases.remaining())], [['a', 0]]);
    await leases.drop('a');
    assert.deepEqual((await leases.expired()).ids, []);
    assert.equal((await leases.remaining()).size, 0);
  });

  it('drops a lease that it does not know without a word', async () => {
    const { leases } = setUp();
    await leases.drop('never renewed');
    assert.deepEqual((await leases.expired()).ids, []);
  });
});
