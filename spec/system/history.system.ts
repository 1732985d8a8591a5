/**
 * What is remembered is what happened. Three servers on one Redis take a schedule of flips of checks, by seeds,
 * while followers and leaders are killed, a snapshot is saved and the log before it trimmed, Redis is
 * restarted, and all servers begin anew. Then each server tells each flip once, in order, at a time within which it was
 * written, with what the check said; and how available each service was, to the second.
 *
 *   node --import tsx spec/system/history.system.ts [flips, 1000]
 */
import assert from 'node:assert/strict';
import type { Random } from '../../lib/random.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { SEED } from '../support/seed.ts';
import { Cluster, type ServerProcess } from '../support/servers/cluster.ts';
import { pause } from '../support/servers/log-servers.ts';
import type { Answer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const [flips = 1000] = process.argv.slice(2).map(Number);
const SERVICES = 4;
const INSTANCES = 5;
const PATIENCE_MS = 120_000;
/** A server takes a snapshot when so much has been written since the last one. */
const FILL = { values: 130, bytes: 500_000 };
/** Clocks are one and the same here; a time is told in whole milliseconds. */
const ROUNDED_MS = 2;
const S = 1000;

/** One that was asked for, and when its answer came. */
interface Flip {
  readonly service: string;
  readonly id: string;
  readonly status: string;
  readonly output: string;
  readonly from: number;
  readonly to: number;
}

interface Row {
  readonly Time: string;
  readonly ServiceID: string;
  readonly CheckID: string;
  readonly From: string;
  readonly To: string;
  readonly Output: string;
}

interface Available {
  readonly Time: string;
  readonly Windows: readonly {
    readonly Window: string;
    readonly UpSeconds: number;
    readonly KnownSeconds: number;
    readonly UnknownSeconds: number;
    readonly Outages: number;
  }[];
}

await report(async (say) => {
  const cluster = await Cluster.start({ servers: 3 });
  try {
    const random = seededRandom(SEED);
    const done = await runSchedule(cluster, random, say);
    for (const server of cluster.servers) await server.untilReady();
    let worst = 0;
    for (const server of cluster.servers) {
      for (const service of new Set(done.map((flip) => flip.service))) {
        const of = done.filter((flip) => flip.service === service);
        const rows = await rowsOf(server, service);
        checkHistory(rows, of);
        worst = Math.max(worst, await checkAvailability(server, service, { rows, of }));
      }
    }
    say(`${done.length} flips, each told once by each of 3 servers, in order, when it was written`);
    say(`availability differs from the schedule's own by ${worst.toFixed(3)} s at most`);
    return 0;
  } finally {
    await cluster.stop();
  }
});

async function runSchedule(cluster: Cluster, random: Random, say: (line: string) => void) {
  const { servers, redis } = cluster;
  const done: Flip[] = [];
  const status = new Map<string, string>();
  const happenings = new Map<number, () => Promise<void>>([
    [Math.floor(flips * 0.2), () => restart(servers, false, say)],
    [Math.floor(flips * 0.35), () => restart(servers, true, say)],
    [Math.floor(flips * 0.5), () => takeSnapshot(servers, say)],
    [Math.floor(flips * 0.65), () => restart(servers, true, say)],
    [
      Math.floor(flips * 0.75),
      async () => {
        await redis?.kill();
        await redis?.start();
        say('Redis was restarted');
      },
    ],
    [
      Math.floor(flips * 0.9),
      async () => {
        for (const server of servers) await server.kill();
        for (const server of servers) server.start();
        say('all servers began anew, from the snapshot and the log behind it');
      },
    ],
  ]);
  for (let at = 0; done.length < flips; at++) {
    // The first of each instance is its registration.
    const isFirst = at < SERVICES * INSTANCES;
    const drawn = isFirst ? at : Math.floor(random.next() * SERVICES * INSTANCES);
    const id = `s${drawn % SERVICES}-${Math.floor(drawn / SERVICES)}`;
    const before = status.get(id);
    const next = before === 'passing' ? 'critical' : 'passing';
    status.set(id, next);
    await happenings.get(done.length)?.();
    done.push(
      await flip(servers, {
        service: `s${drawn % SERVICES}`,
        id,
        status: next,
        output: `flip ${at}`,
      }),
    );
    await pause(Math.floor(random.next() * 150));
  }
  return done;
}

/** Written again until a server has said that it stands: the same once more changes nothing. */
async function flip(
  servers: readonly ServerProcess[],
  { service, id, status, output }: Omit<Flip, 'from' | 'to'>,
): Promise<Flip> {
  const body = {
    Node: 'external',
    Address: '10.0.0.9',
    Service: { ID: id, Service: service },
    Check: { CheckID: `c-${id}`, Name: 'c', Status: status, ServiceID: id, Output: output },
  };
  const from = Date.now();
  let to = from;
  await until(
    async () => {
      for (const server of servers) {
        const signal = AbortSignal.timeout(3000);
        const sent = { body, signal };
        const answer = await server.ask('PUT', '/v1/catalog/register', sent).catch(() => undefined);
        to = Date.now();
        if (answer?.status === 200) return true;
      }
      return false;
    },
    () => `${id} is not written`,
    PATIENCE_MS,
  );
  return { service, id, status, output, from, to };
}

async function restart(
  servers: readonly ServerProcess[],
  leads: boolean,
  say: (line: string) => void,
): Promise<void> {
  for (const server of servers) {
    const figures = await server.ask('GET', '/v1/agent/self').catch(() => undefined);
    const { Stats } = (figures?.json ?? {}) as { Stats?: { consul: { leader: string } } };
    if ((Stats?.consul.leader === 'true') !== leads) continue;
    await server.kill();
    server.start();
    say(`${server.name}, which ${leads ? 'led' : 'followed'}, was killed and started again`);
    return;
  }
}

async function takeSnapshot(servers: readonly ServerProcess[], say: (line: string) => void) {
  const [server] = servers;
  assert.ok(server);
  const value = Buffer.alloc(FILL.bytes, 'x').toString();
  for (let i = 0; i < FILL.values; i++) {
    const path = `/v1/kv/fill/${i % 10}`;
    const answer: Answer = await server.ask('PUT', path, { body: value });
    assert.equal(answer.status, 200);
  }
  const saved = async () => {
    for (const each of servers) {
      const { json } = await each.ask('GET', '/v1/agent/metrics');
      const { Samples } = json as { Samples: readonly { Name: string; Count: number }[] };
      const of = Samples.find(({ Name }) => Name.endsWith('snapshot.save'));
      if ((of?.Count ?? 0) > 0) return true;
    }
    return false;
  };
  await until(saved, () => 'no snapshot is saved', PATIENCE_MS);
  say('a snapshot was saved');
}

async function rowsOf(server: ServerProcess, service: string): Promise<readonly Row[]> {
  const { json } = await server.ask('GET', `/v1/internal/history/service/${service}?limit=10000`);
  return json as readonly Row[];
}

function checkHistory(rows: readonly Row[], of: readonly Flip[]): void {
  for (const id of new Set(of.map((flip) => flip.id))) {
    const told = rows.filter(({ ServiceID, CheckID }) => ServiceID === id && CheckID !== '');
    const expected = of.filter((flip) => flip.id === id);
    assert.deepEqual(
      told.map(({ From, To, Output }) => [From, To, Output]),
      expected.map(({ status, output }, at) => [
        expected[at - 1]?.status ?? 'absent',
        status,
        output,
      ]),
    );
    for (const [at, { Time }] of told.entries()) {
      const t = Date.parse(Time);
      const { from = 0, to = 0 } = expected[at] ?? {};
      assert.ok(
        t >= from - ROUNDED_MS && t <= to + ROUNDED_MS,
        `${Time} is not within ${from} to ${to}`,
      );
    }
  }
}

interface Known {
  readonly rows: readonly Row[];
  readonly of: readonly Flip[];
}

/** Answers by how much it differs from the schedule, as far as that was written without waiting. */
async function checkAvailability(
  server: ServerProcess,
  service: string,
  { rows, of }: Known,
): Promise<number> {
  const path = `/v1/internal/availability/service/${service}`;
  const { Time, Windows } = (await server.ask('GET', path)).json as Available;
  const end = Date.parse(Time);
  const [hour] = Windows;
  assert.ok(hour);
  const unknown = 3600 - hour.KnownSeconds - beforeAll(rows, end);
  assert.ok(Math.abs(hour.UnknownSeconds - unknown) < 0.001, `${hour.UnknownSeconds} s unknown`);
  const byLog = rows
    .filter(({ CheckID }) => CheckID !== '')
    .map(({ Time: at, ServiceID, To }) => ({ t: Date.parse(at), id: ServiceID, status: To }));
  const exact = upOf(byLog, end);
  assert.equal(Math.round(hour.UpSeconds * S), exact.upMs, service);
  assert.equal(hour.Outages, exact.outages, service);
  const bySchedule = of.map(({ to: t, id, status }) => ({ t, id, status }));
  const differs = Math.abs(upOf(bySchedule, end).upMs - exact.upMs) / S;
  const waited = of.reduce((sum, { from, to }) => sum + (to - from > S ? to - from : 0), 0) / S;
  assert.ok(
    differs <= 1 + waited,
    `${service} differs by ${differs} s, of which ${waited} s waiting`,
  );
  return Math.max(0, differs - waited);
}

/** Of the last hour, what was before the first registration: that is no time of the service. */
function beforeAll(rows: readonly Row[], end: number): number {
  return (3600 * S - (end - Date.parse(rows[0]?.Time ?? ''))) / S;
}

interface Stood {
  readonly t: number;
  readonly id: string;
  readonly status: string;
}

/** While one instance passes, the service is up. */
function upOf(all: readonly Stood[], end: number): { upMs: number; outages: number } {
  const passing = new Set<string>();
  const inOrder = [...all].sort((a, b) => a.t - b.t);
  let [upMs, outages, last] = [0, 0, inOrder[0]?.t ?? end];
  for (const { t, id, status } of [...inOrder, { t: end, id: '', status: 'end' }]) {
    const wasUp = passing.size > 0;
    if (wasUp) upMs += t - last;
    last = t;
    if (status === 'passing') passing.add(id);
    else passing.delete(id);
    if (wasUp && passing.size === 0) outages++;
  }
  return { upMs, outages };
}
