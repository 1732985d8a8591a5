/** Disks that are full, or fail: of servers, whose log or ballots are on them, and of agents. */
import type { Random } from '../../../lib/random.ts';
import type { SimCluster } from '../cluster.ts';
import type { SimDisk } from '../world/disk.ts';
import { between, type Draw } from './fault.ts';

/** What a server does to its disk in some seconds, about. */
const STEPS = 40;

export const DISKS: readonly Draw[] = [
  (random) => {
    const pick = anyDisk(random);
    const lastsMs = between(random, 100, 6000);
    return {
      what: `a disk is full for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const disk = pick(c);
        disk.fill();
        void c.world.sleep(lastsMs).then(() => disk.mend());
      },
    };
  },
  (random) => {
    const pick = anyDisk(random);
    const step = between(random, 1, STEPS);
    return {
      what: `a disk fails once, at the change ${step} from here`,
      lastsMs: 0,
      strike: (c) => pick(c).failOnce(step),
    };
  },
  (random) => {
    const pick = anyDisk(random);
    const lastsMs = between(random, 50, 4000);
    return {
      what: `all fails that a disk is asked for, for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const disk = pick(c);
        disk.breakDown();
        void c.world.sleep(lastsMs).then(() => disk.mend());
      },
    };
  },
];

function anyDisk(random: Random): (cluster: SimCluster) => SimDisk {
  const at = random.next();
  return ({ servers, agents }) => {
    const all = [...servers, ...agents];
    return (all[Math.floor(at * all.length)] as (typeof all)[number]).disk;
  };
}
