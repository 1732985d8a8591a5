/**
 * Keys and a ConfigMap that are changed on both sides (`-config-map-both`), while syncs are ended and others begin, and
 * transactions are refused or not answered: whatever one side alone was changed to, both hold in the end.
 *
 *   node --import tsx spec/system/config-maps.system.ts [RUNS, 5] [ROUNDS of each, 6] [SEED, 1]
 */
import { PairRounds } from '../support/experiments/pair-rounds.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { stopApiServers } from '../support/kubernetes/api-server.ts';
import { stopAgents } from '../support/servers/agents.ts';
import { stopServers } from '../support/servers/start-server.ts';
import { report, SHORT_MS } from './report.ts';

const [runs = 5, rounds = 6, seed = 1] = process.argv.slice(2).map(Number);

await report(async (say) => {
  let failed = 0;
  for (let run = 0; run < runs; run++) {
    try {
      const pair = await PairRounds.start(seededRandom(seed + run));
      for (let round = 0; round < rounds; round++) await pair.round();
      say(`seed ${seed + run}: ${pair.edits} changes, ${pair.syncs} syncs, none lost`);
    } catch (error) {
      failed++;
      say(`seed ${seed + run}: FAILED: ${error instanceof Error ? error.message : error}`);
    } finally {
      await stopServers();
      await stopAgents();
      await stopApiServers();
    }
  }
  return failed;
}, SHORT_MS);
