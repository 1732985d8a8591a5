/** Clocks that are wrong: each machine has its own. */
import type { Random } from '../../../lib/random.ts';
import type { SimCluster } from '../cluster.ts';
import type { Machine } from '../world/machine.ts';
import { anyMachine, between, type Draw, type Drawn, stillMs } from './fault.ts';

/** Far more than a clock that nobody sets drifts: a hundredth. */
const DRIFT = 0.01;

export const CLOCKS: readonly Draw[] = [
  (random) => jump(random, 'a machine', anyMachine(random)),
  (random) => {
    const pick = anyMachine(random);
    const rate = 1 + DRIFT * (2 * random.next() - 1);
    const what = `a machine's clock goes at ${rate.toFixed(4)} from now on`;
    return { what, lastsMs: 0, strike: (c) => pick(c).drift(c.world.now, rate) };
  },
  (random) => {
    const pick = anyMachine(random);
    const lastsMs = stillMs(random);
    const what = `a machine is suspended for ${lastsMs} ms`;
    return { what, lastsMs, strike: (c) => c.world.suspend(pick(c), lastsMs) };
  },
];

/** By whose time every lease counts, where the log is there. */
export function redisJumps(random: Random): Drawn {
  return jump(random, 'Redis', ({ master }) => master.machine);
}

/** By longer than any lease lasts. */
export function redisSetBack(random: Random): Drawn {
  const ms = between(random, 20_000, 300_000);
  return jumpBy(-ms, 'Redis', ({ master }) => master.machine);
}

function jump(random: Random, who: string, pick: (cluster: SimCluster) => Machine): Drawn {
  return jumpBy(jumpMs(random), who, pick);
}

function jumpBy(ms: number, who: string, pick: (cluster: SimCluster) => Machine): Drawn {
  const what = `the time of day of ${who} jumps by ${ms} ms`;
  const strike: Drawn['strike'] = (c) => {
    pick(c).wallAheadMs += ms;
    c.jumps++;
  };
  return { what, lastsMs: 0, strike };
}

/** A moment, some minutes, hours; on or back. */
function jumpMs(random: Random): number {
  const size = [500, 60_000, 4 * 3600_000][between(random, 0, 3)] ?? 0;
  return Math.floor(size * (0.2 + random.next())) * (random.next() < 0.6 ? -1 : 1);
}
