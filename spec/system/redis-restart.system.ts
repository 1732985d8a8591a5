/**
 * R8: the append-only file is cut at, before and after each of its last records; an older copy of
 * the files is put back. Run: node --import tsx spec/system/redis-restart.system.ts [records, 40]
 */

import { cutAof, keepFiles, loseFiles } from '../support/experiments/redis-scenarios.ts';
import { stopAllLogServers } from '../support/servers/log-servers.ts';
import { stopAllRedis } from '../support/servers/redis.ts';
import { report } from './report.ts';

const records = Number(process.argv[2] ?? 40);

await report(async (say) => {
  let runs = 0;
  let failed = 0;
  const check = async (name: string, result: ReturnType<typeof loseFiles>) => {
    runs++;
    const { acked, lost, duplicates, reported, servers } = await result.catch((error) => {
      say(`${name}: ${String(error)}`);
      throw error;
    });
    const reused = servers.flatMap(({ sink }) => sink.reusedIndexes).length;
    if (lost + duplicates + reported + reused > 0) {
      failed++;
      say(`${name}: acked ${acked} lost ${lost} duplicates ${duplicates} reused ${reused}  FAILED`);
    }
    await stopAllLogServers();
    await stopAllRedis();
  };
  for (let nth = 1; nth <= records; nth++) {
    for (const bytes of [-1, 0, 1]) {
      const lose = loseFiles(async (redis) => await cutAof(redis, nth, bytes), { entries: 10 });
      await check(`cut ${bytes} bytes before the end of record ${nth} from the end`, lose);
    }
  }
  say(`${runs} cuts, ${failed} failed`);
  for (let run = 1; run <= 5; run++) {
    let putBack = async () => {};
    const lose = loseFiles(async () => await putBack(), {
      entries: 200,
      before: async (redis) => {
        putBack = await keepFiles(redis);
      },
    });
    await check(`older copy, run ${run}`, lose);
  }
  say(`${runs} runs in all, ${failed} failed: states equal, nothing lost, no index used twice`);
  return failed;
});
