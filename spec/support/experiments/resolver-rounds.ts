/** A server and an agent as real processes, and real resolvers that ask them by DNS. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AgentProcess, AgentProcesses } from '../servers/agent-processes.ts';
import { askTcp, askUdp, type Question } from '../servers/dns-client.ts';
import { Resolver } from '../servers/resolvers.ts';
import { until } from '../until.ts';

type Say = (line: string) => void;

const WEB = 'web.service.consul';
const BIG = 'big.service.consul';
const BIG_INSTANCES = 100;
const SETTLE_MS = 20_000;

interface Scene {
  readonly server: AgentProcess;
  readonly agent: AgentProcess;
}

/** Runs everything once; throws where a resolver does not see what is there. */
export async function throughResolvers(say: Say): Promise<void> {
  const processes = await AgentProcesses.create();
  const ending: { stop(): Promise<void> }[] = [];
  try {
    // Resolvers come again over TCP when they are told that they lack something.
    const server = await processes.server({ dns_config: { enable_truncate: true } });
    await server.start();
    const agent = await processes.agent('a1', server);
    await agent.start();
    await registerBig(server);
    const scene = { server, agent };
    for (const name of ['unbound', 'dnsmasq'] as const) {
      const resolver = await Resolver[name](server.ports.dns);
      ending.push(resolver);
      await throughResolver(name, resolver, scene);
      say(`${name}: A, SRV, all ${BIG_INSTANCES} instances, a change, a name that was not there`);
    }
    await throughHaproxy(scene, ending, say);
    await throughAgent(scene, say);
  } finally {
    for (const each of ending.reverse()) await each.stop();
    await processes.end();
  }
}

async function registerBig(server: AgentProcess): Promise<void> {
  for (let i = 0; i < BIG_INSTANCES; i++) {
    const Service = { ID: `big-${i}`, Service: 'big', Port: 8000 + i };
    await server.put('/v1/catalog/register', { Node: `b-${i}`, Address: `10.1.0.${i}`, Service });
  }
}

async function register(server: AgentProcess, id: string, port = 80): Promise<void> {
  const Service = { ID: id, Service: 'web', Address: '127.0.0.1', Port: port };
  await server.put('/v1/catalog/register', { Node: id, Address: '127.0.0.1', Service });
}

function deregister(server: AgentProcess, node: string): Promise<number> {
  return server.put('/v1/catalog/deregister', { Node: node });
}

async function ports(port: number, name: string, ask = askUdp): Promise<number[]> {
  const question: Question = { name, type: 'SRV', edns: 1232 };
  const { answers } = await ask(port, question);
  return answers.map(({ data }) => Number(data.split(' ')[2])).sort((a, b) => a - b);
}

async function throughResolver(name: string, { port }: Resolver, { server }: Scene) {
  assert.equal((await askUdp(port, { name: WEB, type: 'A' })).rcode, 3, `${name}: NXDOMAIN`);
  await register(server, 'w1', 81);
  await register(server, 'w2', 82);
  const sees = async (wanted: readonly number[]) => {
    let seen: number[] = [];
    const same = async () => {
      seen = await ports(port, WEB);
      return seen.join() === wanted.join();
    };
    await until(same, () => `${name} sees ${seen.join()}, not ${wanted.join()}`, SETTLE_MS);
  };
  await sees([81, 82]);
  const { answers } = await askUdp(port, { name: WEB, type: 'A' });
  assert.deepEqual(
    answers.map(({ data }) => data),
    ['127.0.0.1'],
  );
  const first = await askUdp(port, { name: BIG, type: 'SRV', edns: 1232 });
  assert.equal(first.flags.tc, true, `${name}: not all fit`);
  assert.equal((await ports(port, BIG, askTcp)).length, BIG_INSTANCES, `${name} over TCP`);
  await deregister(server, 'w1');
  await sees([82]);
  await deregister(server, 'w2');
}

/** Answers with its own name. */
async function serveName(name: string): Promise<Server> {
  const server = createServer((_, response) => response.end(name));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

async function throughHaproxy({ server }: Scene, ending: { stop(): Promise<void> }[], say: Say) {
  const backends = new Map<string, number>();
  for (const name of ['h1', 'h2', 'h3']) {
    const backend = await serveName(name);
    backends.set(name, (backend.address() as AddressInfo).port);
    ending.push({
      async stop() {
        backend.closeAllConnections();
        backend.close();
      },
    });
  }
  const add = (name: string) => register(server, name, backends.get(name));
  await add('h1');
  await add('h2');
  const haproxy = await Resolver.haproxy(server.ports.dns, '_web._tcp.service.consul');
  ending.push(haproxy);
  const reaches = async (wanted: string) => {
    let seen = '';
    const same = async () => {
      const names = await Promise.all(Array.from({ length: 12 }, () => nameBehind(haproxy.port)));
      seen = [...new Set(names)].sort().join();
      return seen === wanted;
    };
    await until(same, () => `haproxy reaches ${seen}, not ${wanted}`, SETTLE_MS);
  };
  await reaches('h1,h2');
  await add('h3');
  await reaches('h1,h2,h3');
  await deregister(server, 'h1');
  await reaches('h2,h3');
  say('haproxy: a server template follows SRV records as instances come and go');
}

async function nameBehind(port: number): Promise<string> {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    return answer.status === 200 ? await answer.text() : `status ${answer.status}`;
  } catch {
    return 'nobody';
  }
}

/** Last of all: the server is gone after this. */
async function throughAgent({ server, agent }: Scene, say: Say): Promise<void> {
  const ask = async () => (await ports(agent.ports.dns, BIG, askTcp)).length;
  await until(
    async () => (await ask()) === BIG_INSTANCES,
    () => 'no answer',
    SETTLE_MS,
  );
  await server.kill();
  assert.equal(await ask(), BIG_INSTANCES);
  const unknown = await askUdp(agent.ports.dns, { name: 'db.service.consul', type: 'A' });
  assert.equal(unknown.rcode, 2, 'what was never asked is SERVFAIL');
  say('an agent without a server: answers from memory after the server was killed');
}
