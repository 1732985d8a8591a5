import { silentLogger } from '../../../lib/logger.ts';
import { parseRedisUrl } from '../../../server/log/redis/link/options.ts';
import { RedisLog } from '../../../server/log/redis/log/redis-log.ts';
import { describeEventLog } from '../../contract/event-log.contract.ts';
import { replaceGlobals } from '../world/globals.ts';
import { Network } from '../world/network.ts';
import { World } from '../world/world.ts';
import { SimRedis } from './sim-redis.ts';

const PORT = 6379;

describeEventLog('RedisLog on a simulated Redis', async () => {
  const world = new World(1);
  const network = new Network(world);
  const putBack = replaceGlobals({ world, network });
  new SimRedis({ world, network, name: 'redis', port: PORT });
  const machine = world.machine('s1');
  const stop = world.run();
  return {
    open: () =>
      new RedisLog({
        redis: parseRedisUrl(`redis://127.0.0.1:${PORT}`),
        self: { datacenter: 'dc1', server: 's1' },
        clock: world.clockOf(machine),
        logger: silentLogger,
        bounds: { settleMs: 0 },
      }),
    dispose: async () => {
      await stop();
      putBack();
    },
  };
});
