/** The small version of spec/system/containers.system.ts. */
import assert from 'node:assert/strict';
import { round, WatcherProcess } from '../../support/experiments/container-rounds.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { describeWithDocker } from '../../support/servers/docker.ts';

const SEED = 1;

describeWithDocker(
  `containers in disorder (seed ${SEED})`,
  (docker) => {
    it('are what the agent has, whatever was restarted or killed in whatever order', async () => {
      const agent = new WatcherProcess(docker());
      const random = seededRandom(SEED);
      const idOf = (name: string) => `host:${name}:80`;
      try {
        await agent.start();
        const { running } = await round({ docker: docker(), agent, random, containers: 6, idOf });
        assert.ok(running > 0);
      } finally {
        await agent.kill();
      }
    });
  },
  60_000,
);
