/**
 * A service moves from a machine to a cluster of Kubernetes, is rolled there, and moves back, while callers look it
 * up by DNS and by HTTP and call what they find: no lookup fails, and no call.
 *
 *   node --import tsx spec/system/kubernetes-move.system.ts [INSTANCES, 4] [CALLERS, 8]
 */
import { MovedService } from '../support/experiments/moved-service.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const [instances = 4, callers = 8] = process.argv.slice(2).map(Number);
/** Time for what was changed to show itself. */
const PHASE_MS = 1000;
const MOST_WAIT_MS = 60_000;

await report(async (say) => {
  const service = await MovedService.start();
  let bad = 0;
  const phase = async (what: string, act: () => Promise<unknown>) => {
    const from = performance.now();
    await act();
    await sleep(PHASE_MS);
    const all = service.lookups.filter(({ at }) => at >= from);
    const failed = all.filter(({ isPod }) => isPod === undefined);
    const pods = all.filter(({ isPod }) => isPod === true).length;
    const ways = ['dns', 'http'].map(
      (way) => `${all.filter(({ by }) => by === way).length} by ${way}`,
    );
    const isGood = failed.length === 0 && all.length > 0;
    if (!isGood) bad++;
    const share = ((pods / Math.max(all.length, 1)) * 100).toFixed(0);
    say(
      `${what}: ${ways.join(', ')}, ${failed.length} failed, ${share}% in the cluster${isGood ? '' : '  FAILED'}`,
    );
    for (const why of new Set(failed.map((each) => each.why))) say(`  ${why}`);
  };
  const untilPassing = (count: number) =>
    until(
      async () => (await service.passing()).length === count,
      () => 'not passing',
      MOST_WAIT_MS,
    );
  const times = <T>(act: () => Promise<T>) => Promise.all(Array.from({ length: instances }, act));
  const inTurn = async (ids: readonly string[], act: (id: string) => Promise<unknown>) => {
    for (const id of ids) await act(id);
  };
  try {
    let onMachine = await times(() => service.addOnMachine());
    await untilPassing(instances);
    service.call(callers);
    let pods: readonly string[] = [];
    await phase('on a machine', () => sleep(PHASE_MS));
    await phase('on both', async () => {
      service.makeService();
      pods = await times(() => service.addPod());
      await untilPassing(2 * instances);
    });
    await phase('the machine ends its own', () =>
      Promise.all(onMachine.map((id) => service.endOnMachine(id))),
    );
    await phase('rolled in the cluster', () =>
      inTurn(pods, async (pod) => {
        const next = await service.addPod();
        await untilPassing(instances + 1);
        await service.endPod(pod);
        pods = [...pods.filter((each) => each !== pod), next];
      }),
    );
    await phase('on both again', async () => {
      onMachine = await times(() => service.addOnMachine());
      await untilPassing(2 * instances);
    });
    await phase('the cluster ends its own', () =>
      Promise.all(pods.map((pod) => service.endPod(pod))),
    );
  } finally {
    await service.stop();
  }
  return bad;
}, SHORT_MS);
