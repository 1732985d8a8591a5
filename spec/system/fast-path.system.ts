/**
 * Reads and blocking queries in many spellings under many tokens, by the fast path and by their routes at
 * once, while catalog, keys, policies, roles and tokens change: both must say the same, byte for byte but
 * for the date, and answer whenever the other does.
 *
 *   node --import tsx spec/system/fast-path.system.ts [seeds, 7] [steps of each, 5000] [first seed, 1]
 */
import { TwoWays } from '../support/experiments/two-ways/two-ways.ts';
import { stopServers } from '../support/servers/start-server.ts';
import { report } from './report.ts';

const [seeds = 7, steps = 5000, first = 1] = process.argv.slice(2).map(Number);

await report(async (say) => {
  let failed = 0;
  for (let seed = first; seed < first + seeds; seed++) {
    const ways = await TwoWays.start(seed);
    try {
      for (let i = 0; i < steps; i++) await ways.step();
      const { answers, waits, byShortWay } = ways.compared;
      say(
        `seed ${seed}: ${answers} answers alike, ${waits} of them of waits; ${byShortWay} came the short way`,
      );
    } catch (error) {
      failed++;
      say(`seed ${seed}: ${(error as Error).message}`);
    }
    ways.end();
    await stopServers();
  }
  return failed;
});
