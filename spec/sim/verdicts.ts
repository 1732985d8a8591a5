/** What must be true of every run, whatever its clients did. */
import { stateHash } from '../support/experiments/state-hash.ts';
import type { SimCluster } from './cluster.ts';
import type { Fault } from './faults/fault.ts';

/** An answer under way may still be written when a process is asked to end. */
const ENDING_MS = 3000;

export function replicasAlike({ servers }: SimCluster): string[] {
  const states = servers.map(({ machine, process }) =>
    process === undefined
      ? `${machine.name} is not there`
      : `${process.state.index} ${stateHash(process.state)}`,
  );
  return new Set(states).size === 1 ? [] : [`replicas differ: ${states.join(', ')}`];
}

/** An ERROR is for an operator: none is said but of a fault, or while one heals. */
export function complaints(
  { servers, agents, sidecars, syncs }: SimCluster,
  faults: readonly Fault[],
  healMs: number,
): string[] {
  const isMeant = (at: number) =>
    faults.some(({ atMs, lastsMs }) => atMs <= at && at <= atMs + lastsMs + healMs);
  return [...servers, ...agents, ...sidecars, ...syncs].flatMap(({ machine, complaints: all }) =>
    all
      .filter(({ at }) => !isMeant(at))
      .map(({ at, text }) => `at ${(at / 1000).toFixed(1)} s ${machine.name} complains: ${text}`),
  );
}

/**
 * Every process ends when it is asked to, and leaves no timer, no open file, no wait of who has gone, and
 * nothing of the room of large bodies.
 */
export async function leftOver(cluster: SimCluster): Promise<string[]> {
  const { world, network, servers, agents, sidecars, syncs, bodies } = cluster;
  const found: string[] = [];
  const all = [...syncs, ...sidecars, ...agents, ...servers];
  for (const each of all) {
    // A client whose machine lost its power has said nothing: its wait ends with its time.
    const waits = each.waiting - network.leftOpen(each.machine);
    if (waits > 0) found.push(`${each.machine.name} keeps ${waits} waits that nobody waits for`);
    let ended = false;
    void each.stop().then(() => {
      ended = true;
    });
    await world.sleep(ENDING_MS);
    if (!ended) found.push(`${each.machine.name} does not end when it is asked to`);
    network.close(each.machine);
  }
  await world.sleep(0);
  for (const { machine, openFiles } of all) {
    const timers = world.pendingOf(machine);
    const origins = timers.map(({ origin }) => origin).filter((origin) => origin !== '');
    if (timers.length > 0) {
      const whose = origins.map((origin) => `\n    by ${origin}`).join('');
      found.push(`${machine.name} has ended and leaves ${timers.length} timers${whose}`);
    }
    if (openFiles > 0) found.push(`${machine.name} has ended and leaves ${openFiles} files open`);
  }
  const held = bodies.left;
  if (held.length > 0) found.push(`${held.join()} have ended and hold room for large bodies`);
  return found;
}
