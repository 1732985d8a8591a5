/**
 * Many agents, all in this process but each with its own connections, before one real server: the
 * server is away for a while, loses its disk and comes back, and all agents bring what they have at
 * the same time. Says how long until the catalog is whole, and how long reads took meanwhile.
 *
 * node --import tsx spec/system/many-agents.system.ts [AGENTS [SERVICES_OF_EACH [AWAY_SECONDS]]]
 */

import { serviceDefinition, serviceFromConfig } from '../../agent/definitions/service-spec.ts';
import { Heartbeat } from '../../agent/servers/heartbeat.ts';
import { httpCatalog } from '../../agent/servers/http-catalog.ts';
import { ServerList } from '../../agent/servers/server-list.ts';
import { Upstream } from '../../agent/servers/upstream.ts';
import { LocalState } from '../../agent/state/local-state.ts';
import { ALIVE_CHECK } from '../../agent/state/own-entry.ts';
import { AntiEntropy } from '../../agent/sync/anti-entropy.ts';
import { OwnCatalog } from '../../agent/sync/own-catalog.ts';
import { systemClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { until } from '../support/until.ts';

const CLEAR = { options: undefined, isRequired: false, verifies: false, verifiesName: false };

const MAX_WHOLE_AFTER_MS = 10_000;
const WAIT_MS = 120_000;

const [agents = 1000, services = 5, awaySeconds = 10] = process.argv.slice(2).map(Number);

const print = (line: string) => void process.stdout.write(`${line}\n`);

interface Simulated {
  stop(): Promise<void>;
}

function startAgent(name: string, server: AgentProcess): Simulated {
  const clock = systemClock;
  const random = systemRandom;
  const servers = new ServerList(clock, random);
  const Url = `http://127.0.0.1:${server.ports.server}`;
  servers.add([{ ID: 'first', Node: 's1', Datacenter: 'dc1', Url }]);
  const upstream = new Upstream({
    servers,
    clock,
    node: name,
    security: { tls: () => CLEAR, domain: 'consul.' },
  });
  const local = new LocalState();
  const ID = random.uuid();
  const Address = '127.0.0.1';
  const node = { ID, Node: name, Address, Datacenter: 'dc1', TaggedAddresses: null, Meta: null };
  const heartbeat = new Heartbeat({
    upstream,
    servers,
    clock,
    logger: silentLogger,
    beat: () => ({
      body: { ID, Node: name, Address, Datacenter: 'dc1', LanPort: 8301, Tags: {} },
      token: '',
    }),
    on: {
      unknown: () => antiEntropy.unknown(),
      back: () => antiEntropy.resume(),
      lost: () => undefined,
    },
  });
  const own = new OwnCatalog({
    local,
    catalog: httpCatalog({ upstream, node: name, heartbeat }),
    self: { node: () => node, aliveCheck: ALIVE_CHECK, tokens: { agent: '', user: '' } },
  });
  const pace = { checkUpdateIntervalMs: 0, scale: () => 1 };
  const antiEntropy = new AntiEntropy({ own, local, clock, random, logger: silentLogger, pace });
  for (let i = 0; i < services; i++) {
    const definition = serviceDefinition(serviceFromConfig({ id: `${name}-${i}`, name: 'many' }));
    local.putService({ definition, token: '', source: 'api' });
  }
  antiEntropy.start();
  heartbeat.start();
  return {
    async stop() {
      heartbeat.stop();
      const stopped = antiEntropy.stop();
      upstream.stop();
      await stopped;
    },
  };
}

async function count(server: AgentProcess): Promise<number> {
  const found = await server.get<unknown[]>('/v1/catalog/service/many').catch(() => undefined);
  return found?.length ?? 0;
}

/** Until all of it is there; how long each read took goes into `reads`. */
async function untilWhole(server: AgentProcess, reads: number[]): Promise<number> {
  const began = performance.now();
  const whole = async () => {
    const asked = performance.now();
    await server.get('/v1/catalog/node/s1').catch(() => undefined);
    reads.push(performance.now() - asked);
    return (await count(server)) === agents * services;
  };
  await until(whole, () => 'the catalog is not whole', WAIT_MS);
  return performance.now() - began;
}

const processes = await AgentProcesses.create();
const simulated: Simulated[] = [];
try {
  const server = await processes.server();
  await server.start();
  for (let i = 0; i < agents; i++) simulated.push(startAgent(`agent-${i}`, server));
  const first = await untilWhole(server, []);
  print(`${agents} agents with ${services} services each: there after ${Math.round(first)} ms`);
  await server.kill();
  await server.forget();
  await new Promise((resolve) => systemClock.after(awaySeconds * 1000, () => resolve(undefined)));
  await server.start();
  const reads: number[] = [];
  const ms = Math.round(await untilWhole(server, reads));
  const slowest = Math.round(Math.max(...reads));
  print(`away for ${awaySeconds} s with its disk lost: whole ${ms} ms after it answers again`);
  print(`${reads.length} reads meanwhile, the slowest took ${slowest} ms`);
  print(ms <= MAX_WHOLE_AFTER_MS ? 'passed' : `failed: more than ${MAX_WHOLE_AFTER_MS} ms`);
  process.exitCode = ms <= MAX_WHOLE_AFTER_MS ? 0 : 1;
} finally {
  await Promise.all(simulated.map((each) => each.stop()));
  await processes.end();
}
