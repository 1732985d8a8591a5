/**
 * Beside a real Eureka server (built by Maven of spec/system/eureka/server): many instances that renew at their
 * times, while others read what changed, some all of it, and some change. Both servers are up the whole time and
 * answer as they are by default, the real one from a cache of up to 30 s; rounds go from one to the other, so that
 * what the machine does meanwhile meets both, and each number is the median of its rounds. Each request is due at its
 * time whatever has become of those before, and is measured from then. Then as many renewals as go at once, and what
 * lives in the heap after a collection.
 *
 *   node --import tsx bench/eureka.ts [INSTANCES, 5000 [ROUNDS, 7 [SECONDS, 10]]]
 *
 * Some six minutes, and a machine that nobody else uses.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Asked,
  Asker,
  pathOf,
  registration,
} from '../spec/support/experiments/eureka-crowd.ts';
import { HeapLooks } from '../spec/support/experiments/heap-looks.ts';
import { freePorts } from '../spec/support/servers/free-ports.ts';
import { killProconsuls, startProconsul } from '../spec/support/servers/proconsul.ts';
import { RealEureka } from '../spec/support/servers/real-eureka.ts';

const [instances = 5000, rounds = 7, seconds = 10] = process.argv.slice(2).map(Number);
/** Each a second: so little that no queue grows at either. What each takes at most is measured by itself. */
const RATES = { renew: 500, apps: 2, delta: 100, change: 2 } as const;
type What = keyof typeof RATES;
const WHATS = Object.keys(RATES) as What[];
/** A JIT needs some time, and an answer has to be asked for before it is kept. */
const WARM_UP_ROUNDS = 2;
const FULL_SECONDS = 5;
const TICK_MS = 5;
const REST_MS = 1000;
/** Of a clock of Linux's. */
const TICKS_PER_S = 100;
const PAGE_BYTES = 4096;
const LEASE = { renewalIntervalInSecs: 30, durationInSecs: 90 };

interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** In megabytes, once what is not used is collected. */
  readonly heapMb: () => Promise<number>;
}

/** By what it is called in the table. */
type Round = Record<string, number>;

