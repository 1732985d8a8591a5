import assert from 'node:assert/strict';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import { describeLeases } from '../../contract/leases.contract.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describeLeases('MemoryLeases', async () => {
  const clock = new FakeClock();
  return { leases: new MemoryLeases(clock), pass: (ms) => clock.advance(ms) };
});

describe('MemoryLeases', () => {
  it('do not heed a wall clock that is set', async () => {
    const clock = new FakeClock();
    const leases = new MemoryLeases(clock);
    await leases.renew('a', 10_000);
    for (const ms of [3_600_000, -7_200_000]) clock.setWall(ms);
    assert.equal(await leases.left('a'), 10_000);
  });
});
