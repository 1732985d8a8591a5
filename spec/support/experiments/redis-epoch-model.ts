/**
 * Three servers and two Redises as a model small enough to be gone through whole: `planEpoch` decides,
 * and everything around it may come in any order. A server may be led to either Redis at any moment,
 * crash, or stay away; what it has shown to a Redis stays there until an epoch begins there.
 */
import { type Ballot, NO_BALLOT } from '../../../server/log/redis/repair/ballot-file.ts';
import { ballotFor, type planEpoch } from '../../../server/log/redis/repair/epoch-plan.ts';
import type { EpochStart } from '../../../server/log/redis/repair/epochs.ts';
import type { Candidate, View } from '../../../server/log/redis/repair/view.ts';
import { seededRandom } from '../fakes/seeded-random.ts';

const SERVERS = 3;
/** Everybody is as hasty as may be: no time that is left to others is waited for. */
const LIMITS = { settleMs: 0, quorumOf: SERVERS };

interface Store {
  readonly run: string;
  epochRun: string;
  epoch: number;
  log: string[];
  candidates: (Candidate | null)[];
  /** Of each server: the epoch and length that it last reported to have applied. */
  applied: ([number, number] | null)[];
  epochs: EpochStart[];
}

interface Server {
  at: number;
  /** In which it may write; 0 when it may not. */
  live: number;
  epoch: number;
  log: string[];
  ballot: Ballot;
}

interface World {
  stores: Store[];
  servers: Server[];
  written: number;
  crashes: number;
  /** Each acknowledged entry with the epoch of its acknowledgement. */
  acked: [string, number][];
}

interface Bounds {
  readonly writes: number;
  readonly crashes: number;
  readonly maxEpoch: number;
  /** As of servers without a disk. */
  readonly forgetsBallots?: boolean;
}

/** One Redis with one entry that all have applied, and a replica of it that nobody uses yet. */
function beginning(): World {
  const log = ['1a'];
  const store = (run: string) => ({
    ...{ run, epochRun: 'm1', epoch: 1, log: [...log] },
    candidates: [null, null, null],
    applied: [null, null, null],
    epochs: [],
  });
  const server = () => ({ at: 0, live: 1, epoch: 1, log: [...log], ballot: NO_BALLOT });
  return {
    stores: [store('m1'), store('m2')],
    servers: [server(), server(), server()],
    ...{ written: 0, crashes: 0, acked: [['1a', 1]] },
  };
}

/** Changes a world, or leaves it and answers false. */
type Step = (world: World, bounds: Bounds, plan: PlanOf) => boolean;
type PlanOf = typeof planEpoch;

const STEPS: readonly (readonly [string, Step])[] = [0, 1, 2].flatMap((s): [string, Step][] => [
  [`s${s} writes`, (world, bounds) => write(world, s, bounds)],
  [`s${s} reads`, (world) => read(world, s)],
  [`s${s} crashes`, (world, bounds) => crash(world, s, bounds)],
  [`s${s} looks at m1`, (world, bounds, plan) => look(world, s, 0, bounds, plan)],
  [`s${s} looks at m2`, (world, bounds, plan) => look(world, s, 1, bounds, plan)],
]);

/** Goes through all histories of so many steps; `lost` is the first that lost something. */
export function everyHistory(plan: PlanOf, bounds: Bounds, length: number) {
  const seen = new Set<string>();
  let histories: History[] = [{ world: beginning(), path: [] }];
  for (let depth = 0; depth < length; depth++) {
    const next: History[] = [];
    for (const history of histories) {
      for (const each of oneStepOn(history, bounds, plan)) {
        const key = JSON.stringify(each.world);
        if (seen.has(key)) continue;
        if (lostIn(each.world)) return { worlds: seen.size, lost: each.path };
        seen.add(key);
        next.push(each);
      }
    }
    histories = next;
  }
  return { worlds: seen.size, lost: undefined };
}

interface History {
  readonly world: World;
  readonly path: readonly string[];
}

function* oneStepOn({ world, path }: History, bounds: Bounds, plan: PlanOf): Generator<History> {
  for (const [name, step] of STEPS) {
    const after = copyOf(world);
    if (step(after, bounds, plan)) yield { world: after, path: [...path, name] };
  }
}

const WALK_STEPS = 100;

/** So many histories by chance; `lost` is the first that lost something. */
export function randomHistories(plan: PlanOf, bounds: Bounds, seed: number, count: number) {
  const random = seededRandom(seed);
  let epochs = 0;
  for (let i = 0; i < count; i++) {
    const world = beginning();
    const path: string[] = [];
    for (let n = 0; n < WALK_STEPS; n++) {
      const [name, step] = at(STEPS, Math.floor(random.next() * STEPS.length));
      if (!step(world, bounds, plan)) continue;
      path.push(name);
      if (lostIn(world)) return { epochs, lost: path };
    }
    epochs += world.stores.reduce((sum, { epochs: made }) => sum + made.length, 0);
  }
  return { epochs, lost: undefined };
}

/** Rows in there are replaced and never changed; lists and what holds them are not shared. */
function copyOf({ stores, servers, ...rest }: World): World {
  return {
    ...rest,
    acked: [...rest.acked],
    stores: stores.map((store) => ({
      ...store,
      log: [...store.log],
      candidates: [...store.candidates],
      applied: [...store.applied],
      epochs: [...store.epochs],
    })),
    servers: servers.map((server) => ({ ...server, log: [...server.log] })),
  };
}

/** What was acknowledged and is not in a Redis that has begun an epoch since, or counts for more. */
function lostIn({ stores, acked }: World): boolean {
  return acked.some(([id, epoch]) =>
    stores.some((r) => r.epochRun === r.run && r.epoch >= epoch && !r.log.includes(id)),
  );
}

