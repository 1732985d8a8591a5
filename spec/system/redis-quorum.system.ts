/**
 * The worst failover for `commit = quorum`, with three real servers and two real masters: a write is
 * acknowledged by two, the new master lacks it, one of the two is killed and forgets it, the other is
 * cut off, the third never had it. Two of three live. Then the same rules in a model, by chance.
 * Run: node --import tsx spec/system/redis-quorum.system.ts [rounds, 3] [histories of the model, 20000]
 */
import { planEpoch } from '../../server/log/redis/repair/epoch-plan.ts';
import { randomHistories } from '../support/experiments/redis-epoch-model.ts';
import { cutOff, lead, promoteReplica, put, read } from '../support/experiments/redis-masters.ts';
import { Cluster } from '../support/servers/cluster.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const [rounds = 3, histories = 20_000] = process.argv.slice(2).map(Number);
/** Far longer than any patience before an epoch. */
const WITHOUT_MS = 6000;
const WAIT_MS = 20_000;

await report(async (say) => {
  let failed = 0;
  for (let round = 1; round <= rounds; round++) {
    const { early, kept, backMs } = await failOver();
    const good = early === 0 && kept === 3;
    if (!good) failed++;
    say(
      `round ${round}: ${early} writes acknowledged while the one that remembers was cut off; ` +
        `${kept} of 3 servers have the acknowledged write, all write ${backMs} ms after its return` +
        `${good ? '' : '  FAILED'}`,
    );
  }
  const bounds = { writes: 3, crashes: 1, maxEpoch: 9 };
  const { lost, epochs } = randomHistories(planEpoch, bounds, 1, histories);
  say(
    `model: ${histories} histories, ${epochs} epochs, ${lost === undefined ? 'nothing lost' : lost}`,
  );
  return failed + (lost === undefined ? 0 : 1);
});

async function failOver() {
  const cluster = await Cluster.start({ servers: 3, commit: 'quorum' });
  try {
    const [a, b, c] = cluster.servers;
    if (a === undefined || b === undefined || c === undefined) throw new Error('no servers');
    await put(a, 'common', '1');
    const next = await promoteReplica(cluster);
    cutOff(c);
    await until(async () => await put(a, 'precious', 'acknowledged'), undefined, WAIT_MS);
    cutOff(b);
    await a.kill();
    lead(c, next);
    if (a.proxy !== undefined) a.proxy.target = next.address;
    a.start();
    const end = performance.now() + WITHOUT_MS;
    let early = 0;
    while (performance.now() < end) {
      for (const server of [a, c]) if (await put(server, 'early', 'x')) early++;
      await sleep(200);
    }
    const begun = performance.now();
    lead(b, next);
    for (const server of [a, b, c]) {
      await until(async () => await put(server, server.name, 'x'), undefined, WAIT_MS);
    }
    const backMs = Math.round(performance.now() - begun);
    let kept = 0;
    for (const server of [a, b, c]) {
      if ((await read(server, 'precious')).value === 'acknowledged') kept++;
    }
    return { early, kept, backMs };
  } finally {
    await cluster.stop();
  }
}
