/**
 * Fifty thousand agents beat and sync against real servers on one real Redis. Then all servers are killed, and
 * come back: within a minute every agent is heard again, none is called dead that lives, and whoever reads
 * meanwhile is answered. Says what a beat takes, in processor time, of whom.
 *
 *   node --import tsx spec/system/agents-50000.system.ts [agents, 50000] [services of each, 1] [servers, 3]
 *
 * The agents are the product's own parts, each with connections of its own; a process has 5,000 of them, for no
 * process may have more than 20,000 open files here.
 */
import { setPriority } from 'node:os';
import { AgentCrowd } from '../support/experiments/agent-crowd.ts';
import { processorSeconds, residentMb } from '../support/processor.ts';
import { Cluster } from '../support/servers/cluster.ts';
import { startRedis } from '../support/servers/redis.ts';
import { sleep } from '../support/sleep.ts';
import { report } from './report.ts';

const [agents = 50_000, services = 1, servers = 3] = process.argv.slice(2).map(Number);
/** With servers, Redis and agents on two cores: of more at once each would wait for those that came before. */
const JOINS_A_SECOND = 100;
const STEADY_MS = 20_000;
const AWAY_MS = 10_000;
/** The bar. */
const OVER_WITHIN_MS = 60_000;
const READS_P99_MS = 1000;
/** Agents have machines of their own: no server waits for a processor until one who plays agents is through. */
const BEFORE_AGENTS = -15;
const PATIENCE_MS = 900_000;

interface Usage {
  readonly Usage: Record<string, { readonly Nodes: number; readonly ServiceInstances: number }>;
}

