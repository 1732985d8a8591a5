import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../../lib/clock.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import { FileLog } from '../../../../server/log/file/file-log.ts';
import { MemoryLog, MemoryStorage } from '../../../../server/log/memory-log.ts';
import { parseRedisUrl } from '../../../../server/log/redis/link/options.ts';
import { RedisLog } from '../../../../server/log/redis/log/redis-log.ts';
import { SealedLog } from '../../../../server/log/sealed/sealed-log.ts';
import { describeEventLog } from '../../../contract/event-log.contract.ts';
import { sealedPayloads } from '../../../support/sealed.ts';
import { startRedis } from '../../../support/servers/redis.ts';

describeEventLog('a sealed MemoryLog', async () => {
  const storage = new MemoryStorage();
  return {
    sealed: true,
    open: (clock) => {
      const payloads = sealedPayloads();
      return new SealedLog(new MemoryLog({ clock, storage, payloads }), payloads);
    },
    dispose: async () => {},
  };
});

describeEventLog('a sealed FileLog', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sealed-log-'));
  const onFatal = (error: Error) => {
    throw error;
  };
  return {
    sealed: true,
    open: (clock) => {
      const payloads = sealedPayloads();
      const log = new FileLog({ folder, clock, logger: silentLogger, onFatal, payloads });
      return new SealedLog(log, payloads);
    },
    dispose: () => rm(folder, { recursive: true }),
  };
});

describeEventLog('a sealed RedisLog', async () => {
  const redis = await startRedis();
  return {
    sealed: true,
    open: () => {
      const payloads = sealedPayloads();
      const log = new RedisLog({
        redis: parseRedisUrl(redis.url),
        self: { datacenter: 'dc1', server: 's1', payloads },
        clock: systemClock,
        logger: silentLogger,
        bounds: { settleMs: 0 },
      });
      return new SealedLog(log, payloads);
    },
    dispose: async () => await redis.stop(),
  };
});
