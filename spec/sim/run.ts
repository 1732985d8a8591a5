/** One run of the simulator: a seed, a workload, faults, rest, and the verdicts. */
import { stateHash } from '../support/experiments/state-hash.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { type Commit, SimCluster } from './cluster.ts';
import { drawFaults, type Fault } from './faults.ts';
import { LeaseHolders } from './workloads/leases.ts';
import { Registers } from './workloads/registers.ts';

/** After the last fault: everything must have healed by then. */
const REST_MS = 20_000;
const FAULT_EVERY_MS = 5000;

export interface RunOptions {
  readonly seed: number;
  readonly commit?: Commit;
  readonly seconds?: number;
  /** In place of those that the seed draws. */
  readonly faults?: readonly Fault[];
}

export interface RunResult {
  readonly verdicts: readonly string[];
  readonly faults: readonly Fault[];
  readonly trace: readonly string[];
  readonly operations: number;
  readonly events: number;
}

export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, commit = 'quorum', seconds = 60 } = options;
  const workMs = seconds * 1000;
  const faults =
    options.faults ?? drawFaults(seededRandom(seed ^ 0x5eed), workMs - 10_000, FAULT_EVERY_MS);
  const cluster = new SimCluster({ seed, servers: 3, commit });
  const { world } = cluster;
  try {
    const registers = new Registers(cluster);
    const holders = new LeaseHolders(cluster);
    const all = (async () => {
      await cluster.start();
      for (const { atMs, what, strike } of faults) {
        void world.sleep(atMs).then(() => {
          world.say(`fault: ${what}`);
          strike(cluster);
        });
      }
      await Promise.all([registers.run(workMs), holders.run(workMs)]);
      await world.sleep(REST_MS);
    })();
    const verdicts: string[] = [];
    try {
      await world.until(all);
      verdicts.push(...registers.verdict(), ...holders.verdict(), ...replicasAlike(cluster));
    } catch (error) {
      verdicts.push(`broken: ${error instanceof Error ? error.stack : String(error)}`);
    }
    const { trace, events } = world;
    return { verdicts, faults, trace, operations: registers.operations, events };
  } finally {
    cluster.end();
  }
}

function replicasAlike({ servers }: SimCluster): string[] {
  const states = servers.map(({ machine, process }) =>
    process === undefined
      ? `${machine.name} is not there`
      : `${process.state.index} ${stateHash(process.state)}`,
  );
  return new Set(states).size === 1 ? [] : [`replicas differ: ${states.join(', ')}`];
}
