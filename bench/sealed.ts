/**
 * What `encrypt` costs on a kv put: two servers, one sealed, loaded in turns by wrk.
 * Run: node --import tsx bench/sealed.ts [rounds, 10] [seconds each, 2]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProconsuls, startProconsul } from '../spec/support/servers/proconsul.ts';
import { startRedis, stopAllRedis } from '../spec/support/servers/redis.ts';
import { inPairs } from './compare/pairs.ts';

const [rounds = 10, seconds = 2] = process.argv.slice(2).map(Number);
const KEY = 'pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=';
const PUT = {
  path: '/v1/kv/bench',
  lua: `return wrk.format('PUT', '/v1/kv/bench/' .. (n % 1000), nil, 'value-' .. n .. string.rep('x', 100))`,
};

async function compare(name: string, argsOf: (sealed: boolean) => Promise<readonly string[]>) {
  const plain = await startProconsul(await argsOf(false));
  const sealed = await startProconsul([...(await argsOf(true)), `-encrypt=${KEY}`]);
  const cost = await inPairs(plain, sealed, { request: PUT, rounds, seconds });
  const costs = `${cost.plain.toFixed(1)} µs in the clear, ${cost.other.toFixed(1)} µs sealed`;
  const ratio = (cost.other / cost.plain).toFixed(3);
  const text = `${costs}: × ${ratio}; rate × ${cost.rate.toFixed(3)} (median of ${rounds} pairs)`;
  process.stdout.write(`${name}: processor of a put ${text}\n`);
  await killProconsuls();
}

const folder = await mkdtemp(join(tmpdir(), 'bench-sealed-'));
const base = ['-server', '-bootstrap'];
await compare('files', async (sealed) => [...base, `-data-dir=${folder}/files-${sealed}`]);
await compare('Redis', async (sealed) => {
  const redis = await startRedis();
  const url = `-hcl=redis { url = "${redis.url}" }`;
  return [...base, `-data-dir=${folder}/redis-${sealed}`, url];
});
await stopAllRedis();
await rm(folder, { recursive: true });
