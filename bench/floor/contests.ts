/** What is measured of Consul, of a bare socket and of us, in this order; Consul is left out where there is none. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { ask, namesOf, RUN_S, startAgent } from '../compare/dns-agent.ts';
import { fill } from '../compare/fill.ts';
import { request } from '../compare/http.ts';
import { residentBytes, startRegistry, usedBy } from '../compare/registry.ts';
import { WRITES } from '../compare/rows.ts';
import { type Load, requestsPerSecond } from '../compare/wrk.ts';
import { type DayOptions, measureDay, spendDay } from '../day/measure.ts';

const BYTES_PER_MB = 1e6;
const US_PER_S = 1e6;
const INSTANCES = 20;
/** What five addresses take in an answer, the name written once. */
const FIVE_ADDRESSES_BYTES = 5 * 16;
const SETTLE_MS = 1000;
export const OURS = path.resolve(import.meta.dirname, '../../bin/proconsul');

export interface Pace {
  readonly consul: string;
  readonly ms: number;
}

export interface Found {
  readonly value: number;
  /** Of a processor for each request, where there are requests. */
  readonly us: number;
}

export interface Contender {
  measure(): Promise<Found>;
}

/** Who is asked. */
interface Asked {
  readonly port: number;
  readonly pid: number;
}

export interface Contest {
  readonly what: string;
  readonly unit: string;
  readonly better: 'more' | 'less';
  readonly contenders: readonly (Contender | undefined)[];
  stop(): Promise<void>;
}

type Stop = () => Promise<void> | void;

/** A TTL check that is well, and was: nothing of it comes to the log. */
export async function pass(pace: Pace): Promise<Contest> {
  const write = WRITES.find(({ name }) => name === 'check/pass');
  if (write?.prepare === undefined) throw new Error('nothing is called check/pass');
  return await overHttp('agent/check/pass', pace, write.request, write.prepare);
}

/** As in a day: of a service with twenty instances. */
export async function read(pace: Pace): Promise<Contest> {
  const load = { path: '/v1/health/service/web-0?passing' };
  return await overHttp(`health of ${INSTANCES} instances`, pace, load, (port) =>
    fill(port, { prefix: 'web', services: 1, instancesEach: INSTANCES }),
  );
}

async function overHttp(
  what: string,
  { consul, ms }: Pace,
  load: Load,
  prepare: (port: number) => Promise<void>,
): Promise<Contest> {
  const stops: Stop[] = [];
  const at = ({ port, pid }: Asked) => loaded(pid, ms, () => requestsPerSecond(port, load, ms));
  const registry = async (kind: 'consul' | 'file') => {
    const started = await startRegistry(kind, consul);
    stops.push(() => started.stop());
    await prepare(started.port);
    return started;
  };
  const theirs = consul === '' ? undefined : at(await registry('consul'));
  const own = await registry('file');
  const isWrite = load.lua !== undefined;
  const size = isWrite ? 0 : (await request(own.port, 'GET', load.path)).text.length;
  const bare = await startBare('tcp', size);
  stops.push(bare.stop);
  return contestOf(what, '/s', 'more', [theirs, at(bare), at(own)], stops);
}

export async function dns({ consul }: Pace): Promise<Contest> {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-floor-'));
  const stops: Stop[] = [];
  const file = path.join(folder, 'questions');
  await writeFile(
    file,
    namesOf('few')
      .map((name) => `${name} A\n`)
      .join(''),
  );
  const at = ({ port, pid }: Asked) =>
    loaded(pid, 1000 * RUN_S, async () => (await ask({ dns: port }, file, [])).perSecond);
  const agent = async (name: string, command: string) => {
    const started = await startAgent(name, command, folder);
    stops.push(started.stop);
    return at({ port: started.dns, pid: started.pid });
  };
  const theirs = consul === '' ? undefined : await agent('consul', consul);
  const own = await agent('ours', OURS);
  const bare = await startBare('udp', FIVE_ADDRESSES_BYTES);
  stops.push(bare.stop, () => rm(folder, { recursive: true, force: true }));
  return contestOf('DNS: A, 5 instances', '/s', 'more', [theirs, at(bare), own], stops);
}

/** Of a process that has just begun, with nothing in it. */
export async function memory({ consul }: Pace): Promise<Contest> {
  const registry = (kind: 'consul' | 'file'): Contender => ({
    async measure() {
      const started = await startRegistry(kind, consul);
      await started.quiet();
      const bytes = await started.memory();
      await started.stop();
      return { value: bytes / BYTES_PER_MB, us: Number.NaN };
    },
  });
  const bare: Contender = {
    async measure() {
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const bytes = await residentBytes(child.pid as number);
      await end(child);
      return { value: bytes / BYTES_PER_MB, us: Number.NaN };
    },
  };
  const theirs = consul === '' ? undefined : registry('consul');
  return contestOf('memory, nothing in it', 'MB', 'less', [theirs, bare, registry('file')], []);
}

const DAY: DayOptions = { forMs: 12_000, agents: false, during: '' };
/** What twenty instances of the day's take. */
const TWENTY_BYTES = 15_100;

/** Nothing of what a change takes but its answer, and those of who waits for it: no log, no disk. */
export async function day({ consul }: Pace): Promise<Contest> {
  const at = (program: string | undefined): Contender => ({
    measure: async () => spent(await measureDay(program, DAY)),
  });
  const bare = await startBare('day', TWENTY_BYTES);
  const used = async () => ({ serverS: (await usedBy(bare.pid)).all / US_PER_S, agentsS: 0 });
  const place = { asked: [bare.port], used, happens: async () => 0 };
  const floor: Contender = { measure: async () => spent(await spendDay(place, DAY)) };
  const contenders = [consul === '' ? undefined : at(consul), floor, at(undefined)];
  return contestOf('the day: processor', 's', 'less', contenders, [bare.stop]);
}

const spent = ({ serverS }: { readonly serverS: number }): Found => ({
  value: serverS,
  us: Number.NaN,
});

/** At so many requests a second. */
function loaded(pid: number, ms: number, load: () => Promise<number>): Contender {
  return {
    async measure() {
      const before = await usedBy(pid);
      const value = await load();
      return { value, us: ((await usedBy(pid)).all - before.all) / ((value * ms) / 1000) };
    },
  };
}

function contestOf(
  what: string,
  unit: string,
  better: Contest['better'],
  contenders: Contest['contenders'],
  stops: readonly Stop[],
): Contest {
  const stop = async () => {
    for (const each of stops) await each();
  };
  return { what, unit, better, contenders, stop };
}

async function startBare(
  kind: 'tcp' | 'day' | 'udp',
  size: number,
): Promise<Asked & { stop: Stop }> {
  const child = fork(path.join(import.meta.dirname, 'bare.ts'), [kind, String(size)]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (said: { readonly port: number }) => resolve(said.port));
    child.once('exit', () => reject(new Error('the bare socket has ended')));
  });
  return { port, pid: child.pid as number, stop: () => end(child) };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGKILL');
  await ended;
}
