/**
 * A service without an agent beats to changing servers through kill -9 of servers and failovers of Redis, and
 * stays passing; the checks of 24 external nodes go on at another server within ten seconds.
 *
 *   node --import tsx spec/system/agentless.system.ts [ROUNDS, 2]
 */
import { AgentlessRounds } from '../support/experiments/agentless-rounds.ts';
import { report } from './report.ts';

const MAX_GAP_MS = 10_000;
const rounds = Number(process.argv[2] ?? 2);

await report(async (say) => {
  const experiment = await AgentlessRounds.start(3, true);
  let failed = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      for (const lose of [
        () => experiment.loseServer('follower'),
        () => experiment.loseServer('leader'),
        () => experiment.loseRedis(),
      ]) {
        const { what, gapMs } = await lose();
        const { failures } = experiment;
        const good = gapMs <= MAX_GAP_MS && failures.length === 0;
        if (!good) failed++;
        const seen = `seen ${experiment.seen} times, not passing ${failures.length}`;
        say(
          `${what}: looked at again after ${gapMs.toFixed(0)} ms; ${seen}${good ? '' : '  FAILED'}`,
        );
        for (const each of failures.splice(0).slice(0, 3)) say(`  ${each}`);
      }
    }
    say(`${experiment.taken} beats were taken`);
    await experiment.endBeats();
    say('without beats it is critical');
  } finally {
    await experiment.stop();
  }
  return failed;
});
