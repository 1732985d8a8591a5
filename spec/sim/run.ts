/** One run of the simulator: a seed, workloads, faults, rest, and the verdicts. */
import { loadRules } from '../../xds/refusable.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { type Log, SimCluster } from './cluster.ts';
import { agentDies } from './faults/agents.ts';
import { redisSetBack } from './faults/clocks.ts';
import type { Draw, Fault } from './faults/fault.ts';
import {
  dieAtAnswer,
  forgetUnagreed,
  forgetWritten,
  loseAll,
  loseForgotten,
  partition,
  restartBehind,
  still,
  unheard,
} from './faults/redis.ts';
import { type Aim, drawFaults, lastFaultMs } from './faults/schedule.ts';
import {
  allStill,
  away,
  longStill,
  losePowerAtSync,
  restart,
  serverStill,
  snapshotAndRestart,
} from './faults/servers.ts';
import type { Recorder } from './redis/recorder.ts';
import { complaints, leftOver, replicasAlike } from './verdicts.ts';
import { Access } from './workloads/access.ts';
import { Agents } from './workloads/agents.ts';
import { Archives } from './workloads/archives.ts';
import { Beats } from './workloads/beats.ts';
import { Containers } from './workloads/containers.ts';
import { Defaults } from './workloads/defaults.ts';
import { Dns } from './workloads/dns.ts';
import { Entries } from './workloads/entries.ts';
import { Envoys } from './workloads/envoys.ts';
import { Eureka } from './workloads/eureka.ts';
import { Events } from './workloads/events.ts';
import { External } from './workloads/external.ts';
import { LargeValues } from './workloads/large-values.ts';
import { LeaseHolders } from './workloads/leases.ts';
import { Locks } from './workloads/locks.ts';
import { Near } from './workloads/near.ts';
import { Notices } from './workloads/notices.ts';
import { Passed } from './workloads/passed.ts';
import { Past } from './workloads/past.ts';
import { PodsOfCluster } from './workloads/pods.ts';
import { Probes } from './workloads/probes.ts';
import { Proxies } from './workloads/proxies.ts';
import { Queries } from './workloads/queries.ts';
import { Registers } from './workloads/registers.ts';
import { Rotation } from './workloads/rotation.ts';
import { Transactions } from './workloads/transactions.ts';
import { Watchers } from './workloads/watchers.ts';
import type { Workload } from './workloads/workload.ts';

/** After the last fault: everything must have healed by then. */
const REST_MS = 20_000;
/** So many times longer than it is to last: somebody waits for what never comes. */
const LONGEST = 5;
/** Around a fault, when clients do most. */
const STORM_BEFORE_MS = 300;
const STORM_AFTER_MS = 2500;

export const WORKLOADS = {
  registers: (cluster: SimCluster) => new Registers(cluster),
  watchers: (cluster: SimCluster) => new Watchers(cluster),
  leases: (cluster: SimCluster) => new LeaseHolders(cluster),
  locks: (cluster: SimCluster) => new Locks(cluster),
  agents: (cluster: SimCluster) => new Agents(cluster),
  transactions: (cluster: SimCluster) => new Transactions(cluster),
  dns: (cluster: SimCluster) => new Dns(cluster),
  queries: (cluster: SimCluster) => new Queries(cluster),
  events: (cluster: SimCluster) => new Events(cluster),
  access: (cluster: SimCluster) => new Access(cluster),
  beats: (cluster: SimCluster) => new Beats(cluster),
  containers: (cluster: SimCluster) => new Containers(cluster),
  entries: (cluster: SimCluster) => new Entries(cluster),
  notices: (cluster: SimCluster) => new Notices(cluster),
  past: (cluster: SimCluster) => new Past(cluster),
  large: (cluster: SimCluster) => new LargeValues(cluster),
  eureka: (cluster: SimCluster) => new Eureka(cluster),
  external: (cluster: SimCluster) => new External(cluster),
  probes: (cluster: SimCluster) => new Probes(cluster),
  passed: (cluster: SimCluster) => new Passed(cluster),
  defaults: (cluster: SimCluster) => new Defaults(cluster),
  rotation: (cluster: SimCluster) => new Rotation(cluster),
  archives: (cluster: SimCluster) => new Archives(cluster),
  pods: (cluster: SimCluster) => new PodsOfCluster(cluster),
  near: (cluster: SimCluster) => new Near(cluster),
  envoys: (cluster: SimCluster) => new Envoys(cluster),
  proxies: (cluster: SimCluster) => new Proxies(cluster),
} satisfies Record<string, (cluster: SimCluster) => Workload>;