function write(world: World, s: number, { writes }: Bounds): boolean {
  const server = at(world.servers, s);
  const store = at(world.stores, server.at);
  if (!isOpen(store, server) || world.written >= writes) return false;
  store.log.push(`${store.epoch}${'bcdefg'[world.written++]}`);
  return true;
}

/** Applies all there is to read, and says so where Redis is still of the same epoch. */
function read(world: World, s: number): boolean {
  const server = at(world.servers, s);
  const store = at(world.stores, server.at);
  if (server.live === 0 || !startsWith(store.log, server.log)) return false;
  server.log = [...store.log];
  if (!isOpen(store, server)) return true;
  store.applied[s] = [store.epoch, server.log.length];
  store.log.forEach((id, i) => {
    const votes = store.applied.filter((each) => each?.[0] === store.epoch && each[1] > i);
    const known = world.acked.some(([acked]) => acked === id);
    if (votes.length * 2 > SERVERS && !known) world.acked.push([id, store.epoch]);
  });
  return true;
}

/** Its memory is gone; what it has promised is on its disk. */
function crash(world: World, s: number, { crashes, forgetsBallots }: Bounds): boolean {
  if (world.crashes >= crashes) return false;
  world.crashes++;
  const { at: where, ballot: kept } = at(world.servers, s);
  const ballot = forgetsBallots === true ? NO_BALLOT : kept;
  world.servers[s] = { at: where, live: 0, epoch: 0, log: [], ballot };
  return true;
}

/** Goes to a Redis, looks at it as VIEW does, and does what the plan says. */
function look(world: World, s: number, r: number, { maxEpoch }: Bounds, plan: PlanOf): boolean {
  const server = at(world.servers, s);
  const store = at(world.stores, r);
  // Who is live and content need not look again.
  if (server.at === r && isOpen(store, server)) return false;
  if (store.epoch >= maxEpoch && store.epochRun !== store.run) return false;
  Object.assign(server, { at: r, live: 0 });
  const first = decide(world, s, plan);
  if (first.kind !== 'wait' || first.promise === undefined) return carryOut(world, s, first);
  server.ballot = first.promise;
  return carryOut(world, s, decide(world, s, plan));
}

function decide(world: World, s: number, plan: PlanOf) {
  const server = at(world.servers, s);
  const store = at(world.stores, server.at);
  const { run, epoch, elsewhere } = server.ballot;
  const [ballot, other] = run === store.run ? [epoch, elsewhere] : [0, epoch];
  if (store.epoch < other) store.epochRun = '';
  const index = server.log.length;
  const hash = server.log.join();
  const warm = server.epoch > 0;
  const inEpoch = store.epochRun === store.run && store.epoch >= server.epoch;
  if (!inEpoch || store.log.length < index) {
    const name = `s${s}`;
    store.candidates[s] = {
      server: name,
      epoch: server.epoch,
      index,
      hash,
      warm,
      ballot,
      start: 0,
    };
  }
  const users = world.servers.flatMap((each, i) =>
    each.at === server.at && isOpen(store, each) ? [`s${i}`] : [],
  );
  return plan(
    { ...viewOf(store, index), users },
    {
      ...{ server: `s${s}`, epoch: server.epoch, baseIndex: 0, warm, ballot: server.ballot },
      epochs: [],
      position: { index, epoch: 0, hash, t: 0 },
      hashAt: (i) => (i <= index ? server.log.slice(0, i).join() : undefined),
      peers: [],
    },
    LIMITS,
  );
}

function viewOf(store: Store, mine: number): View {
  const { run, epochRun, epoch, log, candidates, epochs } = store;
  return {
    ...{
      run,
      epochRun,
      epoch,
      epochs,
      t: 0,
      floor: 0,
      floorHash: '',
      state: '',
      live: [],
      users: [],
    },
    ...{ index: log.length, length: log.length, hash: log.join(), next: log.length + 1 },
    ...{ firstIndex: log.length > 0 ? 1 : 0, consistent: true, sinceMs: 1e9 },
    hashAtMine: mine <= log.length ? log.slice(0, mine).join() : '',
    candidates: candidates.filter((each) => each !== null),
  };
}

function carryOut(world: World, s: number, plan: ReturnType<typeof planEpoch>): boolean {
  const server = at(world.servers, s);
  const store = at(world.stores, server.at);
  switch (plan.kind) {
    case 'wait':
      return true;
    case 'yield':
      Object.assign(server, { log: [], epoch: 0 });
      return true;
    case 'adopt': {
      // Indexes have no gaps here: each start would make another world of the same.
      server.ballot = { ...ballotFor(viewOf(store, 0), server.ballot, LIMITS), start: 0 };
      Object.assign(server, { log: [...store.log], epoch: store.epoch, live: store.epoch });
      return true;
    }
    case 'begin':
      if (plan.first !== 'keep') store.log = [...server.log];
      store.epochs.push({ epoch: plan.epoch, index: store.log.length, mark: `${s}` });
      Object.assign(store, { epochRun: store.run, epoch: plan.epoch });
      store.candidates = [null, null, null];
      return true;
  }
}

function isOpen(store: Store, server: Server): boolean {
  return server.live > 0 && store.epochRun === store.run && store.epoch === server.live;
}

function startsWith(log: readonly string[], start: readonly string[]): boolean {
  return start.every((id, i) => log[i] === id);
}

function at<T>(list: readonly T[], i: number): T {
  const found = list[i];
  if (found === undefined) throw new Error(`there is no ${i}`);
  return found;
}