await report(async (say) => {
  const redis = await startRedis({ args: ['--appendfsync', 'everysec'] });
  const cluster = await Cluster.start({ servers, redisUrl: redis.url });
  const crowd = new AgentCrowd();
  process.once('exit', () => crowd.end());
  const [first] = cluster.servers;
  const get = async <T>(path: string) => (await first?.ask('GET', path))?.json as T;
  const pids = () => cluster.servers.map(({ pid }) => pid);
  const redisPid = Number(/process_id:(\d+)/.exec(await redis.admin.info('server'))?.[1]);
  const putFirst = (some: readonly number[]) => {
    // Nobody but root may.
    if (process.getuid?.() === 0) for (const pid of some) setPriority(pid, BEFORE_AGENTS);
  };
  const used = () => ({
    servers: pids().reduce((sum, pid) => sum + processorSeconds(pid), 0),
    redis: processorSeconds(redisPid),
    agents: crowd.processorSeconds(),
  });
  const dead = async () =>
    ((await get<{ Node: string; CheckID: string }[]>('/v1/health/state/critical')) ?? []).length;

  async function untilHeard(from: number): Promise<number> {
    while ((await crowd.count()).heard < agents) {
      if (performance.now() - from > PATIENCE_MS) return Number.POSITIVE_INFINITY;
      await sleep(250);
    }
    return performance.now() - from;
  }

  async function untilRegistered(): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      const usage = (await get<Usage>('/v1/operator/usage').catch(() => undefined))?.Usage;
      const [of] = Object.values(usage ?? {});
      if ((of?.Nodes ?? 0) >= agents && (of?.ServiceInstances ?? 0) >= agents * services) return;
      if (performance.now() > until) throw new Error(`not whole: ${JSON.stringify(usage)}`);
      await sleep(500);
    }
  }

  /** What a reader waits who asks for another node each few milliseconds. */
  function reading() {
    const waits: number[] = [];
    let isOver = false;
    const done = (async () => {
      for (let i = 0; !isOver; i++) {
        const from = performance.now();
        const answer = await first
          ?.ask('GET', `/v1/catalog/node/agent-${i % agents}`)
          .catch(() => undefined);
        if (answer?.status === 200) waits.push(performance.now() - from);
        await sleep(5);
      }
    })();
    return async () => {
      isOver = true;
      await done;
      waits.sort((a, b) => a - b);
      return { count: waits.length, p99: waits[Math.floor(waits.length * 0.99)] ?? Number.NaN };
    };
  }

  let failed = 0;
  const promise = (what: string, holds: boolean) => {
    if (!holds) failed++;
    say(`${holds ? 'holds' : 'FAILS'}: ${what}`);
  };
  try {
    putFirst([redisPid, ...pids()]);
    const urls = (await get<{ Tags: Record<string, string> }[]>('/v1/internal/members'))
      .filter(({ Tags }) => Tags['role'] === 'consul')
      .map(({ Tags }) => `http://127.0.0.1:${Tags['port']}`);
    const overMs = (agents / JOINS_A_SECOND) * 1000;
    const joining = { from: performance.now(), used: used() };
    crowd.start({ agents, services, urls, overMs });
    await untilRegistered();
    await untilHeard(performance.now());
    const joined = used();
    const each = (who: keyof typeof joined) =>
      `${(((joined[who] - joining.used[who]) * 1e6) / agents).toFixed(0)} µs of ${who}`;
    say(
      `${agents} agents with ${services} services came within ${((performance.now() - joining.from) / 1000).toFixed(0)} s; each took ${each('servers')}, ${each('redis')}`,
    );

    await sleep(5000);
    const before = { used: used(), count: await crowd.sinceNow() };
    await sleep(STEADY_MS);
    const after = { used: used(), count: await crowd.count() };
    const beats = after.count.asked.beats - before.count.asked.beats;
    const syncs = after.count.asked.syncs - before.count.asked.syncs;
    const perBeat = (who: keyof typeof joined) =>
      `${(((after.used[who] - before.used[who]) * 1e6) / beats).toFixed(0)} µs of ${who}`;
    say(
      `then ${((beats * 1000) / STEADY_MS).toFixed(0)} beats and ${((syncs * 1000) / STEADY_MS).toFixed(0)} reads a second; for a beat with its part of them ${perBeat('servers')}, ${perBeat('redis')}, ${perBeat('agents')}`,
    );
    say(
      `memory: servers ${pids()
        .map((pid) => residentMb(pid).toFixed(0))
        .join(
          ', ',
        )} MB; Redis ${residentMb(redisPid).toFixed(0)} MB; agents ${(after.count.rss / 1e6).toFixed(0)} MB`,
    );
    promise('no agent is called dead while nothing happens', (await dead()) === 0);

    for (const server of cluster.servers) await server.kill();
    await sleep(AWAY_MS);
    const missed = (await crowd.sinceNow()).asked;
    const began = { at: performance.now(), used: used() };
    for (const server of cluster.servers) server.start();
    putFirst(pids());
    await cluster.untilReady();
    const ready = performance.now() - began.at;
    const read = reading();
    const heardMs = await untilHeard(began.at);
    const { count, p99 } = await read();
    const { asked } = await crowd.count();
    const storm = used();
    say(
      `all servers away for ${AWAY_MS / 1000} s: the first read after ${(ready / 1000).toFixed(1)} s, all agents heard after ${(heardMs / 1000).toFixed(1)} s; ${asked.beats - missed.beats} beats taken meanwhile, ${asked.beatsMissed - missed.beatsMissed} not, ${asked.syncs - missed.syncs} reads and writes of theirs, ${asked.syncsMissed - missed.syncsMissed} not; processor: servers ${storm.servers.toFixed(1)} s, Redis ${(storm.redis - began.used.redis).toFixed(1)} s`,
    );
    say(`others: ${count} reads, p99 ${p99.toFixed(0)} ms`);
    say(
      `memory at the most: servers ${pids()
        .map((pid) => residentMb(pid, 'VmHWM').toFixed(0))
        .join(', ')} MB`,
    );
    promise(`the storm is over within ${OVER_WITHIN_MS / 1000} s`, heardMs <= OVER_WITHIN_MS);
    promise(`others' reads take ${READS_P99_MS} ms at p99 at most`, p99 <= READS_P99_MS);
    await sleep(5000);
    promise('no agent that lives is called dead', (await dead()) === 0);
  } finally {
    crowd.end();
    await cluster.stop();
  }
  return failed;
});