export type WorkloadName = keyof typeof WORKLOADS;

export interface RunOptions {
  readonly seed: number;
  readonly log?: Log;
  readonly seconds?: number;
  readonly workloads?: readonly WorkloadName[];
  /** In place of as many as the workloads need. */
  readonly agents?: number;
  /** In place of those that the seed draws. */
  readonly faults?: readonly Fault[];
  /** Of each Redis, where a spec has real ones do the same. */
  readonly taps?: readonly Recorder[];
  /** Whether what is left over is to say where it comes from: it takes its time. */
  readonly keepsOrigins?: boolean;
}

export interface RunResult {
  readonly verdicts: readonly string[];
  readonly faults: readonly Fault[];
  readonly trace: readonly string[];
  readonly events: number;
  /** What passed in the world. */
  readonly simulatedMs: number;
}

const NEED_AGENTS: readonly WorkloadName[] = [
  ...['agents', 'dns', 'containers', 'probes', 'passed', 'defaults', 'envoys', 'proxies'],
] as WorkloadName[];
const AGENTS = 3;
/** Some find Redis by its sentinels. */
const SENTINELS_EVERY = 4;
/** Some seeds have agents that nobody needs: clients ask through them too. */
const EVERY = 3;
export const NAMES = Object.keys(WORKLOADS) as readonly WorkloadName[];
/** What lives with others, in a log that is not sealed. */
export const ALL: readonly WorkloadName[] = NAMES.filter(
  (name) => name !== 'archives' && name !== 'rotation',
);
/** Who restores an archive takes away what others have done, but for these. */
const BEAR_ARCHIVES: readonly WorkloadName[] = ['archives', 'large'];
/** Of a run that nobody says more of: others come to other seeds, and each run is the sooner over. */
const [MIN_KINDS, MAX_KINDS] = [2, 4];

/** Some of all, other ones for other seeds: what one kind hides from another is hidden in some runs only. */
export function someWorkloads(
  seed: number,
  among: readonly WorkloadName[] = NAMES,
): readonly WorkloadName[] {
  const random = seededRandom(seed ^ 0x3a11);
  const count = MIN_KINDS + Math.floor(random.next() * (MAX_KINDS - MIN_KINDS + 1));
  const ranked = among.map((name) => ({ name, rank: random.next() }));
  ranked.sort((a, b) => a.rank - b.rank);
  const some = ranked.slice(0, count).map(({ name }) => name);
  return some.includes('archives') ? BEAR_ARCHIVES : some;
}

/** What each workload is for, of what its log may meet; a run has the first of it. */
export const AIMS: Partial<Record<WorkloadName, Aim>> = {
  agents: { draws: times(6, agentDies) },
  dns: { draws: times(4, unheard) },
  eureka: { draws: times(5, unheard) },
  external: { draws: [away], isAlone: true },
  // A silence has every lease counted anew, also those of which a clock has made too long ones.
  large: { draws: [serverStill, longStill, serverStill] },
  leases: { draws: [longStill, redisSetBack, allStill], last: [redisSetBack] },
  registers: {
    draws: [
      ...[forgetUnagreed, forgetWritten, losePowerAtSync, snapshotAndRestart],
      ...[dieAtAnswer, unheard, restartBehind],
      ...[forgetUnagreed, forgetWritten, losePowerAtSync, dieAtAnswer],
      ...[forgetUnagreed, ...times(3, losePowerAtSync), snapshotAndRestart, restart],
    ],
  },
  rotation: { draws: [away, loseForgotten, loseAll, loseForgotten] },
  watchers: { draws: [partition, still, partition, still] },
};

function times(count: number, draw: Draw): readonly Draw[] {
  return Array<Draw>(count).fill(draw);
}

/** Of all workloads together: none. */
export function aimOf(names: readonly WorkloadName[]): Aim {
  if (names.length === ALL.length) return { draws: [] };
  return {
    draws: inTurn(names.map((name) => AIMS[name]?.draws ?? [])),
    last: names.flatMap((name) => AIMS[name]?.last ?? []),
    isAlone: names.every((name) => AIMS[name]?.isAlone === true),
  };
}

function inTurn<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }).flatMap((_, i) => {
    return lists.flatMap((list) => list.slice(i, i + 1));
  });
}

