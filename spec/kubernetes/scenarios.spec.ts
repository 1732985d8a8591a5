/** What spec/system/kubernetes-real.system.ts has happen in a real cluster happens here in a made-up one. */
import { startApiServer } from '../support/kubernetes/api-server.ts';
import { accessTo } from '../support/kubernetes/cluster.ts';
import { SCENARIOS, startScenarioWorld } from '../support/kubernetes/scenarios.ts';

describe('a sync at an API server that is known by its API alone', () => {
  for (const { does, run } of SCENARIOS) {
    it(does, async () => {
      await run(await startScenarioWorld(accessTo(await startApiServer()), 'team'));
    });
  }
});
