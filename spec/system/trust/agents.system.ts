/**
 * Real agents before a real server, as clients crowd them, servers are away and containers cannot be
 * looked at: one line a promise.
 *
 *   node --import tsx spec/system/trust/agents.system.ts
 */
import { setMaxListeners } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { type AgentProcess, AgentProcesses } from '../../support/servers/agent-processes.ts';
import { dockerContainerOf, idOf, published } from '../../support/servers/containers.ts';
import { askUdp } from '../../support/servers/dns-client.ts';
import { sleep } from '../../support/sleep.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const CACHED_NAMES = 600;
const WATCHERS = 900;
const CROWD_SECONDS = 12;
const STOP_MS = 8000;
const SERVFAIL = 2;
/** All clients of this experiment have one address. */
const CROWDED = { limits: { http_max_conns_per_client: 10_000 } };

type Say = (line: string) => void;

class Promises {
  readonly #say: Say;
  broken = 0;

  constructor(say: Say) {
    this.#say = say;
  }

  check(promise: string, holds: boolean, seen: string): void {
    if (!holds) this.broken++;
    this.#say(`${holds ? 'holds ' : 'BROKEN'} ${promise}: ${seen}`);
  }
}

const clients = new http.Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });

/** The index of an answer, when it comes; 0 when it does not. */
function get(agent: AgentProcess, target: string, signal?: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const url = `http://127.0.0.1:${agent.ports.http}${target}`;
    const options = { agent: clients, ...(signal !== undefined && { signal }) };
    const request = http.get(url, options, (response) => {
      const ok = response.statusCode === 200;
      response.resume().once('end', () => {
        resolve(ok ? Number(response.headers['x-consul-index']) : 0);
      });
      response.once('error', () => resolve(0));
    });
    request.once('error', () => resolve(0));
  });
}