/** Those that a seed draws for itself. */
export function faultsOf({
  seed,
  log = 'quorum',
  seconds = 60,
  workloads = ALL,
}: RunOptions): Fault[] {
  const aim = aimOf(workloads);
  // Of its own for each kind of run: else one seed would be without faults in all of them.
  const random = seededRandom(seed ^ sumOf(`${log} ${workloads}`));
  return drawFaults(random, { log, untilMs: lastFaultMs(seconds), aim });
}

function sumOf(text: string): number {
  return [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 0);
}

export async function run(options: RunOptions): Promise<RunResult> {
  const { seed, log = 'quorum', seconds = 60, workloads: names = ALL } = options;
  const faults = options.faults ?? faultsOf(options);
  const splits = faults.some((fault) => fault.splits === true);
  const loses = faults.some((fault) => fault.loses === true);
  const needsAgents = names.some((name) => NEED_AGENTS.includes(name)) || seed % EVERY === 0;
  const { agents = needsAgents ? AGENTS : 0 } = options;
  // What is loaded when it is first asked for takes real time, in which a world goes on: the first one would be another.
  await loadRules();
  const cluster = new SimCluster({
    seed,
    log,
    agents,
    splits,
    loses,
    isFaultless: faults.length === 0,
    hasAccess: names.includes('access'),
    isSealed: names.includes('rotation'),
    hasContainers: names.includes('containers'),
    hasSidecars: names.includes('proxies'),
    hasKube: names.includes('pods'),
    ...(options.taps && {
      taps: options.taps,
      scripts: options.taps.map(({ scripts }) => scripts),
    }),
    hasSentinels: log !== 'file' && seed % SENTINELS_EVERY === 1,
  });
  const { world } = cluster;
  if (options.keepsOrigins === true) world.keepOrigins();
  const uncaught = (error: unknown) => world.fail(error);
  process.on('unhandledRejection', uncaught);
  try {
    const workloads: Workload[] = names.map((name) => WORKLOADS[name](cluster));
    const verdicts: string[] = [];
    try {
      const longMs = LONGEST * (seconds * 1000 + REST_MS);
      const late = world
        .sleep(longMs)
        .then(() => Promise.reject(new Error('it does not come to an end')));
      await world.until(Promise.race([late, live(cluster, workloads, faults, seconds * 1000)]));
    } catch (error) {
      verdicts.push(`broken: ${error instanceof Error ? error.stack : String(error)}`);
    }
    verdicts.push(...cluster.history.verdict(), ...cluster.answers.verdict());
    verdicts.push(...workloads.flatMap((each) => each.verdict(judgedUntil(each, faults))));
    if (verdicts.length === 0) verdicts.push(...(await lastVerdicts(cluster, faults)));
    const { trace, events, now } = world;
    return { verdicts, faults, trace, events, simulatedMs: now };
  } finally {
    await cluster.end();
    process.off('unhandledRejection', uncaught);
  }
}

/** What clients were told may be gone from then on, and most of them cannot know. */
function judgedUntil({ bearsLoss }: Workload, faults: readonly Fault[]): number {
  if (bearsLoss === true) return Number.POSITIVE_INFINITY;
  const losses = faults.filter(({ loses }) => loses === true);
  return Math.min(...losses.map(({ atMs }) => atMs));
}

/** What can only be seen where all has gone well so far. */
async function lastVerdicts(cluster: SimCluster, faults: readonly Fault[]): Promise<string[]> {
  return [
    ...replicasAlike(cluster),
    ...complaints(cluster, faults, REST_MS),
    ...(await cluster.world.until(leftOver(cluster))),
  ];
}

async function live(
  cluster: SimCluster,
  workloads: readonly Workload[],
  faults: readonly Fault[],
  untilMs: number,
): Promise<void> {
  const { world } = cluster;
  cluster.endsAt = untilMs;
  await cluster.start();
  for (const { atMs, lastsMs, what, strike } of faults) {
    const before = atMs - STORM_BEFORE_MS;
    void world
      .sleep(before - world.now)
      .then(() => cluster.storm(STORM_BEFORE_MS + lastsMs + STORM_AFTER_MS));
    void world.sleep(atMs - world.now).then(() => {
      world.say(`fault: ${what}`);
      cluster.struck(lastsMs);
      strike(cluster);
    });
  }
  await Promise.all(workloads.map((each) => each.run(untilMs)));
  cluster.disarm();
  await world.sleep(REST_MS);
  for (const each of workloads) await each.look?.();
}
