/** What befalls Redis, and the ways to it. */
import type { Random } from '../../../lib/random.ts';
import type { SimCluster } from '../cluster.ts';
import { anyServer, between, type Draw, type Drawn, stillMs } from './fault.ts';
import { restart } from './servers.ts';

/** What it answers in a second or two. */
const STEPS = 100;
/** For so long something is waited for that is to be met by a fault. */
const ARMED_MS = 8000;

export const REDIS: readonly Draw[] = [
  unheard,
  (random) => {
    const pick = anyServer(random);
    const step = between(random, 1, STEPS);
    return {
      what: `a server is cut off from Redis, which was about to give its answer ${step} from here`,
      lastsMs: 0,
      strike: (c) => {
        const { machine } = c.master;
        machine.beforeStep(step, () => c.network.cut(pick(c).machine, machine));
      },
    };
  },
  still,
  (random) => {
    const lastsMs = between(random, 100, 4000);
    const what = `Redis restarts after ${lastsMs} ms`;
    return { what, lastsMs, strike: (c) => c.master.restart(lastsMs) };
  },
  dieAtAnswer,
  restartBehind,
  (random) => {
    const lastsMs = between(random, 1, 1500);
    const lost = between(random, 1, 1000);
    return {
      what: `Redis is replaced behind a proxy, within ${lastsMs} ms, and has lost ${lost} ms`,
      lastsMs,
      strike: (c) => c.master.replace(lastsMs, lost),
    };
  },
  loseAll,
  failOver,
  failOverAndRestart,
  failOverAndRestart,
  () => ({
    what: 'Redis is emptied (FLUSHALL)',
    lastsMs: 0,
    strike: (c) => c.master.flush(),
  }),
  (random) => {
    const lastsMs = between(random, 100, 6000);
    return {
      what: `Redis is full for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const { master } = c;
        master.refusal = 'full';
        void c.world.sleep(lastsMs).then(() => {
          master.refusal = undefined;
        });
      },
    };
  },
  (random) => {
    const at = random.next();
    return { what: 'Redis evicts a key', lastsMs: 0, strike: (c) => c.master.evict(at) };
  },
];

/** What was to be written meanwhile comes in large batches. */
export function still(random: Random): Drawn {
  const lastsMs = stillMs(random);
  const what = `Redis stands still for ${lastsMs} ms`;
  return { what, lastsMs, strike: (c) => c.world.freeze(c.master.machine, lastsMs) };
}

/** Servers have what it has no more. */
export function restartBehind(random: Random): Drawn {
  const lastsMs = between(random, 100, 4000);
  const lost = between(random, 1, 1000);
  const what = `Redis restarts after ${lastsMs} ms and has lost ${lost} ms`;
  return { what, lastsMs, strike: (c) => c.master.restart(lastsMs, lost) };
}

/** It has written what it is asked to, and nobody is told. */
export function dieAtAnswer(random: Random): Drawn {
  const step = between(random, 1, STEPS);
  const lastsMs = between(random, 20, 2000);
  return {
    what: `Redis dies before its answer ${step} from here, and restarts after ${lastsMs} ms`,
    lastsMs,
    strike: ({ master }) => master.machine.beforeStep(step, () => master.restart(lastsMs)),
  };
}

/** The server is behind all others, and may not know it. */
export function unheard(random: Random): Drawn {
  const pick = anyServer(random);
  const lastsMs = stillMs(random);
  return {
    what: `a server and Redis hear nothing of each other for ${lastsMs} ms`,
    lastsMs,
    strike: (c) => {
      const server = pick(c).machine;
      const redis = c.master.machine;
      c.network.silence(server, redis, true);
      void c.world.sleep(lastsMs).then(() => c.network.silence(server, redis, false));
    },
  };
}

/** As where its disk is full: what it cannot save it does not take, and it frees nothing either. */
export function cannotWrite(random: Random): Drawn {
  const lastsMs = between(random, 100, 6000);
  return {
    what: `Redis cannot write its files for ${lastsMs} ms`,
    lastsMs,
    strike: (c) => {
      const { master } = c;
      master.refusal = 'cannot save';
      void c.world.sleep(lastsMs).then(() => {
        master.refusal = undefined;
      });
    },
  };
}

/** One side has the old master and a server, the other one the rest, who go on with the replica. */
export function partition(random: Random): Drawn {
  const pick = anyServer(random);
  // Without sentinels it takes the others three seconds to find another one.
  const lastsMs = between(random, 1500, 9000);
  return {
    what: `a server and Redis's master are parted from all others for ${lastsMs} ms, who fail over`,
    lastsMs,
    splits: true,
    strike: (c) => c.part(pick(c), lastsMs),
  };
}

/** As where Sentinel is asked to: an old master that lives takes writes for up to ten seconds more. */
export function plannedFailOver(random: Random): Drawn {
  const lastsMs = between(random, 500, 10_000);
  return {
    what: `Redis fails over by plan, and its old master goes on for ${lastsMs} ms`,
    lastsMs,
    splits: true,
    strike: (c) => c.failOver(0, lastsMs),
  };
}

/** The power of all machines: nobody remembers what Redis had not written yet. */
export function loseAll(random: Random): Drawn {
  const lastsMs = between(random, 100, 3000);
  const lost = between(random, 1, 1000);
  return {
    what: `all machines lose power for ${lastsMs} ms, and Redis has lost ${lost} ms`,
    lastsMs,
    loses: true,
    strike: (c) => losePower(c, lastsMs, lost),
  };
}

/** The same, right when a key has been forgotten: what Redis goes back to may need it. */
export function loseForgotten(random: Random): Drawn {
  const afterMs = between(random, 5, 150);
  const downMs = between(random, 100, 2000);
  const lost = between(random, 600, 1000);
  return {
    what: `all machines lose power for ${downMs} ms, ${afterMs} ms after a key is forgotten within ${ARMED_MS} ms from here, and Redis has lost ${lost} ms`,
    lastsMs: ARMED_MS + downMs,
    loses: true,
    strike: (c) => {
      // Another one may have come in its place meanwhile.
      const disarm = () => {
        for (const server of c.servers) {
          if (server.onForgotten === strikes) server.onForgotten = () => undefined;
        }
      };
      const strikes = () => {
        disarm();
        void c.world.sleep(afterMs).then(() => losePower(c, downMs, lost));
      };
      for (const server of c.servers) server.onForgotten = strikes;
      void c.world.sleep(ARMED_MS).then(disarm);
    },
  };
}

function losePower({ master, servers }: SimCluster, lastsMs: number, lost: number): void {
  master.restart(lastsMs / 2, lost);
  for (const server of servers) server.restart(lastsMs, true);
}

/** Where it is enough that Redis has it to be told that it is written. */
export function forgetWritten(random: Random): Drawn {
  return forget(random, true);
}

/** Where a majority has to have it: nobody was told that it is written. */
export function forgetUnagreed(random: Random): Drawn {
  return forget(random, false);
}

/**
 * What one server alone has heard of, Redis has lost when that server is gone too: nobody remembers it, and
 * yet somebody may have been shown it.
 */
function forget(random: Random, loses: boolean): Drawn {
  const pick = anyServer(random);
  const aloneMs = between(random, 300, 2000);
  const downMs = between(random, 50, 2000);
  const lost = between(random, aloneMs / 4, aloneMs);
  return {
    what: `one server alone hears Redis for ${aloneMs} ms, of which Redis has lost ${lost} ms when both restart after ${downMs} ms`,
    lastsMs: aloneMs + downMs,
    loses,
    strike: (c) => {
      const alone = pick(c);
      const { master } = c;
      const others = c.servers.filter((each) => each !== alone);
      const silence = (isSilent: boolean) => {
        for (const { machine } of others) c.network.silence(machine, master.machine, isSilent);
      };
      silence(true);
      void c.world.sleep(aloneMs).then(() => {
        alone.restart(downMs);
        master.restart(downMs, lost);
        silence(false);
      });
    },
  };
}

function failOver(random: Random): Drawn {
  const frozen = random.next() < 0.5 ? 0 : between(random, 100, 5000);
  return {
    what: `Redis fails over${frozen === 0 ? '' : `, its old master frozen for ${frozen} ms`}`,
    lastsMs: frozen + 50,
    strike: (c) => c.failOver(frozen),
  };
}

/** With what had reached the replica, which heard its master late. */
export function failOverBehind(random: Random): Drawn {
  const behindMs = between(random, 100, 1500);
  const failing = failOver(random);
  return {
    what: `${failing.what}, to a replica that is ${behindMs} ms behind`,
    lastsMs: behindMs + failing.lastsMs,
    strike: (c) => {
      c.master.delayReplicas(behindMs);
      void c.world.sleep(behindMs).then(() => failing.strike(c));
    },
  };
}

/** Who alone has what Redis lost may be gone when the others look for it. */
function failOverAndRestart(random: Random): Drawn {
  const failing = failOver(random);
  const gone = restart(random);
  return {
    what: `${failing.what}, while ${gone.what}`,
    lastsMs: Math.max(failing.lastsMs, gone.lastsMs),
    strike: (c) => {
      gone.strike(c);
      failing.strike(c);
    },
  };
}
