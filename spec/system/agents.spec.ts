import assert from 'node:assert/strict';
import { loseAgentsAndServers } from '../support/experiments/agent-losses.ts';

describe('agents and a server as real processes', () => {
  it('are killed, lose their disks, come back, and the catalog is true again each time', async () => {
    const verdicts = await loseAgentsAndServers(20);
    // How long each takes is measured by agents.system.ts, on a machine that does nothing else.
    assert.equal(verdicts.length, 8);
  }).timeout(240_000);
});
