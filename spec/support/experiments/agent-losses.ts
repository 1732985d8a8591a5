/**
 * What must hold when agents and servers are lost: one server and two agents as real processes,
 * killed and brought back. Each verdict says what was measured.
 */
import { type AgentProcess, AgentProcesses } from '../servers/agent-processes.ts';
import { until } from '../until.ts';

export interface Verdict {
  readonly what: string;
  readonly ms: number;
  readonly maxMs: number;
}

interface HealthInstance {
  readonly Node: { readonly Node: string };
}

const WAIT_MS = 30_000;

/** `services` are registered with each of the two agents. */
export async function loseAgentsAndServers(
  services: number,
  tell: (verdict: Verdict) => void = () => undefined,
): Promise<readonly Verdict[]> {
  const processes = await AgentProcesses.create();
  const verdicts: Verdict[] = [];
  const measure = async (what: string, maxMs: number, reached: () => Promise<boolean>) => {
    const began = performance.now();
    await until(reached, () => what, WAIT_MS);
    const verdict = { what, ms: Math.round(performance.now() - began), maxMs };
    verdicts.push(verdict);
    tell(verdict);
  };
  try {
    await lose(processes, services, measure);
  } finally {
    await processes.end();
  }
  return verdicts;
}

type Measure = (what: string, maxMs: number, reached: () => Promise<boolean>) => Promise<void>;

async function lose(processes: AgentProcesses, services: number, measure: Measure): Promise<void> {
  const server = await processes.server();
  const a = await processes.agent('a', server);
  const b = await processes.agent('b', server);
  // The agents first: they answer, and take registrations, before there is any server.
  await a.start();
  await b.start();
  await registerAll(a, services);
  await server.start();
  await registerAll(b, services);
  const all = () => hasAll(b, services * 2);
  await measure('what was registered before any server was there is in the catalog', 10_000, all);
  await a.put('/v1/agent/service/register', { Name: 'late', Port: 1 });
  await measure('registered with one agent, found through the other', 500, () => passes(b, 'late'));

  await a.kill();
  await measure('a killed agent’s services are no longer passing', 10_000, () => fails(b, 'late'));
  await a.start();
  await measure('of an agent that is back they are passing again', 2000, () => passes(b, 'late'));

  await server.kill();
  await server.forget();
  await server.start();
  await measure('the catalog of a server that lost its disk is whole again', 10_000, all);

  await a.kill();
  await measure(
    'killed again, it is a failed member',
    10_000,
    async () => (await status(b, 'a')) === 4,
  );
  await b.put('/v1/agent/force-leave/a');
  await measure('forced to leave, it is gone with its services', 1000, async () => {
    const node = await b.get('/v1/catalog/node/a');
    return (await status(b, 'a')) === 3 && node === null;
  });

  const other = await processes.agent('a', server, { data_dir: `${a.dataDir}-new` });
  await other.start();
  await measure('a new machine of the same name is let in', 5000, async () => {
    return (await status(b, 'a')) === 1 && (await b.get('/v1/catalog/node/a')) !== null;
  });
}

/** Several at a time, as containers do that start together. */
const AT_ONCE = 16;

async function registerAll(agent: AgentProcess, services: number): Promise<void> {
  const ids = Array.from({ length: services }, (_, i) => `${agent.node}-${i}`);
  const one = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      const Check = { TTL: '1h', Status: 'passing' };
      await agent.put('/v1/agent/service/register', { ID: id, Name: 'many', Port: 80, Check });
      // What nobody has reported on is critical after a restart of the agent.
      await agent.put(`/v1/agent/check/pass/service:${id}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function hasAll(agent: AgentProcess, count: number): Promise<boolean> {
  const found = await agent.get<HealthInstance[]>('/v1/health/service/many?passing');
  return found?.length === count;
}

async function passes(agent: AgentProcess, service: string): Promise<boolean> {
  const found = await agent.get<HealthInstance[]>(`/v1/health/service/${service}?passing`);
  return found?.length === 1;
}

async function fails(agent: AgentProcess, service: string): Promise<boolean> {
  const found = await agent.get<HealthInstance[]>(`/v1/health/service/${service}?passing`);
  return found?.length === 0;
}

async function status(agent: AgentProcess, node: string): Promise<number | undefined> {
  const members = await agent.get<{ Name: string; Status: number }[]>('/v1/agent/members');
  return members?.find(({ Name }) => Name === node)?.Status;
}
