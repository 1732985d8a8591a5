/** Server processes that are led from an old master to a new one that lags, one by one. */
import { keysOf } from '../../../server/log/redis/link/keys.ts';
import type { Cluster, ServerProcess } from '../servers/cluster.ts';
import { type RedisProcess, startRedis } from '../servers/redis.ts';
import { until } from '../until.ts';

const keys = keysOf('dc1');

/** A second master with all that the first one has now, and nothing that comes. */
export async function promoteReplica({ redis }: Cluster): Promise<RedisProcess> {
  if (redis === undefined) throw new Error('the cluster has no Redis of its own');
  return await promotedReplicaOf(redis);
}

/** Of a Redis that has none, and is used: with its first replica it is another one to the log, in another epoch. */
export async function promotedReplicaOf(redis: RedisProcess): Promise<RedisProcess> {
  const epochOf = async ({ admin }: RedisProcess) => Number(await admin.hget(keys.meta, 'epoch'));
  const before = await epochOf(redis);
  const next = await startRedis({ args: ['--replicaof', `127.0.0.1 ${redis.address.port}`] });
  await until(async () => (await epochOf(redis)) > before);
  const length = await redis.admin.xlen(keys.log);
  await until(async () => (await epochOf(next)) > before);
  await until(async () => (await next.admin.xlen(keys.log)) >= length);
  await next.admin.call('REPLICAOF', 'NO', 'ONE');
  return next;
}

export function lead({ proxy }: ServerProcess, to: RedisProcess): void {
  if (proxy === undefined) throw new Error('the server has no proxy');
  proxy.target = to.address;
  proxy.frozen = false;
  proxy.cutAll();
}

export function cutOff({ proxy }: ServerProcess): void {
  if (proxy !== undefined) proxy.frozen = true;
}

/** True when it was acknowledged. */
export async function put(server: ServerProcess, key: string, value: string): Promise<boolean> {
  const signal = AbortSignal.timeout(5000);
  const answer = await server
    .ask('PUT', `/v1/kv/${key}`, { body: value, signal })
    .catch(() => undefined);
  return answer?.text === 'true';
}

export interface Seen {
  readonly value: string;
  readonly index: number;
}

/** By a default read; waits for what comes after `index` where that is given. */
export async function read(server: ServerProcess, key: string, index?: number): Promise<Seen> {
  const wait = index === undefined ? '' : `?index=${index}&wait=60s`;
  const signal = AbortSignal.timeout(30_000);
  const answer = await server.ask('GET', `/v1/kv/${key}${wait}`, { signal });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  const [row] = answer.json as { Value: string }[];
  const value = Buffer.from(row?.Value ?? '', 'base64').toString();
  return { value, index: answer.index };
}
