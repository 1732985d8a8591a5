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
import { type Program, SidecarRounds } from '../support/experiments/sidecar-rounds.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { sleep } from '../support/sleep.ts';
import { report, SHORT_MS } from './report.ts';

const [callers = '16', ...flags] = process.argv.slice(2);
const CALLERS = Number(callers);
/** Time for what was changed to come to everybody, and to show itself. */
const PHASE_MS = 2000;

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'sidecar-'));
  const rounds = await SidecarRounds.start(folder, flags);
  let bad = 0;
  const phase = async (what: string, mayFail: number, act: () => Promise<string | undefined>) => {
    const from = performance.now();
    const told = (await act()) ?? '';
    await sleep(PHASE_MS);
    const { all, failed } = rounds.since(from);
    const isGood = failed.length <= mayFail && all.length > 0;
    if (!isGood) bad++;
    const ms = all.map((each) => each.ms).sort((a, b) => a - b);
    const p99 = (ms[Math.floor(ms.length * 0.99)] ?? 0).toFixed(1);
    say(
      `${what}: ${all.length} calls, ${failed.length} failed, p99 ${p99} ms ${told}${isGood ? '' : '  FAILED'}`,
    );
    for (const why of new Set(failed.map((each) => each.why))) say(`  ${why}`);
  };
  const programs = new Map<string, Program>();
  const add = async (name: string) => {
    const program = await rounds.run(name);
    programs.set(name, program);
    await rounds.register(program);
    return `first call ${(await rounds.untilAnswers(name)).toFixed(0)} ms after it was registered`;
  };
  const signal = (name: string, how: NodeJS.Signals) => programs.get(name)?.process.kill(how);
  try {
    for (const name of ['a', 'b', 'c']) {
      const program = await rounds.run(name);
      programs.set(name, program);
      await rounds.register(program);
    }
    await sleep(PHASE_MS / 4);
    rounds.load(CALLERS);
    await phase('three programs', 0, async () => undefined);
    await phase('a fourth is added', 0, () => add('d'));
    await phase('one is deregistered, and ends', 0, async () => {
      await rounds.put('/v1/agent/service/deregister/a');
      await sleep(PHASE_MS / 4);
      signal('a', 'SIGTERM');
      return undefined;
    });
    await phase('one is put into maintenance, and killed', 0, async () => {
      await rounds.put('/v1/agent/service/maintenance/b?enable=true');
      await sleep(PHASE_MS / 4);
      signal('b', 'SIGKILL');
      return undefined;
    });
    await phase('one more is added', 0, () => add('e'));
    // Those that it has are lost with it; what it refuses after that goes to another.
    await phase('one is killed without notice', CALLERS, async () => void signal('c', 'SIGKILL'));
    await phase('the agent is killed', 0, async () => void (await rounds.agent.kill()));
    await phase('the agent is back', 0, async () => {
      await startProconsul(['-server', '-bootstrap', `-data-dir=${folder}`], rounds.agent.port);
      return undefined;
    });
    await phase('one is added by the agent that came back', 0, () => add('f'));
  } finally {
    await rounds.stop();
    await rm(folder, { recursive: true });
  }
  return bad;
}, SHORT_MS);
