/**
 * How much memory two syncs of a large cluster take, which is to be no more than the manifests give them: the first sync, one
 * that waits, a pod of each service replaced, and the end of the one that writes. Their heaps have what Node gives itself in a
 * container of that size, which is half of it: one that needs more ends, and the experiment with it.
 *
 *   node --import tsx spec/system/kubernetes-memory.system.ts [PODS, 45000] [MiB of a container, 1024]
 */
import { ClusterSync } from '../support/experiments/cluster-sync.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { report, SHORT_MS } from './report.ts';

const PODS_OF_SERVICE = 20;
const MIB = 2 ** 20;
const MOST_MS = 240_000;
const [pods = 45_000, container = 1024] = process.argv.slice(2).map(Number);

await report(async (say) => {
  const server = await startProconsul(['-dev'], undefined, {
    nodeOptions: '--max-old-space-size=4096',
  });
  const services = Math.ceil(pods / PODS_OF_SERVICE);
  const world = await ClusterSync.start(server.port, services, PODS_OF_SERVICE);
  const options = { nodeOptions: `--max-old-space-size=${container / 2}`, lease: '3s' };
  let most = 0;
  const tell = async (what: string) => {
    const ms = await world.rightAfter(MOST_MS);
    const { text } = await send(server.port, 'GET', '/v1/internal/ui/node/k8s-sync', {});
    const bytes = Buffer.byteLength(text);
    const peaks = world.syncs.map(({ peakBytes }) => peakBytes);
    most = Math.max(most, ...peaks);
    const shown = peaks.map((peak) => `${(peak / MIB).toFixed(0)} MiB`).join(', ');
    const each = (Math.max(...peaks) / bytes).toFixed(1);
    say(
      `${what}: right ${(ms / 1000).toFixed(1)} s later; the node has ${(bytes / MIB).toFixed(1)} MiB, ` +
        `the syncs had ${shown} at most, ${each} for each of its bytes`,
    );
  };
  try {
    await world.startSync('a', options);
    await tell('first sync');
    await world.startSync('b', options);
    await tell('one more that waits');
    for (const step of world.rollSteps(1)) step();
    await tell('a pod of each service replaced');
    await world.killActive();
    for (const step of world.rollSteps(1)) step();
    await tell('the one that wrote is killed, and a pod of each replaced');
  } finally {
    await world.stop();
  }
  const isGood = most <= container * MIB;
  say(`${(most / MIB).toFixed(0)} MiB of ${container}${isGood ? '' : '  FAILED'}`);
  return isGood ? 0 : 1;
}, SHORT_MS);
