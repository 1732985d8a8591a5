/**
 * What a small catalog takes of memory, beside a real Consul: of the machine, of that what no file has, and the heap.
 *
 *   node --import tsx bench/memory.ts path/to/consul [instances] [rounds]
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fill } from './compare/fill.ts';
import { request } from './compare/http.ts';
import { median } from './compare/measure.ts';
import { type Kind, type Registry, startRegistry } from './compare/registry.ts';

const [consul = 'consul', instances = '1000', rounds = '3'] = process.argv.slice(2);
const EACH = 10;
const LOOKS = 10;
const LOOK_MS = 500;
const MB = 1e6;

interface Taken {
  /** VmRSS: with the program's own pages, which all processes of the same program share. */
  readonly resident: number;
  readonly anonymous: number;
  /** The least of ten looks: what is garbage comes and goes. */
  readonly heap: number;
}

async function taken({ pid, port }: Registry): Promise<Taken> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  let heap = Number.POSITIVE_INFINITY;
  for (let look = 0; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    const { text } = await request(port, 'GET', '/v1/agent/metrics');
    const { Gauges } = JSON.parse(text) as { Gauges: { Name: string; Value: number }[] };
    const allocated = Gauges.find(({ Name }) => Name === 'consul.runtime.alloc_bytes');
    heap = Math.min(heap, allocated?.Value ?? Number.POSITIVE_INFINITY);
  }
  return { resident: bytes('VmRSS'), anonymous: bytes('RssAnon'), heap };
}

async function measure(kind: Kind): Promise<Taken> {
  const registry = await startRegistry(kind, consul);
  try {
    const services = Number(instances) / EACH;
    await fill(registry.port, { services, instancesEach: EACH, prefix: 'web' });
    await registry.quiet();
    return await taken(registry);
  } finally {
    await registry.stop();
  }
}

const all: Record<'consul' | 'file', Taken[]> = { consul: [], file: [] };
for (let round = 0; round < Number(rounds); round++) {
  for (const kind of ['consul', 'file'] as const) all[kind].push(await measure(kind));
}
for (const what of ['resident', 'anonymous', 'heap'] as const) {
  const [theirs, ours] = [all.consul, all.file].map((some) =>
    median(some.map((each) => each[what])),
  ) as [number, number];
  const text = `${(theirs / MB).toFixed(1)} MB, ours ${(ours / MB).toFixed(1)} MB`;
  process.stdout.write(`${what}: Consul ${text}: ${(theirs / ours).toFixed(2)}×\n`);
}
process.exit(0);
