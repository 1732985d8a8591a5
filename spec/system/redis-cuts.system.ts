/**
 * R2: one reply in 20 is cut off after Redis has executed the request.
 * Run: node --import tsx spec/system/redis-cuts.system.ts [seeds, 5] [seconds each, 20]
 */

import { seededRandom } from '../support/fakes/seeded-random.ts';
import {
  pause,
  startLogServers,
  stopAllLogServers,
  verdictOf,
  Writers,
} from '../support/servers/log-servers.ts';
import { startRedis, stopAllRedis } from '../support/servers/redis.ts';
import { TcpProxy } from '../support/servers/tcp-proxy.ts';
import { report } from './report.ts';

const seeds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 20);

await report(async (say) => {
  let failed = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const redis = await startRedis();
    const proxy = await TcpProxy.start(redis.address);
    const servers = await startLogServers(3, { url: proxy.url });
    const random = seededRandom(seed);
    proxy.cutReply = () => random.next() < 1 / 20;
    const writers = new Writers(servers, 400);
    await pause(seconds * 1000);
    await writers.stop();
    proxy.cutReply = () => false;
    const { acked, lost, duplicates, slowestMs, unknown, unavailable } = await verdictOf(servers);
    const good = lost === 0 && duplicates === 0 && slowestMs < 2000;
    if (!good) failed++;
    say(
      `seed ${seed}: ${proxy.cuts} cuts, acked ${acked} lost ${lost} duplicates ${duplicates} ` +
        `unknown ${unknown} refused ${unavailable} slowest ${slowestMs} ms${good ? '' : '  FAILED'}`,
    );
    await stopAllLogServers();
    await proxy.stop();
    await stopAllRedis();
  }
  return failed;
});
