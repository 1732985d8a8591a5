/**
 * Whoever keeps the leases stands still, for 8 s and for 25 s: one server, one of three, all of them,
 * Redis. No living agent is critical for longer than the fault and a lease, and no living holder loses
 * its lock. With CONSUL=path the same is done to a single real Consul.
 *
 *   [CONSUL=/path/to/consul] node --import tsx spec/system/freezes.system.ts [SECONDS...]
 */
import { freeze } from '../support/experiments/freeze-rounds.ts';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { type RedisProcess, startRedis } from '../support/servers/redis.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const AGENTS = ['a1', 'a2'];
/** A lease, and the beats and ticks on either side of it. */
const LEASE_MS = 9000;
/** Long enough for whatever ends after the fault, a TTL's one and a half times too. */
const AFTER_MS = 18_000;

type Say = (line: string) => void;

interface Round {
  readonly what: string;
  readonly servers: readonly AgentProcess[];
  readonly agents: readonly AgentProcess[];
  /** Whom to stop and to let go on. */
  readonly frozen: () => Promise<readonly { signal(name: NodeJS.Signals): void }[]>;
}

const seconds = process.argv.slice(2).map(Number);
const FAULTS_S = seconds.length > 0 ? seconds : [8, 25];

/** How often the promise was broken, for each length of the fault. */
async function run({ what, servers, agents, frozen }: Round, say: Say): Promise<number> {
  let broken = 0;
  for (const faultS of FAULTS_S) {
    const still = await frozen();
    const seen = await freeze({
      servers,
      agents,
      forMs: faultS * 1000,
      afterMs: AFTER_MS,
      begin: () => still.forEach((each) => void each.signal('SIGSTOP')),
      end: () => still.forEach((each) => void each.signal('SIGCONT')),
    });
    const { criticalMs, locksLost, locks } = seen;
    const holds = criticalMs <= faultS * 1000 + LEASE_MS && locksLost.length === 0;
    if (!holds) broken++;
    const lost = `${locksLost.length} of ${locks} locks lost ${locksLost.join(' ')}`;
    const critical = `a node critical for ${(criticalMs / 1000).toFixed(1)} s at most`;
    say(`${holds ? 'holds ' : 'BROKEN'} ${what} for ${faultS} s: ${critical}, ${lost}`);
  }
  return broken;
}

async function single(say: Say, program?: string): Promise<number> {
  const all = await AgentProcesses.create(program);
  try {
    const server = await all.server();
    await server.start();
    const agents = await startAgents(all, server);
    const what = `a single ${program === undefined ? 'server' : 'real Consul'} stands still`;
    return await run({ what, servers: [server], agents, frozen: async () => [server] }, say);
  } finally {
    await all.end();
  }
}

async function onRedis(say: Say): Promise<number> {
  const all = await AgentProcesses.create();
  const redis = await startRedis();
  try {
    const config = { bootstrap: false, bootstrap_expect: 3, redis: { url: redis.url } };
    const first = await all.server(config);
    const servers = [first];
    for (const name of ['s2', 's3']) {
      servers.push(await all.agent(name, first, { server: true, ...config }));
    }
    await Promise.all(servers.map((server) => server.start()));
    const agents = await startAgents(all, first);
    let broken = 0;
    const leader = async () => [await leaderOf(servers)];
    const there = { servers, agents };
    broken += await run(
      { ...there, what: 'the server that leads stands still', frozen: leader },
      say,
    );
    broken += await run(
      { ...there, what: 'all servers stand still', frozen: async () => servers },
      say,
    );
    broken += await run({ ...there, what: 'Redis stands still', frozen: async () => [redis] }, say);
    broken += await run(
      { ...there, what: 'Redis is gone', frozen: async () => [gone(redis)] },
      say,
    );
    return broken;
  } finally {
    await all.end();
    await redis.stop();
  }
}

async function leaderOf(servers: readonly AgentProcess[]): Promise<AgentProcess> {
  let leader: AgentProcess | undefined;
  const known = async () => {
    const address = await servers[0]?.get<string>('/v1/status/leader').catch(() => undefined);
    leader = servers.find(({ ports }) => address?.endsWith(`:${ports.server}`));
    return leader !== undefined;
  };
  await until(known, () => 'nobody leads', 30_000);
  return leader as AgentProcess;
}

/** Killed rather than stopped: nobody is kept waiting, and an epoch begins. */
function gone(redis: RedisProcess): { signal(name: NodeJS.Signals): void } {
  return { signal: (name) => void (name === 'SIGSTOP' ? redis.kill() : redis.start()) };
}

async function startAgents(all: AgentProcesses, server: AgentProcess): Promise<AgentProcess[]> {
  const agents: AgentProcess[] = [];
  for (const name of AGENTS) agents.push(await all.agent(name, server));
  await Promise.all(agents.map((agent) => agent.start()));
  return agents;
}

await report(async (say) => {
  const consul = process.env['CONSUL'];
  // For comparison: what it does is not ours to promise.
  if (consul !== undefined) await single(say, consul);
  return (await single(say)) + (await onRedis(say));
});
