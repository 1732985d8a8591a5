/**
 * R12: twenty contenders for one lock through three servers; holders sleep past their TTL, and the
 * server that leads is killed. One ModifyIndex never has two holders, and no session ends before its
 * TTL.
 *
 *   node --import tsx spec/system/locks.system.ts [SECONDS] [SEED]
 */

import { seededRandom } from '../support/fakes/seeded-random.ts';
import { Cluster, type ServerProcess } from '../support/servers/cluster.ts';
import { sleep } from '../support/sleep.ts';

const CONTENDERS = 20;
const TTL_S = 10;
const KEY = 'lock';
const KILL_EVERY_MS = 12_000;
/** Every so many holders oversleep. */
const OVERSLEEP_CHANCE = 0.15;

interface Held {
  readonly contender: number;
  readonly modifyIndex: number;
  readonly session: string;
}

interface Shared {
  readonly servers: readonly ServerProcess[];
  readonly next: () => number;
  readonly until: number;
  readonly held: Held[];
  readonly early: string[];
}

async function contend(shared: Shared, contender: number): Promise<void> {
  let at = contender % shared.servers.length;
  while (performance.now() < shared.until) {
    const server = shared.servers[at];
    if (server === undefined) return;
    // Whatever goes wrong with one server, the next one may know better.
    await attempt(shared, server, contender).catch(() => {
      at = (at + 1) % shared.servers.length;
    });
    await sleep(200 * shared.next());
  }
}

async function attempt(shared: Shared, server: ServerProcess, contender: number): Promise<void> {
  const body = { TTL: `${TTL_S}s`, LockDelay: '100ms', Name: `c${contender}` };
  const created = await server.ask('PUT', '/v1/session/create', { body, signal: soon() });
  const { ID } = created.json as { ID: string };
  const born = performance.now();
  const path = `/v1/kv/${KEY}?acquire=${ID}`;
  const taken = await server.ask('PUT', path, { body: `${contender}`, signal: soon() });
  if (taken.text === 'true') await hold(shared, server, { contender, session: ID, born });
  await server.ask('PUT', `/v1/session/destroy/${ID}`, { signal: soon() });
}

async function hold(
  shared: Shared,
  server: ServerProcess,
  { contender, session, born }: { contender: number; session: string; born: number },
): Promise<void> {
  const answer = await server.ask('GET', `/v1/kv/${KEY}`, { signal: soon() });
  const [row] = answer.json as { ModifyIndex: number; Session?: string }[];
  if (row?.Session === session) {
    shared.held.push({ contender, modifyIndex: row.ModifyIndex, session });
  } else if (performance.now() - born < TTL_S * 1000) {
    shared.early.push(`${session} lost its lock ${(performance.now() - born).toFixed(0)} ms old`);
  }
  const oversleeps = shared.next() < OVERSLEEP_CHANCE;
  await sleep(oversleeps ? TTL_S * 2200 : 100 * shared.next());
}

function soon(): AbortSignal {
  return AbortSignal.timeout(4000);
}

async function killLeaders({ servers, until }: Shared): Promise<void> {
  while (performance.now() + KILL_EVERY_MS < until) {
    await sleep(KILL_EVERY_MS);
    const [alive] = servers;
    const answer = await alive
      ?.ask('GET', '/v1/operator/raft/configuration')
      .catch(() => undefined);
    const config = answer?.json as { Servers?: { Node: string; Leader: boolean }[] } | undefined;
    const leader = config?.Servers?.find(({ Leader }) => Leader)?.Node ?? servers[0]?.name;
    const victim = servers.find(({ name }) => name === leader);
    await victim?.kill();
    await sleep(3000);
    victim?.start();
  }
}

const [seconds = 60, seed = 1] = process.argv.slice(2).map(Number);
const cluster = await Cluster.start({ servers: 3 });
const shared: Shared = {
  servers: cluster.servers,
  next: seededRandom(seed).next,
  until: performance.now() + seconds * 1000,
  held: [],
  early: [],
};
const contenders = Array.from({ length: CONTENDERS }, (_, i) => contend(shared, i));
await Promise.all([killLeaders(shared), ...contenders]);
await cluster.stop();
const byIndex = new Map<number, Set<string>>();
for (const { modifyIndex, session } of shared.held) {
  byIndex.set(modifyIndex, (byIndex.get(modifyIndex) ?? new Set()).add(session));
}
const doubled = [...byIndex].filter(([, sessions]) => sessions.size > 1);
process.stdout.write(
  `${shared.held.length} times held, ${byIndex.size} ModifyIndexes, ` +
    `${doubled.length} with two holders, ${shared.early.length} lost before their TTL\n`,
);
for (const line of shared.early) process.stdout.write(`  ${line}\n`);
process.exit(doubled.length === 0 && shared.early.length === 0 && byIndex.size > 0 ? 0 : 1);
