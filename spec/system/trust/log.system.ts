/**
 * What one client may do to others through the log, and what a disk may: a huge registration beside
 * writers, the beats of 3,000 agents, a name taken twice, agents forced out, a full disk. One line a
 * promise. The full disk needs root, to mount one of its own.
 *
 *   node --import tsx spec/system/trust/log.system.ts
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MEMBER_STATUS } from '../../../lib/membership.ts';
import { Members } from '../../../server/cluster/members.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import { State } from '../../../server/state/state.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { type AgentProcess, AgentProcesses } from '../../support/servers/agent-processes.ts';
import { startRedis } from '../../support/servers/redis.ts';
import { sleep } from '../../support/sleep.ts';
import { until } from '../../support/until.ts';
import { report, SHORT_MS } from '../report.ts';

const WRITERS = 16;
const AGENTS = 3000;
const MAX_BEAT_MS = 0.2;
const DISK_MB = 24;
const FILLER_BYTES = 6 * 1024 * 1024;
const VALUE = 'x'.repeat(100_000);

class Promises {
  readonly #say: (line: string) => void;
  broken = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  check(promise: string, holds: boolean, seen: string): void {
    if (!holds) this.broken++;
    this.#say(`${holds ? 'holds ' : 'BROKEN'} ${promise}: ${seen}`);
  }
}

async function put({ ports }: AgentProcess, target: string, body = ''): Promise<number> {
  const url = `http://127.0.0.1:${ports.http}${target}`;
  const answer = await fetch(url, { method: 'PUT', body });
  await answer.arrayBuffer();
  return answer.status;
}

async function hugeRegistration(server: AgentProcess, promises: Promises): Promise<void> {
  const body = `{"Node":"x","Address":"::1","Checks":[${'{},'.repeat(340_000)}{}]}`;
  const statuses: number[] = [];
  let slowestMs = 0;
  let going = true;
  const writers = Array.from({ length: WRITERS }, async (_, i) => {
    while (going) {
      const began = performance.now();
      statuses.push(await put(server, `/v1/kv/writer-${i}`, `${statuses.length}`));
      slowestMs = Math.max(slowestMs, performance.now() - began);
    }
  });
  const refused: number[] = [];
  for (let i = 0; i < 5; i++) refused.push(await put(server, '/v1/catalog/register', body));
  going = false;
  await Promise.all(writers);
  const failed = statuses.filter((status) => status !== 200).length;
  promises.check(
    'a huge registration fails no other write',
    failed === 0 && refused.every((status) => status >= 400 && status < 500),
    `${failed} of ${statuses.length} writes failed, the slowest took ${slowestMs.toFixed(0)} ms; it was answered ${[...new Set(refused)]}`,
  );
}

/** In this process, so that only a beat is measured, and not HTTP. */
async function beats(promises: Promises): Promise<void> {
  const state = new State();
  const named = (i: number) => `node-${(i * 7919) % AGENTS}`;
  const Tags = { role: 'node', build: '1.8.7', dc: 'dc1' };
  for (let i = 0; i < AGENTS; i++) {
    const row = { ID: `id-${i}`, Node: named(i), Address: '10.0.0.1', Port: 8301, Tags };
    state.members.set(row.Node, { ...row, Status: MEMBER_STATUS.alive, since: 1 });
  }
  const members = new Members({
    state: () => state,
    propose: async () => ({ applied: true }),
    leases: new MemoryLeases(new FakeClock()),
    datacenter: 'dc1',
  });
  const beat = (i: number) =>
    members.beat({
      ID: `id-${i}`,
      Node: named(i),
      Address: '10.0.0.1',
      Datacenter: 'dc1',
      LanPort: 8301,
      Tags,
    });
  for (let i = 0; i < AGENTS; i++) await beat(i);
  const cpu = process.cpuUsage();
  for (let i = 0; i < AGENTS; i++) await beat(i);
  const { user, system } = process.cpuUsage(cpu);
  const ms = (user + system) / 1000 / AGENTS;
  const seen = `${ms.toFixed(4)} ms of a processor`;
  promises.check(
    `a beat among ${AGENTS} agents costs less than ${MAX_BEAT_MS} ms`,
    ms < MAX_BEAT_MS,
    seen,
  );
}

/** What another one could take from an agent: its node, a service, a lock. */
class Owner {
  readonly #server: AgentProcess;
  readonly #agent: AgentProcess;
  #session = '';

  constructor(server: AgentProcess, agent: AgentProcess) {
    this.#server = server;
    this.#agent = agent;
  }

