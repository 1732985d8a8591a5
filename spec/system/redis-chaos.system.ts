/**
 * Faults of every kind, one after the other, under 150 writes/s on three servers: nothing is lost in
 * silence, nothing written twice, no index used twice, and in the end all agree.
 * Run: node --import tsx spec/system/redis-chaos.system.ts [seeds, 20] [faults each, 12] [first seed, 1]
 *   [the longest pause after a fault in ms, 1500]: with 60, a fault meets what the last one left half done
 */

import { chaos } from '../support/experiments/redis-chaos.ts';
import { stopAllLogServers } from '../support/servers/log-servers.ts';
import { stopAllRedis } from '../support/servers/redis.ts';
import { stopAllProxies } from '../support/servers/tcp-proxy.ts';
import { report } from './report.ts';

const seeds = Number(process.argv[2] ?? 20);
const count = Number(process.argv[3] ?? 12);
const first = Number(process.argv[4] ?? 1);
const maxPauseMs = Number(process.argv[5] ?? 1500);

await report(async (say) => {
  let failed = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const result = await chaos(seed, count, maxPauseMs).catch((error: unknown) => String(error));
    if (typeof result === 'string') {
      failed++;
      say(`seed ${seed}: ${result}  FAILED`);
    } else {
      const { acked, lost, lostInSilence, duplicates, reused, slowestMs, steps } = result;
      const good = lostInSilence.length + duplicates + reused.length === 0 && slowestMs < 2000;
      if (!good) failed++;
      say(
        `seed ${seed}: acked ${acked} lost and reported ${lost} lost in silence ` +
          `${lostInSilence.length} duplicates ${duplicates} indexes reused ${reused.length} slowest ` +
          `${slowestMs} ms${good ? '' : `  FAILED: ${steps.join(', ')}`}`,
      );
    }
    await stopAllLogServers();
    await stopAllProxies();
    await stopAllRedis();
  }
  return failed;
});
