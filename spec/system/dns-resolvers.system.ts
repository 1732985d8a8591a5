/**
 * Real resolvers ask a real server by DNS, round after round, and follow what is registered.
 *
 *   node --import tsx spec/system/dns-resolvers.system.ts [ROUNDS]
 */
import { throughResolvers } from '../support/experiments/resolver-rounds.ts';
import { report } from './report.ts';

const [rounds = 3] = process.argv.slice(2).map(Number);

await report(async (say) => {
  let failed = 0;
  for (let round = 1; round <= rounds; round++) {
    try {
      await throughResolvers(say);
      say(`round ${round}: passed`);
    } catch (error) {
      failed++;
      say(`round ${round}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed;
});
