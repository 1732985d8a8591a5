/**
 * A cluster of 500 services with 20 pods each and two syncs: the first sync, a rolling update of all, an API server
 * that is away for a minute, and the end of the sync that writes. Each time the catalog is right within two seconds
 * of the cluster's truth, no pod is lost or doubled, and there are at most 1.2 writes for each change. What is right is seen by
 * the transactions that were taken, and then read once.
 *
 *   node --import tsx spec/system/kubernetes.system.ts [SERVICES, 500] [PODS, 20] [SECONDS away, 60]
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { ClusterSync } from '../support/experiments/cluster-sync.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { report, SHORT_MS } from './report.ts';

const MOST_MS = 2000;
const MOST_WRITES = 1.2;
const [services = 500, pods = 20, awayS = 60] = process.argv.slice(2).map(Number);

await report(async (say) => {
  const server = await startProconsul(['-dev']);
  const world = await ClusterSync.start(server.port, services, pods);
  let failed = 0;
  const round = async (what: string, act: () => Promise<void>, mostMs = MOST_MS) => {
    const [changes, writes] = [world.changes, world.writes];
    const began = performance.now();
    await act();
    const took = performance.now() - began;
    const ms = await world.rightAfter(120_000);
    const [changed, written] = [world.changes - changes, world.writes - writes];
    const share = changed === 0 ? 0 : written / changed;
    const good = ms <= mostMs && share <= MOST_WRITES;
    if (!good) failed++;
    const told = `${changed} changes in ${(took / 1000).toFixed(1)} s, right ${ms.toFixed(0)} ms after the last`;
    say(`${what}: ${told}, ${share.toFixed(2)} writes for each${good ? '' : '  FAILED'}`);
  };
  try {
    const began = performance.now();
    await world.startSync('a');
    await world.startSync('b');
    await world.rightAfter(120_000);
    const s = ((performance.now() - began) / 1000).toFixed(1);
    say(
      `first sync: ${services * pods} pods, ${s} s from the start of the processes, ${world.writes} writes`,
    );
    if (world.writes > services * pods * MOST_WRITES) failed++;
    await round('rolling update of all', async () => {
      for (let done = 0; done < pods; done += 5) await spread(world.rollSteps(5));
    });
    await round(`API server away for ${awayS} s`, async () => {
      await world.cluster.away();
      await Promise.all([spread(world.rollSteps(1)), sleep(awayS * 1000)]);
      await world.cluster.back();
    });
    await round('the sync that writes is killed', async () => {
      await world.killActive();
      // What happens now nobody writes before the other has the turn.
      await atOnce(world.rollSteps(1));
    });
    await round('after it, a rolling update by the other', () => spread(world.rollSteps(5)));
  } finally {
    await world.stop();
  }
  return failed;
}, SHORT_MS);

/** As fast as it goes; but the cluster is asked and answers meanwhile. */
async function atOnce(steps: readonly (() => void)[]): Promise<void> {
  for (const [i, step] of steps.entries()) {
    step();
    if (i % 20 === 0) await nextTurn();
  }
}

/** As many each moment as a cluster of this size brings: the whole in about ten seconds. */
async function spread(steps: readonly (() => void)[]): Promise<void> {
  const each = Math.ceil(steps.length / 200);
  for (let at = 0; at < steps.length; at += each) {
    for (const step of steps.slice(at, at + each)) step();
    await sleep(50);
  }
}
