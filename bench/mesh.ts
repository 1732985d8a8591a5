/**
 * What the mesh's control plane costs, beside a real Consul in the same minute: certificates, one after
 * another and all at once; and the change of an entry that one of many chains is made of, while somebody
 * waits for each of them.
 *
 *   node --import tsx bench/mesh.ts path/to/consul [chains, 2000] [certificates, 1000] [rounds, 3]
 */
import { Agent, request } from 'node:http';
import { must } from './compare/http.ts';
import { type Registry, startRegistry } from './compare/registry.ts';

const [consul = 'consul', ...counts] = process.argv.slice(2);
const [chains = 2000, certificates = 1000, rounds = 3] = counts.map(Number);
const ALONE = 100;
/** Entries that are written before anything is measured. */
const AT_ONCE = 32;
const CHANGES = 5;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
/** Consul would else sign fifty a second and say of the others that it is busy. */
const CONFIG = {
  connect: { enabled: true, ca_config: { csr_max_per_second: 0, csr_max_concurrent: 0 } },
};

interface Answer {
  readonly index: number;
  readonly text: string;
}

function get(port: number, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if (response.statusCode === 200) {
          resolve({ index: Number(response.headers['x-consul-index'] ?? 0), text });
        } else reject(new Error(`${path}: ${response.statusCode} ${text.slice(0, 200)}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** What each took, in milliseconds, the least first. */
class Times {
  readonly #all: number[] = [];

  async of<T>(run: () => Promise<T>): Promise<T> {
    const from = performance.now();
    const result = await run();
    this.#all.push(performance.now() - from);
    return result;
  }

  at(share: number): number {
    const sorted = this.#all.sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  }
}

interface Figures {
  readonly leafMs: number;
  readonly leafP99Ms: number;
  readonly leavesMs: number;
  readonly leavesP99Ms: number;
  readonly leafCpuMs: number;
  readonly wakeMs: number;
  readonly woken: number;
  readonly changeMs: number;
}

async function ofCertificates(registry: Registry, round: number) {
  const { port } = registry;
  await registry.quiet();
  const before = await registry.ticks();
  const alone = new Times();
  const leaf = (name: string) => get(port, `/v1/agent/connect/ca/leaf/${name}`);
  for (let n = 0; n < ALONE; n++) await alone.of(() => leaf(`alone-${round}-${n}`));
  const each = new Times();
  const all = new Times();
  const names = Array.from({ length: certificates }, (_, n) => `many-${round}-${n}`);
  await all.of(() => Promise.all(names.map((name) => each.of(() => leaf(name)))));
  await registry.quiet();
  const ticks = (await registry.ticks()) - before;
  return {
    leafCpuMs: (ticks * 10) / (ALONE + certificates),
    leafMs: alone.at(0.5),
    leafP99Ms: alone.at(0.99),
    leavesMs: all.at(1),
    leavesP99Ms: each.at(0.99),
  };
}

const chainOf = (n: number) => `/v1/discovery-chain/s${n}`;

function writeResolver({ port }: Registry, n: number, seconds: number) {
  const body = { Kind: 'service-resolver', Name: `s${n}`, ConnectTimeout: `${seconds}s` };
  return must(port, 'PUT', '/v1/config', body);
}

/** Somebody waits for each chain; the one that changes is timed, and so is what the others cost. */
async function ofChains(registry: Registry, round: number) {
  const { port } = registry;
  const wake = new Times();
  let woken = 0;
  let ticks = 0;
  const wait = async (n: number, from: number) => {
    const answer = await get(port, `${chainOf(n)}?index=${from}&wait=300s`);
    if (answer.index > from) woken++;
    return answer;
  };
  const waiting = await Promise.all(
    Array.from({ length: chains }, async (_, n) => (await get(port, chainOf(n))).index),
  );
  const open = waiting.map((index, n) => wait(n, index));
  for (let change = 0; change < CHANGES; change++) {
    await registry.quiet();
    const before = await registry.ticks();
    const at = change * Math.floor(chains / CHANGES);
    await wake.of(async () => {
      await writeResolver(registry, at, 10 + round * CHANGES + change);
      waiting[at] = (await open[at])?.index ?? 0;
    });
    await registry.quiet();
    ticks += (await registry.ticks()) - before;
    // Whoever was woken asks again, as a proxy does; that is a part of the next change at most.
    await Promise.all(
      open.map(async (each, n) => {
        const answer = await Promise.race([each, undefined]);
        if (answer !== undefined) open[n] = wait(n, answer.index);
      }),
    );
  }
  // The waits that are left end with their connections.
  agent.destroy();
  await Promise.allSettled(open);
  return { wakeMs: wake.at(0.5), woken: woken / CHANGES, changeMs: (ticks * 10) / CHANGES };
}

async function measured(registry: Registry, round: number): Promise<Figures> {
  return { ...(await ofCertificates(registry, round)), ...(await ofChains(registry, round)) };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const ROWS: readonly (readonly [string, keyof Figures])[] = [
  ['a certificate, median ms', 'leafMs'],
  ['a certificate, p99 ms', 'leafP99Ms'],
  [`${certificates} certificates at once, all of them, ms`, 'leavesMs'],
  [`${certificates} certificates at once, p99 ms`, 'leavesP99Ms'],
  ['a certificate, processor ms', 'leafCpuMs'],
  [`a change of one of ${chains} chains, until who waits for it has it, ms`, 'wakeMs'],
  ['… how many of those who wait are woken', 'woken'],
  ['… processor of the server, ms', 'changeMs'],
];

const kinds = ['consul', 'file'] as const;
const registries = await Promise.all(kinds.map((kind) => startRegistry(kind, consul, CONFIG)));
const figures = kinds.map((): Figures[] => []);
try {
  for (const registry of registries) {
    for (let from = 0; from < chains; from += AT_ONCE) {
      const some = Array.from({ length: AT_ONCE }, (_, n) => from + n).filter((n) => n < chains);
      await Promise.all(some.map((n) => writeResolver(registry, n, 5)));
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (const [i, registry] of registries.entries()) {
      const row = await measured(registry, round);
      figures[i]?.push(row);
      say(`${registry.kind} ${round}: ${JSON.stringify(row)}`);
    }
  }
} finally {
  await Promise.all(registries.map((registry) => registry.stop()));
}
say('| | Consul | file log |\n|---|---:|---:|');
for (const [what, key] of ROWS) {
  const cells = figures.map((rows) => median(rows.map((row) => row[key])).toFixed(2));
  say(`| ${what} | ${cells.join(' | ')} |`);
}