const asker = new Asker();
const folder = mkdtempSync(join(tmpdir(), 'proconsul-bench-'));
const say = (line: string) => void process.stdout.write(`${line}\n`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function ours(): Promise<Peer> {
  const [http = 0, port = 0] = await freePorts(2);
  const looks = new HeapLooks(folder);
  const flags = ['-server', '-bootstrap', '-eureka', `-data-dir=${join(folder, 'data')}`];
  const child = await startProconsul([...flags, '-hcl', `ports { eureka = ${port} }`], http, {
    nodeOptions: looks.nodeOptions,
  });
  const heapMb = async () => (await looks.at(child)) / 1e6;
  return { name: 'Proconsul', port, pid: child.pid, heapMb };
}

async function theirs(): Promise<Peer & { readonly real: RealEureka }> {
  const [port = 0] = await freePorts(1);
  const real = await RealEureka.start(port);
  const heapMb = async () => {
    const jcmd = (what: string) => spawnSync('jcmd', [`${real.pid}`, what], { encoding: 'utf8' });
    jcmd('GC.run');
    const { stdout } = jcmd('GC.heap_info');
    // The heap's own line; those below are parts of it.
    const [, kilobytes = '0'] = /total \d+K, used (\d+)K/.exec(stdout) ?? [];
    return (Number(kilobytes) * 1024) / 1e6;
  };
  return { name: 'Eureka', port, pid: real.pid, heapMb, real };
}

function asked(what: What, n: number): Asked {
  if (what === 'apps') return { method: 'GET', path: '/eureka/apps/' };
  if (what === 'delta') return { method: 'GET', path: '/eureka/apps/delta' };
  if (what === 'renew') return { method: 'PUT', path: pathOf((n * 7) % instances) };
  const value = n % 2 === 0 ? 'OUT_OF_SERVICE' : 'UP';
  return { method: 'PUT', path: `${pathOf((n >> 1) % instances)}/status?value=${value}` };
}

async function load({ port, pid }: Peer): Promise<Round> {
  const ms: Record<What, number[]> = { renew: [], apps: [], delta: [], change: [] };
  const sent = { renew: 0, apps: 0, delta: 0, change: 0 };
  const pending = new Set<Promise<void>>();
  const before = processorS(pid);
  const from = performance.now();
  let failed = 0;
  const send = (what: What, n: number) => {
    const due = from + (n * 1000) / RATES[what];
    const done = asker.ask(port, asked(what, n)).then(
      ({ status }) => {
        if (status !== 200) failed++;
        ms[what].push(performance.now() - due);
      },
      () => void failed++,
    );
    const kept = done.finally(() => pending.delete(kept));
    pending.add(kept);
  };
  while (performance.now() - from < seconds * 1000) {
    const elapsed = (performance.now() - from) / 1000;
    for (const what of WHATS) {
      while (sent[what] < elapsed * RATES[what]) send(what, sent[what]++);
    }
    await pause(TICK_MS);
  }
  await Promise.all(pending);
  const cores = (processorS(pid) - before) / ((performance.now() - from) / 1000);
  const times = WHATS.flatMap((what) => [
    [`${what} p50, ms`, percentile(ms[what], 0.5)] as const,
    [`${what} p99, ms`, percentile(ms[what], 0.99)] as const,
  ]);
  return { ...Object.fromEntries(times), 'processor, % of a core': 100 * cores, failed };
}

/** As many renewals as go, each as soon as the one before it is answered. */
async function full({ port }: Peer): Promise<Round> {
  const from = performance.now();
  const isOver = () => performance.now() - from >= FULL_SECONDS * 1000;
  let done = 0;
  const renewing = async () => {
    for (let n = 0; !isOver(); n++) {
      await asker.ask(port, { method: 'PUT', path: pathOf((n * 7) % instances) });
      done++;
    }
  };
  await Promise.all(Array.from({ length: 32 }, renewing));
  return { 'renewals a second at most': done / ((performance.now() - from) / 1000) };
}

async function fill({ port }: Peer): Promise<number> {
  const from = performance.now();
  const post = (n: number) => asker.ask(port, registration(n, LEASE));
  const failed = await asker.all(0, instances, 204, post);
  if (failed > 0) throw new Error(`${failed} were not registered`);
  return instances / ((performance.now() - from) / 1000);
}

function processorS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

function rssMb(pid: number): number {
  const [, pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
  return (Number(pages) * PAGE_BYTES) / 1e6;
}

function percentile(all: readonly number[], share: number): number {
  return [...all].sort((a, b) => a - b)[Math.floor((all.length - 1) * share)] ?? 0;
}

/** Of each number the median of all rounds, and how far the others are from it. */
function told(all: readonly Round[]): Map<string, { median: number; from: number; to: number }> {
  const names = new Set(all.flatMap((round) => Object.keys(round)));
  return new Map(
    [...names].map((name) => {
      const values = all.map((round) => round[name]).filter((value) => value !== undefined);
      const [median, from, to] = [0.5, 0, 1].map((share) => percentile(values, share));
      return [name, { median: median ?? 0, from: from ?? 0, to: to ?? 0 }];
    }),
  );
}

let real: RealEureka | undefined;
try {
  const java = await theirs();
  real = java.real;
  const peers: readonly Peer[] = [java, await ours()];
  const results = new Map<Peer, Round[]>(peers.map((peer) => [peer, []]));
  const note = (peer: Peer, round: Round) => results.get(peer)?.push(round);
  for (const peer of peers) note(peer, { 'registrations a second': await fill(peer) });
  for (let round = 0; round < WARM_UP_ROUNDS + rounds; round++) {
    const isCounted = round >= WARM_UP_ROUNDS;
    // Neither is always the second.
    for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) {
      for (const measured of [await load(peer), await full(peer)]) {
        if (isCounted) note(peer, measured);
      }
      await pause(REST_MS);
    }
    say(`${isCounted ? 'round' : 'warm-up'} ${round + 1} of ${WARM_UP_ROUNDS + rounds}`);
  }
  for (const peer of peers) {
    note(peer, { 'heap after a collection, MB': await peer.heapMb(), 'RSS, MB': rssMb(peer.pid) });
  }
  const rates = WHATS.map((what) => `${RATES[what]} ${what}`).join(', ');
  say(`\n${instances} instances; a second: ${rates}; medians of ${rounds} rounds (least to most)`);
  const [a, b] = peers.map((peer) => told(results.get(peer) ?? []));
  const cell = (of: { median: number; from: number; to: number } | undefined) =>
    of === undefined
      ? ''
      : `${of.median.toFixed(1)} (${of.from.toFixed(1)} to ${of.to.toFixed(1)})`;
  say(`| | ${peers.map(({ name }) => name).join(' | ')} | ratio |`);
  say('| --- | --- | --- | --- |');
  for (const [name, first] of a ?? []) {
    const second = b?.get(name);
    const ratio = first.median === 0 ? '' : ((second?.median ?? 0) / first.median).toFixed(2);
    say(`| ${name} | ${cell(first)} | ${cell(second)} | ${ratio} |`);
  }
} finally {
  real?.stop();
  asker.stop();
  await killProconsuls();
  rmSync(folder, { recursive: true, force: true });
}
