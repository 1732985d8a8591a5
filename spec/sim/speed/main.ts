/**
 * How much faster than real time a world goes, by the processor's time of this process alone:
 *
 *   bin/sim --speed [--seconds N, idle ones] [--seeds N, of runs at work; 0 for none]
 */
import { parseArgs } from 'node:util';
import { type Log, SimCluster } from '../cluster.ts';
import { ALL, run, type WorkloadName } from '../run.ts';

const AGENTS = 10;
/** Until all is said that a beginning says, and the code is compiled. */
const WARM_MS = 600_000;
const LOGS: readonly Log[] = ['file', 'redis', 'quorum'];
const WORK: readonly (readonly WorkloadName[])[] = [['agents'], ['leases'], ['registers'], ALL];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    seeds: { type: 'string', default: '3' },
  },
});

function cpuS(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function tell(log: Log, what: string, simulatedS: number, tookS: number, events: number): void {
  const speed = (simulatedS / tookS).toFixed(0).padStart(5);
  const each = ((tookS / events) * 1e6).toFixed(0);
  const rate = (events / simulatedS).toFixed(0);
  const text = `${speed} x  ${log}, ${what}: ${rate} events a second, ${each} us each`;
  process.stdout.write(`${text}\n`);
}

/** Nobody does anything but what servers and agents do by themselves. */
async function idle(log: Log, seconds: number): Promise<void> {
  const cluster = new SimCluster({ seed: 1, log, agents: AGENTS });
  const { world } = cluster;
  await world.until(cluster.start());
  await world.until(world.sleep(WARM_MS));
  const before = { tookS: cpuS(), events: world.events };
  await world.until(world.sleep(seconds * 1000));
  const took = cpuS() - before.tookS;
  const what = `idle, ${cluster.servers.length} servers, ${AGENTS} agents`;
  tell(log, what, seconds, took, world.events - before.events);
  await cluster.end();
}

/** The first run is not counted. */
async function atWork(log: Log, workloads: readonly WorkloadName[], seeds: number): Promise<void> {
  await run({ seed: 1, log, workloads, agents: AGENTS });
  const before = cpuS();
  let [ms, events] = [0, 0];
  for (let seed = 2; seed < 2 + seeds; seed++) {
    const result = await run({ seed, log, workloads, agents: AGENTS });
    ms += result.simulatedMs;
    events += result.events;
  }
  const what = workloads === ALL ? 'all workloads' : workloads.join(', ');
  tell(log, `${what}, under faults`, ms / 1000, cpuS() - before, events);
}

for (const log of LOGS) {
  await idle(log, Number(values.seconds));
  if (values.seeds === '0') continue;
  for (const workloads of WORK) await atWork(log, workloads, Number(values.seeds));
}
process.exit(0);