  async take(): Promise<void> {
    await put(this.#agent, '/v1/agent/service/register', '{"Name":"web","Port":80}');
    const url = `http://127.0.0.1:${this.#agent.ports.http}/v1/session/create`;
    const create = async () => {
      const answer = await fetch(url, { method: 'PUT' });
      if (answer.status === 200) this.#session = ((await answer.json()) as { ID: string }).ID;
      return this.#session !== '';
    };
    await until(create, () => 'no session', 30_000);
    await put(this.#agent, `/v1/kv/lock?acquire=${this.#session}`);
    await until(
      async () => (await this.missing()).length === 0,
      () => 'not all is there',
      30_000,
    );
  }

  async missing(): Promise<string[]> {
    const { node } = this.#agent;
    const [row] = (await this.#server.get<{ Session?: string }[]>('/v1/kv/lock')) ?? [];
    const web = await this.#server.get<{ Node: string }[]>('/v1/health/service/web?passing');
    const members = await this.#server.get<{ Name: string; Status: number }[]>('/v1/agent/members');
    const alive = members?.some(({ Name, Status }) => Name === node && Status === 1);
    return [
      ...(row?.Session === this.#session ? [] : ['lock']),
      ...(web?.length === 1 ? [] : ['service']),
      ...(alive === true ? [] : ['member']),
    ];
  }
}

async function othersNames(promises: Promises): Promise<void> {
  const all = await AgentProcesses.create();
  try {
    const server = await all.server();
    await server.start();
    await hugeRegistration(server, promises);
    const agent = await all.agent('n2', server);
    await agent.start();
    const owner = new Owner(server, agent);
    await owner.take();

    const statuses: number[] = [];
    for (const query of ['', '?prune'])
      statuses.push(await put(server, `/v1/agent/force-leave/n2${query}`));
    await sleep(3000);
    const forced = await owner.missing();
    const untouched = forced.length === 0 && statuses.every((status) => status === 200);
    promises.check(
      'force-leave touches nothing of an agent that lives',
      untouched,
      `gone: ${forced}; ${statuses}`,
    );

    const folder = await mkdtemp(join(tmpdir(), 'proconsul-twin-'));
    const twin = await all.agent('n2', server, { data_dir: folder, leave_on_terminate: true });
    await twin.start();
    await sleep(4000);
    await put(twin, '/v1/agent/leave');
    await twin.kill('SIGTERM');
    await sleep(3000);
    const taken = await owner.missing();
    const told = /Node name n2 is reserved by node/.test(await agent.log());
    promises.check(
      'a second agent of a name takes nothing with it when it goes',
      taken.length === 0 && told,
      `gone: ${taken}`,
    );
    await rm(folder, { recursive: true, force: true });

    const stranger = await all.agent('far', server, { datacenter: 'dc2' });
    await stranger.start();
    await sleep(3000);
    const log = await stranger.log();
    const joined = /joined|in touch with/i.test(log);
    promises.check(
      'an agent of another data centre is told so',
      /dc1/.test(log) && !joined,
      lastLine(log),
    );
  } finally {
    await all.end();
  }
}

async function twinServers(promises: Promises): Promise<void> {
  const all = await AgentProcesses.create();
  const redis = await startRedis();
  try {
    const config = { redis: { url: redis.url } };
    const first = await all.server(config);
    await first.start();
    const folder = await mkdtemp(join(tmpdir(), 'proconsul-twin-'));
    const second = await all.server({ ...config, data_dir: folder });
    await second.start();
    const ended = async () => second.exitCode !== undefined;
    const did = await until(ended, () => '', 60_000).then(
      () => true,
      () => false,
    );
    promises.check('a second server of a name ends', did, `code ${second.exitCode}`);
    await rm(folder, { recursive: true, force: true });
  } finally {
    await all.end();
    await redis.stop();
  }
}

async function fullDisk(promises: Promises): Promise<void> {
  if (process.getuid?.() !== 0) return promises.check('a full disk', true, 'not tried: needs root');
  const disk = await mkdtemp(join(tmpdir(), 'proconsul-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', disk]);
  const all = await AgentProcesses.create();
  try {
    const server = await all.server({ data_dir: join(disk, 'data') });
    await server.start();
    const filler = join(disk, 'filler');
    await writeFile(filler, Buffer.alloc(FILLER_BYTES));
    let acked = 0;
    const write = async () => {
      const status = await put(server, `/v1/kv/v/${acked}`, VALUE);
      if (status === 200) acked++;
      return status;
    };
    let status = 200;
    while (status === 200) status = await write();
    const small = await put(server, '/v1/kv/small', VALUE);
    const count = async (query: string) =>
      (await server.get<string[]>(`/v1/kv/v/?keys${query}`))?.length ?? 0;
    const served = [await count(''), await count('&stale')];
    const all500 = status === 500 && small === 500;
    const serves = served.every((found) => found === acked);
    promises.check(
      'a full disk refuses writes, and reads go on',
      all500 && serves,
      `${status} after ${acked} writes, ${served} read`,
    );

    await server.kill();
    const startMs = await server.start();
    const again = [await count(''), await count('&stale')];
    const refused = await write();
    const started = again.every((found) => found === acked) && refused === 500;
    promises.check(
      'a start on a full disk serves what there is',
      started,
      `${again} of ${acked} after ${startMs.toFixed(0)} ms, a write ${refused}`,
    );

    await rm(filler, { force: true });
    const before = acked;
    const goesOn = await until(
      async () => (await write()) === 200,
      () => '',
      10_000,
    ).then(
      () => true,
      () => false,
    );
    await server.kill();
    await server.start();
    const last = await count('');
    promises.check(
      'writes go on by themselves when there is room',
      goesOn && last === acked,
      `${acked - before} more, ${last} of ${acked} after a restart`,
    );
  } finally {
    await all.end();
    execFileSync('umount', ['-l', disk]);
    await rm(disk, { recursive: true, force: true });
  }
}

function lastLine(log: string): string {
  return log.trim().split('\n').at(-1) ?? '';
}

await report(async (say) => {
  const promises = new Promises(say);
  await beats(promises);
  await othersNames(promises);
  await twinServers(promises);
  await fullDisk(promises);
  return promises.broken;
}, SHORT_MS);
