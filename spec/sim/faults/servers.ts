/** Servers that die and stand still, and the moments at which that meets their logs. */
import type { Random } from '../../../lib/random.ts';
import { anyServer, between, type Draw, type Drawn, stillMs } from './fault.ts';

/** What a server does in a second that others can see, at most, about. */
const STEPS = 200;
/** What it syncs in a second, at most, about. */
const SYNCS = 20;

export const SERVERS: readonly Draw[] = [
  restart,
  dieAtStep,
  serverStill,
  (random) => {
    const lastsMs = stillMs(random);
    return {
      what: `all servers stand still for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        for (const { machine } of c.servers) c.world.freeze(machine, lastsMs);
      },
    };
  },
  snapshot,
];

/** Of the one server whose log is in files. */
export const FILE: readonly Draw[] = [
  losePower,
  losePowerAtStep,
  losePowerAtSync,
  losePowerAtSync,
  snapshotAndRestart,
];

export function restart(random: Random): Drawn {
  const pick = anyServer(random);
  const lastsMs = between(random, 50, 3000);
  const what = `a server restarts after ${lastsMs} ms`;
  return { what, lastsMs, strike: (c) => pick(c).restart(lastsMs) };
}

/** Who waits for it may give up, and it lives. */
export function serverStill(random: Random): Drawn {
  const pick = anyServer(random);
  const lastsMs = stillMs(random);
  const what = `a server stands still for ${lastsMs} ms`;
  return { what, lastsMs, strike: (c) => c.world.freeze(pick(c).machine, lastsMs) };
}

/** For longer than it takes until others do what it did, and that is seen. */
export function away(random: Random): Drawn {
  const pick = anyServer(random);
  const lastsMs = between(random, 18_000, 25_000);
  const what = `a server is away for ${lastsMs} ms`;
  return { what, lastsMs, strike: (c) => pick(c).restart(lastsMs) };
}

/** Nobody is heard for longer than any lease of the workloads lasts. */
export function longStill(random: Random): Drawn {
  const isRedis = random.next() < 0.5;
  const lastsMs = between(random, 15_500, 22_000);
  return {
    what: `all servers${isRedis ? ' and Redis' : ''} stand still for ${lastsMs} ms`,
    lastsMs,
    strike: (c) => {
      const still = isRedis ? [...c.redis, ...c.servers] : c.servers;
      for (const { machine } of still) c.world.freeze(machine, lastsMs);
    },
  };
}

/**
 * As where the machine stands still on which all of them are, but for Redis: nobody renews a lease meanwhile, and
 * whoever keeps them is first to go on.
 */
export function allStill(random: Random): Drawn {
  const lastsMs = between(random, 15_500, 25_000);
  const longerMs = between(random, 50, 400);
  return {
    what: `servers, agents and clients stand still for ${lastsMs} ms, and clients ${longerMs} ms longer`,
    lastsMs: lastsMs + longerMs,
    strike: (c) => {
      for (const { machine } of [...c.servers, ...c.agents]) c.world.freeze(machine, lastsMs);
      for (const machine of c.others) c.world.freeze(machine, lastsMs + longerMs);
    },
  };
}

/** Between any two things that it does: what was said before is said, and the rest is not. */
function dieAtStep(random: Random): Drawn {
  const pick = anyServer(random);
  const step = between(random, 1, STEPS);
  const lastsMs = between(random, 50, 3000);
  const what = `a server dies before its step ${step} from here, and restarts after ${lastsMs} ms`;
  return {
    what,
    lastsMs,
    strike: (c) => {
      const server = pick(c);
      server.machine.beforeStep(step, () => server.restart(lastsMs));
    },
  };
}

/** Saves one; sometimes dies of it. */
function snapshot(random: Random): Drawn {
  const pick = anyServer(random);
  const step = random.next() < 0.5 ? 0 : between(random, 1, STEPS / 4);
  const lastsMs = step === 0 ? 0 : between(random, 50, 3000);
  const dies = step === 0 ? '' : `, and dies before its step ${step}`;
  return {
    what: `a server saves a snapshot${dies}`,
    lastsMs,
    strike: (c) => {
      const server = pick(c);
      server.saveSnapshot();
      if (step > 0) server.machine.beforeStep(step, () => server.restart(lastsMs));
    },
  };
}

/** It begins with what the snapshot left of its log. */
export function snapshotAndRestart(random: Random): Drawn {
  const afterMs = between(random, 100, 4000);
  const downMs = between(random, 50, 1000);
  return {
    what: `the server saves a snapshot, and ${afterMs} ms later restarts after ${downMs} ms`,
    lastsMs: afterMs + downMs,
    strike: ({ servers: [server], world }) => {
      server?.saveSnapshot();
      void world.sleep(afterMs).then(() => server?.restart(downMs));
    },
  };
}

function losePower(random: Random): Drawn {
  const lastsMs = between(random, 50, 3000);
  const what = `the server's machine loses power for ${lastsMs} ms`;
  return { what, lastsMs, strike: (c) => c.servers[0]?.restart(lastsMs, true) };
}

function losePowerAtStep(random: Random): Drawn {
  const step = between(random, 1, STEPS / 4);
  const lastsMs = between(random, 50, 3000);
  return {
    what: `the server's machine loses power before its step ${step}, for ${lastsMs} ms`,
    lastsMs,
    strike: (c) => {
      const [server] = c.servers;
      server?.machine.beforeStep(step, () => server.restart(lastsMs, true));
    },
  };
}

/** What was to be made durable is there in part: each sector of it, or not. */
export function losePowerAtSync(random: Random): Drawn {
  const sync = between(random, 1, SYNCS);
  const lastsMs = between(random, 50, 3000);
  return {
    what: `the server's machine loses power before its sync ${sync}, for ${lastsMs} ms`,
    lastsMs,
    strike: (c) => c.servers[0]?.losePowerAtSync(sync, lastsMs),
  };
}
