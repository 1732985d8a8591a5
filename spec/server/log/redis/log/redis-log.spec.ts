import { systemClock } from '../../../../../lib/clock.ts';
import { silentLogger } from '../../../../../lib/logger.ts';
import { parseRedisUrl } from '../../../../../server/log/redis/link/options.ts';
import { RedisLog } from '../../../../../server/log/redis/log/redis-log.ts';
import { describeEventLog } from '../../../../contract/event-log.contract.ts';
import { type RedisProcess, startRedis } from '../../../../support/servers/redis.ts';

describeEventLog('RedisLog', async () => {
  const redis: RedisProcess = await startRedis();
  return {
    open: () =>
      new RedisLog({
        redis: parseRedisUrl(redis.url),
        self: { datacenter: 'dc1', server: 's1' },
        clock: systemClock,
        logger: silentLogger,
        // Nobody else is there to be waited for.
        bounds: { settleMs: 0 },
      }),
    dispose: async () => await redis.stop(),
  };
});
