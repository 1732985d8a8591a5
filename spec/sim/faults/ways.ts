/** What befalls the ways between machines: agents and servers, servers and Redis. */
import type { Random } from '../../../lib/random.ts';
import type { SimCluster } from '../cluster.ts';
import type { Machine } from '../world/machine.ts';
import { between, type Draw, stillMs } from './fault.ts';

type Pair = readonly [Machine, Machine];

export const WAYS: readonly Draw[] = [
  (random) => {
    const pick = anyWay(random);
    const lastsMs = stillMs(random);
    return {
      what: `two machines hear nothing of each other for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const [a, b] = pick(c);
        c.network.silence(a, b, true);
        c.cutOff(a, b, lastsMs);
        void c.world.sleep(lastsMs).then(() => c.network.silence(a, b, false));
      },
    };
  },
  (random) => {
    const pick = anyWay(random);
    const isFirst = random.next() < 0.5;
    const lastsMs = stillMs(random);
    return {
      what: `one machine hears nothing of another, which hears it, for ${lastsMs} ms`,
      lastsMs,
      strike: (c) => {
        const [a, b] = pick(c);
        const [deaf, other] = isFirst ? [a, b] : [b, a];
        c.network.deafen(deaf, other, true);
        c.cutOff(a, b, lastsMs);
        void c.world.sleep(lastsMs).then(() => c.network.deafen(deaf, other, false));
      },
    };
  },
  (random) => {
    const pick = anyWay(random);
    const delayMs = anyDelay(random);
    const lastsMs = stillMs(random);
    return {
      what: `what two machines say to each other takes ${delayMs} ms, for ${lastsMs} ms`,
      // The last of it is still on its way.
      lastsMs: lastsMs + 2 * delayMs,
      strike: (c) => {
        const [a, b] = pick(c);
        c.network.slow(a, b, delayMs);
        c.cutOff(a, b, lastsMs + 2 * delayMs);
        void c.world.sleep(lastsMs).then(() => c.network.slow(a, b));
      },
    };
  },
  (random) => {
    const pick = anyWay(random);
    const step = between(random, 1, 100);
    return {
      what: `two machines are cut off from each other before the step ${step} of one of them from here`,
      lastsMs: 0,
      strike: (c) => {
        const [a, b] = pick(c);
        b.beforeStep(step, () => c.network.cut(a, b));
      },
    };
  },
];

/** From a server or an agent to a server; from a server to Redis, or a sentinel. */
function anyWay(random: Random): (cluster: SimCluster) => Pair {
  const [from, to] = [random.next(), random.next()];
  return ({ servers, agents, redis, sentinels }) => {
    const peers = [...servers, ...redis, ...sentinels].map(({ machine }) => machine);
    const b = peers[Math.floor(to * peers.length)] as Machine;
    const isServer = servers.some(({ machine }) => machine === b);
    const others = [...servers, ...(isServer ? agents : [])]
      .map(({ machine }) => machine)
      .filter((machine) => machine !== b);
    // The one server of a log in files has agents to speak to, or nobody.
    const a = others[Math.floor(from * others.length)] ?? b;
    return [a, b];
  };
}

/** A long way; as long as others wait for an answer, about; and longer. */
function anyDelay(random: Random): number {
  const chance = random.next();
  if (chance < 0.4) return between(random, 5, 50);
  return chance < 0.8 ? between(random, 100, 600) : between(random, 600, 3000);
}
