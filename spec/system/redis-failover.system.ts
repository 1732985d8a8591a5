/**
 * R5, R6, R7: the master is killed, frozen for 4 s, replaced as planned, under 200 writes/s on three
 * servers. Run: node --import tsx spec/system/redis-failover.system.ts [runs of each, 5] [redis | quorum]
 */

import { failOver } from '../support/experiments/redis-scenarios.ts';
import { stopAllLogServers } from '../support/servers/log-servers.ts';
import { stopAllRedis } from '../support/servers/redis.ts';
import { report } from './report.ts';

const MAX_GAP_MS = 3000;
const MAX_PENDING_MS = 2000;
const runs = Number(process.argv[2] ?? 5);
const commit = process.argv[3] === 'quorum' ? 'quorum' : 'redis';

await report(async (say) => {
  let failed = 0;
  for (const kind of ['killed', 'frozen 4 s', 'planned'] as const) {
    for (let run = 1; run <= runs; run++) {
      const { acked, lost, duplicates, ...rest } = await failOver(kind, 5000, commit);
      await stopAllLogServers();
      await stopAllRedis();
      const { gapMs, slowestMs, unknown, unavailable, reported } = rest;
      const good =
        lost === 0 && duplicates === 0 && gapMs <= MAX_GAP_MS && slowestMs < MAX_PENDING_MS;
      if (!good) failed++;
      say(
        `${kind} ${run}: acked ${acked} lost ${lost} duplicates ${duplicates} gap ${gapMs} ms ` +
          `slowest ${slowestMs} ms unknown ${unknown} refused ${unavailable} reported ${reported}` +
          `${good ? '' : '  FAILED'}`,
      );
    }
  }
  return failed;
});
