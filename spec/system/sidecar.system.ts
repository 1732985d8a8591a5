/**
 * A sidecar (`connect proxy`) under load over three programs, while one is added, drained, put into maintenance,
 * and killed, and while its agent is killed and comes back: what is planned loses no call, a killed program at
 * most those that it had, and what is registered is called soon.
 *
 *   node --import tsx spec/system/sidecar.system.ts [CALLERS, 16] [FLAGS OF THE PROXY …]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Phases } from '../support/experiments/phases.ts';
import { SidecarRounds } from '../support/experiments/sidecar-rounds.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { sleep } from '../support/sleep.ts';
import { report, SHORT_MS } from './report.ts';

const [callers = '16', ...flags] = process.argv.slice(2);
const HEARD_MS = 500;
const CHANGES = 20;

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
  const agentFlags = ['-server', '-bootstrap', `-data-dir=${folder}`];
  const agent = await startProconsul(agentFlags);
  const rounds = await SidecarRounds.start(agent, flags);
  const phases = new Phases({ rounds, callers: Number(callers), heardMs: HEARD_MS, say });
  try {
    for (const name of ['a', 'b', 'c']) await phases.add(name);
    await sleep(HEARD_MS);
    rounds.load(Number(callers));
    await phases.usual();
    await phases.changes('e', CHANGES);
    await phases.phase('one is added, and killed without notice', Number(callers), async () => {
      const told = await phases.added('f');
      phases.signal('f', 'SIGKILL');
      return told;
    });
    await phases.phase('the agent is killed', 0, async () => void (await agent.kill()));
    await phases.phase('the agent is back', 0, async () => {
      await startProconsul(agentFlags, agent.port);
      return undefined;
    });
    await phases.phase('one is added by the agent that came back', 0, () => phases.added('g'));
  } finally {
    await rounds.stop();
    await killProconsuls();
    await rm(folder, { recursive: true });
  }
  return phases.bad;
}, SHORT_MS);
