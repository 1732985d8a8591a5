/** Where a day is spent, and what happens there at its half. */
import {
  type AgentConfig,
  type AgentProcess,
  AgentProcesses,
} from '../../spec/support/servers/agent-processes.ts';
import {
  type RedisProcess,
  startSentinels,
  stopAllRedis,
} from '../../spec/support/servers/redis.ts';
import { ticksOf } from '../compare/registry.ts';

const TICKS_PER_S = 100;
const COMMON = {
  log_level: 'ERROR',
  limits: { http_max_conns_per_client: 10_000 },
  performance: { raft_multiplier: 1 },
};
const SERVERS = 3;

export interface Place {
  /** Of a server that stays, where the catalog is filled. */
  readonly port: number;
  /** The ports of whoever is asked. */
  readonly asked: readonly number[];
  /** What they took of a processor so far: all that the registry is made of, and the agents before it. */
  used(): Promise<{ readonly serverS: number; readonly agentsS: number }>;
  /** What happens at the half; with the processor time that those had used who have ended with it. */
  happens(): Promise<number>;
  end(): Promise<void>;
}

export interface Wanted {
  /** Whether everything goes through two client agents. */
  readonly agents: boolean;
  /** '' for nothing. */
  readonly during: string;
  /** A Consul, whose servers agree by themselves; else whatever orders our writes is a Redis. */
  readonly isConsul?: boolean;
}

/** Of a Consul or another build of Proconsul; undefined is this one. */
export async function placeFor(program: string | undefined, wanted: Wanted): Promise<Place> {
  const processes = await AgentProcesses.create(program);
  try {
    if (wanted.during !== 'failover') return await oneServer(processes, wanted);
    return await (wanted.isConsul === true ? threeConsuls(processes) : threeOnRedis(processes));
  } catch (error) {
    await processes.end();
    throw error;
  }
}

async function oneServer(processes: AgentProcesses, { agents, during }: Wanted): Promise<Place> {
  const server = await processes.server(COMMON);
  const names = agents ? ['a1', 'a2'] : [];
  const before = await Promise.all(names.map((name) => processes.agent(name, server, COMMON)));
  for (const each of [server, ...before]) await each.start();
  await untilLed([server]);
  return {
    port: server.ports.http,
    asked: portsOf(agents ? before : [server]),
    used: async () => ({ serverS: await secondsOf([server]), agentsS: await secondsOf(before) }),
    async happens() {
      if (during === 'snapshot') {
        await (await fetch(`http://127.0.0.1:${server.ports.http}/v1/snapshot`)).arrayBuffer();
      }
      if (during !== 'restart') return 0;
      const used = await secondsOf([server]);
      await server.kill('SIGTERM');
      await server.start();
      return used;
    },
    end: () => processes.end(),
  };
}

/** Of three servers the one that leads is killed; the other two are asked. */
async function threeConsuls(processes: AgentProcesses): Promise<Place> {
  const servers = await serversOf(processes, { bootstrap: false, bootstrap_expect: SERVERS });
  await untilLed(servers);
  const at = await servers[0]?.get<string>('/v1/status/leader');
  const leader = servers.find(({ ports }) => at?.endsWith(`:${ports.server}`));
  if (leader === undefined) throw new Error(`nobody is at ${at}, which leads`);
  const others = servers.filter((each) => each !== leader);
  const asked = portsOf(others);
  let living = servers;
  return {
    port: asked[0] as number,
    asked,
    used: async () => ({ serverS: await secondsOf(living), agentsS: 0 }),
    async happens() {
      const used = await secondsOf([leader]);
      living = others;
      await leader.kill();
      return used;
    },
    end: () => processes.end(),
  };
}

/** Three servers on a Redis with two replicas and three Sentinels, and the master is killed; two of them are asked. */
async function threeOnRedis(processes: AgentProcesses): Promise<Place> {
  const { url, redis, sentinels, master } = await startSentinels();
  const servers = await serversOf(processes, { bootstrap: false, redis: { url } });
  await untilLed(servers);
  let living: readonly RedisProcess[] = [...redis, ...sentinels];
  const asked = portsOf(servers.slice(1));
  return {
    port: asked[0] as number,
    asked,
    used: async () => ({ serverS: await secondsOf([...servers, ...living]), agentsS: 0 }),
    async happens() {
      const first = await master();
      const used = await secondsOf([first]);
      living = living.filter((each) => each !== first);
      await first.kill();
      return used;
    },
    async end() {
      await processes.end();
      await stopAllRedis();
    },
  };
}

async function serversOf(
  processes: AgentProcesses,
  config: AgentConfig,
): Promise<readonly AgentProcess[]> {
  const first = await processes.server({ ...COMMON, ...config });
  const others = await Promise.all(
    Array.from({ length: SERVERS - 1 }, (_, i) =>
      processes.agent(`s${i + 2}`, first, { ...COMMON, ...config, server: true }),
    ),
  );
  const all = [first, ...others];
  await Promise.all(all.map((each) => each.start()));
  return all;
}

async function untilLed(servers: readonly AgentProcess[]): Promise<void> {
  for (const server of servers) {
    while (!(await server.get('/v1/status/leader').catch(() => ''))) await pause(100);
  }
}

function portsOf(some: readonly AgentProcess[]): readonly number[] {
  return some.map(({ ports }) => ports.http);
}

async function secondsOf(some: readonly { readonly pid: number }[]): Promise<number> {
  const ticks = await Promise.all(some.map(({ pid }) => ticksOf(pid)));
  return ticks.reduce((a, b) => a + b, 0) / TICKS_PER_S;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
