/**
 * What `encrypt` costs on a kv put: two servers, one sealed, loaded in turns by wrk. The machine may be
 * busy with other things, so that each round is a pair, and the processor's time of a put is told beside
 * the rate. Run: node --import tsx bench/sealed.ts [rounds, 10] [seconds each, 2]
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  killProconsuls,
  type Proconsul,
  startProconsul,
} from '../spec/support/servers/proconsul.ts';
import { startRedis, stopAllRedis } from '../spec/support/servers/redis.ts';
import { requestsPerSecond } from './compare/wrk.ts';

const [rounds = 10, seconds = 2] = process.argv.slice(2).map(Number);
const KEY = 'pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=';
const TICKS_PER_SECOND = 100;
/** Pairs that do not count: V8 has not compiled it all yet. */
const WARM_UP = 4;
const PUT = {
  path: '/v1/kv/bench',
  lua: `return wrk.format('PUT', '/v1/kv/bench/' .. (n % 1000), nil, 'value-' .. n .. string.rep('x', 100))`,
};

/** Seconds of a processor that the process has had so far. */
function cpuOf({ pid }: Proconsul): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

interface Measured {
  readonly rate: number;
  /** Microseconds of a processor. */
  readonly cpu: number;
}

async function measure(server: Proconsul): Promise<Measured> {
  const before = cpuOf(server);
  const rate = await requestsPerSecond(server.port, PUT, seconds * 1000);
  return { rate, cpu: ((cpuOf(server) - before) * 1e6) / (rate * seconds) };
}

/** Whatever else runs on the machine only adds to it: the lower quartile is what a put costs. */
function quartile(values: readonly number[], of: 1 | 2): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length * of) / 4)] ?? Number.NaN;
}

async function compare(name: string, argsOf: (sealed: boolean) => Promise<readonly string[]>) {
  const plain = await startProconsul(await argsOf(false));
  const sealed = await startProconsul([...(await argsOf(true)), `-encrypt=${KEY}`]);
  const pairs: { readonly plain: Measured; readonly sealed: Measured }[] = [];
  for (let round = -WARM_UP; round < rounds; round++) {
    // The other one first in every second round: neither always has the warmer machine.
    const first = await measure(round % 2 === 0 ? plain : sealed);
    const second = await measure(round % 2 === 0 ? sealed : plain);
    if (round < 0) continue;
    pairs.push(
      round % 2 === 0 ? { plain: first, sealed: second } : { plain: second, sealed: first },
    );
  }
  const cpu = (of: 'plain' | 'sealed') =>
    quartile(
      pairs.map((pair) => pair[of].cpu),
      1,
    );
  const rate = quartile(
    pairs.map((pair) => pair.sealed.rate / pair.plain.rate),
    2,
  );
  const costs = `${cpu('plain').toFixed(1)} µs in the clear, ${cpu('sealed').toFixed(1)} µs sealed`;
  const ratio = (cpu('sealed') / cpu('plain')).toFixed(3);
  const text = `${costs}: × ${ratio}; rate × ${rate.toFixed(3)} (median of ${rounds} pairs)`;
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
