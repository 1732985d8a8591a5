/**
 * A sidecar (`connect proxy`) under load over three programs, while one is added, drained, put into maintenance,
 * and killed, and while its agent is killed and comes back; then one of an agent of three servers, of which the leader is
 * killed, and the one that the agent asks. What is planned loses no call, a killed program at most those that it had under
 * way, and by HTTP, where they are tried again, none; what is registered is called soon.
 *
 *   node --import tsx spec/system/sidecar.system.ts [CALLERS, 16] [PROTOCOLS, tcp,http] [CHANGES, 100] [FLAGS OF THE PROXY …]
 */
import { Phases } from '../support/experiments/phases.ts';
import { SidecarRounds } from '../support/experiments/sidecar-rounds.ts';
import { OneServer, ThreeServers } from '../support/experiments/xds-places.ts';
import { sleep } from '../support/sleep.ts';
import { report } from './report.ts';

const [callers = '16', protocols = 'tcp,http', changes = '100', ...flags] = process.argv.slice(2);
const CALLERS = Number(callers);
const CHANGES = Number(changes);
const FEW_CHANGES = 20;
const HEARD_MS = 500;
/** From a change to the first call, of 99 of 100. */
const SOON_MS = 100;
/** Of a server that came back; the agent and the others have found each other by then. */
const STEADY_MS = 5000;
const MOST_MS = 45 * 60_000;

type Agent = OneServer['agent'];
type Say = (line: string) => void;

interface Under {
  readonly title: string;
  readonly agent: Agent;
  readonly protocol: string;
  readonly say: Say;
}

async function underLoad(under: Under, run: (phases: Phases) => Promise<void>): Promise<number> {
  const { agent, protocol, say } = under;
  const rounds = await SidecarRounds.start(agent, [`-protocol=${protocol}`, ...flags]);
  const phases = new Phases({
    ...{ rounds, callers: CALLERS, heardMs: HEARD_MS, say, soonMs: SOON_MS },
    title: `${protocol} by ${under.title}`,
    loses: protocol === 'tcp' ? 'under way' : 'nothing',
  });
  try {
    for (const name of ['a', 'b', 'c']) await phases.add(name);
    await rounds.untilServed();
    rounds.load(CALLERS);
    await phases.usual();
    await phases.changes('e', CHANGES);
    await phases.killed('one is added, and killed without notice', 'f', async (kill) => {
      const told = await phases.added('f');
      kill();
      return told;
    });
    await run(phases);
  } finally {
    await rounds.stop();
  }
  return phases.bad;
}

async function byOneServer(protocol: string, say: Say): Promise<number> {
  const server = await OneServer.start();
  const { agent } = server;
  try {
    return await underLoad({ title: 'one server', agent, protocol, say }, async (phases) => {
      await phases.phase('the agent is killed', 0, async () => void (await server.kill()));
      await phases.phase('the agent is back', 0, async () => void (await server.back()));
      await phases.phase('one is added by the agent that came back', 0, () => phases.added('g'));
    });
  } finally {
    await server.stop();
  }
}

async function byThreeServers(protocol: string, say: Say): Promise<number> {
  const three = await ThreeServers.start();
  const { agent } = three;
  const ways = [
    ['the leader of three servers is killed', () => three.killLeader()],
    ['the server that the agent asks is killed', () => three.killBusiest()],
  ] as const;
  try {
    const title = 'an agent of three servers';
    return await underLoad({ title, agent, protocol, say }, async (phases) => {
      for (const [i, [what, kill]] of ways.entries()) {
        await phases.phase(what, 0, kill);
        await phases.phase('one is added meanwhile', 0, () => phases.added(`h${i}`));
        await phases.phase('the server is back', 0, async () => void (await three.back()));
        await phases.phase('they are steady', 0, async () => void (await sleep(STEADY_MS)));
        await phases.changes(`i${i}`, FEW_CHANGES);
      }
    });
  } finally {
    await three.stop();
  }
}

await report(async (say) => {
  let bad = 0;
  for (const protocol of protocols.split(',')) {
    bad += await byOneServer(protocol, say);
    bad += await byThreeServers(protocol, say);
  }
  return bad;
}, MOST_MS);
