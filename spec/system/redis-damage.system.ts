/**
 * R9: what becomes of the log while its keys are flushed, deleted, renamed, added to and trimmed by
 * others, under 200 writes/s on three servers; in the last run of each while nobody writes.
 * Run: node --import tsx spec/system/redis-damage.system.ts [runs of each, 5]
 */
import { type Logger, silentLogger } from '../../lib/logger.ts';
import { keysOf } from '../../server/log/redis/link/keys.ts';
import { DAMAGES } from '../support/experiments/redis-scenarios.ts';
import {
  startLogServers,
  stopAllLogServers,
  verdictOf,
  Writers,
} from '../support/servers/log-servers.ts';
import { type RedisProcess, startRedis, stopAllRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const MAX_DETECTION_MS = 1000;
const runs = Number(process.argv[2] ?? 5);
const keys = keysOf('dc1');

await report(async (say) => {
  let failed = 0;
  for (const [name, damage] of Object.entries(DAMAGES)) {
    for (let run = 1; run <= runs; run++) {
      const idle = run === runs;
      const { lost, duplicates, reused, detectedMs, gapMs } = await suffer(damage, idle);
      const good = lost + duplicates + reused === 0 && detectedMs <= MAX_DETECTION_MS;
      if (!good) failed++;
      say(
        `${name} ${run}${idle ? ' (idle)' : ''}: detected after ${detectedMs} ms, lost ${lost} ` +
          `duplicates ${duplicates} indexes reused ${reused} gap ${gapMs} ms${good ? '' : '  FAILED'}`,
      );
      await stopAllLogServers();
      await stopAllRedis();
    }
  }
  return failed;
});

async function suffer(damage: (redis: RedisProcess) => Promise<unknown>, idle: boolean) {
  const redis = await startRedis();
  let seenAt: number | undefined;
  const warn = () => {
    seenAt ??= performance.now();
  };
  const logger: Logger = { ...silentLogger, warn };
  const servers = await startLogServers(3, { url: redis.url, logger });
  let writers = new Writers(servers, 200);
  const acked = () => servers.reduce((sum, server) => sum + server.acked.length, 0);
  const epoch = async () => Number(await redis.admin.hget(keys.meta, 'epoch'));
  await until(() => acked() > 100);
  const before = await epoch();
  if (idle) {
    await writers.stop();
    await verdictOf(servers);
  }
  seenAt = undefined;
  const begun = performance.now();
  await damage(redis);
  await until(async () => (await epoch()) > before);
  if (idle) writers = new Writers(servers, 200);
  const healed = acked();
  await until(() => acked() > healed + 100);
  await writers.stop();
  return {
    ...(await verdictOf(servers)),
    reused: servers.flatMap(({ sink }) => sink.reusedIndexes).length,
    detectedMs: Math.round((seenAt ?? Number.POSITIVE_INFINITY) - begun),
  };
}