async function each(count: number, atOnce: number, work: (i: number) => Promise<void>) {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const lines = async (agent: AgentProcess, text: string) =>
  (await agent.log()).split('\n').filter((line) => line.includes(text));

async function statusOf(server: AgentProcess, node: string): Promise<string> {
  const checks = await server.get<{ CheckID: string; Status: string }[]>(`/v1/health/node/${node}`);
  return checks?.find(({ CheckID }) => CheckID === 'serfHealth')?.Status ?? 'none';
}

const statusOfJoin = async (agent: AgentProcess, server: AgentProcess) => {
  const target = `/v1/agent/join/127.0.0.1:${server.ports.serf_lan}`;
  const url = `http://127.0.0.1:${agent.ports.http}${target}`;
  const answer = await fetch(url, { method: 'PUT' });
  return `${answer.status} ${(await answer.text()).trim().replace(/\s+/g, ' ')}`;
};

/** 600 cached names and 900 watchers through one agent. */
async function crowd(server: AgentProcess, agent: AgentProcess, promises: Promises) {
  let cached = 0;
  await each(CACHED_NAMES, 100, async (i) => {
    if ((await get(agent, `/v1/health/service/cached-${i}?cached`)) > 0) cached++;
  });
  promises.check('cached names are answered', cached === CACHED_NAMES, `${cached} of 600`);
  const gone = new AbortController();
  setMaxListeners(0, gone.signal);
  const early: string[] = [];
  await each(WATCHERS, 100, async (i) => {
    const target = `/v1/health/service/watched-${i}`;
    // On a busy machine a server may take longer for one than an agent waits for it: no index, no wait.
    let index = 0;
    await until(async () => {
      index = await get(agent, target);
      return index > 0;
    });
    void get(agent, `${target}?index=${index}&wait=300s`, gone.signal).then((next) => {
      if (!gone.signal.aborted) early.push(`${index} to ${next}`);
    });
  });
  const statuses = new Set<string>();
  let slowest = 0;
  let failures = 0;
  const timed = async (work: () => Promise<boolean>) => {
    const began = performance.now();
    if (!(await work().catch(() => false))) failures++;
    slowest = Math.max(slowest, performance.now() - began);
  };
  for (let second = 0; second < CROWD_SECONDS; second++) {
    statuses.add(await statusOf(server, agent.node));
    const service = { ID: `own-${second}`, Name: 'own' };
    await timed(async () => (await agent.put('/v1/agent/service/register', service)) === 200);
    await timed(async () => (await agent.put(`/v1/kv/k${second}`, service)) === 200);
    const question = { name: 'own.service.consul', type: 'A' } as const;
    await timed(async () => (await askUdp(agent.ports.dns, question)).rcode === 0);
    await sleep(1000);
  }
  const seen = [...statuses].join();
  promises.check(
    'its beats go on beside 600 cached names and 900 watchers',
    seen === 'passing',
    seen,
  );
  const own = (await server.get<unknown[]>('/v1/catalog/service/own')) ?? [];
  const told = own.length === CROWD_SECONDS && failures === 0;
  promises.check(
    'its registrations, writes and DNS too',
    told && slowest < 2000,
    `${own.length} of ${CROWD_SECONDS} there, ${failures} failed, slowest ${slowest.toFixed(0)} ms`,
  );
  const answered = `${early.length} of 900 were answered early ${[...new Set(early)].join()}`;
  promises.check('its watchers wait', early.length === 0, answered.trim());
  gone.abort();
  await sleep(1000);
  const errors = await lines(agent, '[ERROR]');
  promises.check(
    'watchers that go away are no error',
    errors.length === 0,
    `${errors.length} lines`,
  );
}

async function stops(agent: AgentProcess, promise: string, promises: Promises) {
  const began = performance.now();
  await agent.kill('SIGTERM');
  const ms = performance.now() - began;
  promises.check(promise, ms < STOP_MS, `${ms.toFixed(0)} ms`);
}

/** Its server is nowhere. */
async function lonely(agents: AgentProcesses, promises: Promises) {
  const nowhere = { ports: { serf_lan: 1 } } as AgentProcess;
  const agent = await agents.agent('lonely', nowhere);
  await agent.start();
  await sleep(10_000);
  const failed = await lines(agent, 'Failed to join');
  promises.check(
    'retry_join says once why it fails',
    failed.length === 1,
    `${failed.length} lines`,
  );
  const { rcode } = await askUdp(agent.ports.dns, { name: 'web.service.consul', type: 'A' });
  promises.check('DNS without a server is SERVFAIL', rcode === SERVFAIL, `code ${rcode}`);
  await stops(agent, 'an agent without a server stops', promises);
  const errors = await lines(agent, '[ERROR]');
  promises.check('and calls nothing an error', errors.length === 0, errors.join() || 'no line');
}

async function strangers(agents: AgentProcesses, server: AgentProcess, promises: Promises) {
  const other = await agents.agent('other', server, { datacenter: 'dc2' });
  await other.start();
  const answer = await statusOfJoin(other, server);
  const told = answer.startsWith('500') && answer.includes("part of wrong datacenter 'dc1'");
  promises.check('an agent of another data centre is told so', told, answer);
  await other.kill('SIGTERM');
  const twin = await agents.agent('twin', server, { node_name: 'a1', data_dir: other.dataDir });
  await twin.start();
  const refusal = await statusOfJoin(twin, server);
  promises.check('one with a taken name is told so', /^500 .*reserved/.test(refusal), refusal);
  await sleep(3000);
  const errors = await lines(twin, 'refuse this agent');
  promises.check('and says so once', errors.length === 1, `${errors.length} lines`);
  await twin.kill('SIGTERM');
  const status = await statusOf(server, 'a1');
  promises.check('and takes nothing of the other with it', status === 'passing', status);
}

/** A daemon of which one container cannot be looked at. */
async function fakeDocker(socket: string) {
  const bad = { broken: true, looks: 0 };
  const container = (name: string, host: number) =>
    dockerContainerOf({ name, ports: published({ 80: host }) });
  const all = [container('good', 18_001), container('bad', 18_002), container('fine', 18_003)];
  const daemon = http.createServer((request, response) => {
    const target = request.url ?? '';
    const [, id] = /^\/containers\/(\w{64})\/json/.exec(target) ?? [];
    if (target.startsWith('/events')) {
      response.flushHeaders();
      return;
    }
    if (id === undefined) {
      response.end(JSON.stringify(all.map(({ Id }) => ({ Id }))));
      return;
    }
    if (id === idOf('bad')) bad.looks++;
    const broken = id === idOf('bad') && bad.broken;
    response.writeHead(broken ? 500 : 200);
    const found = all.find(({ Id }) => Id === id);
    response.end(JSON.stringify(broken ? { message: 'driver failed' } : found));
  });
  await new Promise<void>((resolve) => daemon.listen(socket, resolve));
  const stop = () => {
    daemon.closeAllConnections();
    daemon.close();
  };
  return { bad, stop };
}

async function containers(agents: AgentProcesses, server: AgentProcess, promises: Promises) {
  const agent = await agents.agent('docks', server);
  const socket = `${path.dirname(agent.dataDir)}/docker.sock`;
  const { bad, stop } = await fakeDocker(socket);
  const docker = { enabled: true, endpoint: `unix://${socket}`, hostname: 'h' };
  const docks = await agents.agent('docks2', server, { docker });
  await docks.start();
  const ids = async () => Object.keys((await docks.get<object>('/v1/agent/services')) ?? {});
  await until(async () => (await ids()).length === 2);
  const found = await ids();
  promises.check('containers beside one that cannot be looked at are there', true, found.join());
  await sleep(15_000);
  const { looks } = bad;
  promises.check(
    'that one is looked at now and then',
    looks >= 2 && looks <= 8,
    `${looks} in 15 s`,
  );
  const said = await lines(docks, 'cannot be looked at');
  promises.check('and said to be so once', said.length === 1, said.join() || 'no line');
  bad.broken = false;
  await until(
    async () => (await ids()).length === 3,
    () => 'not registered',
    35_000,
  );
  promises.check('and registered once it can be', true, (await ids()).join());
  await docks.kill('SIGTERM');
  stop();
}

await report(async (say) => {
  const promises = new Promises(say);
  const agents = await AgentProcesses.create();
  try {
    const server = await agents.server();
    await server.start();
    const agent = await agents.agent('a1', server, CROWDED);
    await agent.start();
    await until(async () => (await statusOf(server, 'a1')) === 'passing');
    await crowd(server, agent, promises);
    await strangers(agents, server, promises);
    await lonely(agents, promises);
    await containers(agents, server, promises);
    process.kill(server.pid, 'SIGSTOP');
    try {
      await sleep(1000);
      await stops(agent, 'an agent whose server hangs stops', promises);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
  } finally {
    await agents.end();
  }
  return promises.broken;
}, SHORT_MS);
