/** Balancers that share nothing, and hosts with queues, in a time of its own: what a policy does to latency. */
import { Balancer, type BalancerRules } from '../../lib/balance/balancer.ts';
import { type HedgeRules, Hedging } from '../../lib/balance/hedging.ts';
import type { Endpoint, Host } from '../../lib/balance/host.ts';
import type { Random } from '../../lib/random.ts';
import { seededRandom } from './fakes/seeded-random.ts';

export interface SimulatedHost {
  readonly endpoint: Endpoint;
  /** Of an answer, once it is worked on, at that second; by an exponential distribution. */
  readonly meanMs: number | ((second: number) => number);
  /** Whether its answers at that second are failures. */
  readonly fails?: (second: number) => boolean;
  /** Calls that are worked on at once. */
  readonly workers: number;
}

export interface Simulated {
  readonly seed: number;
  readonly rules: BalancerRules;
  readonly balancers: number;
  readonly hosts: readonly SimulatedHost[];
  readonly callsPerSecond: number;
  readonly seconds: number;
  /** A second call beside a slow one. */
  readonly hedging?: HedgeRules;
  /** Of all calls that part takes fifty times as long: whoever works on it has a bad moment. */
  readonly slowPart?: number;
  /** In place of the policy. */
  readonly choose?: (balancer: Balancer, random: Pick<Random, 'next'>) => Host | undefined;
  /** Hosts that come at that second. */
  readonly joining?: { readonly second: number; readonly hosts: readonly SimulatedHost[] };
}

interface Station {
  readonly of: SimulatedHost;
  /** When each of its workers is free. */
  readonly freeAt: number[];
  calls: number;
  inside: number;
  /** The most that were there at once. */
  peak: number;
}

interface Event {
  readonly at: number;
  readonly run: () => void;
}

export function simulate(of: Simulated) {
  const random = seededRandom(of.seed);
  const events: Event[] = [];
  const time = { ms: 0 };
  const stations = new Map<string, Station>();
  const open = (hosts: readonly SimulatedHost[]) => {
    for (const host of hosts) {
      const freeAt = new Array<number>(host.workers).fill(0);
      stations.set(host.endpoint.id, { of: host, freeAt, calls: 0, inside: 0, peak: 0 });
    }
    const listed = [...stations.values()].map((station) => station.of.endpoint);
    for (const balancer of balancers) balancer.update(listed);
  };
  const scales = { random, now: () => time.ms };
  const balancers = Array.from({ length: of.balancers }, () => new Balancer(of.rules, scales));
  open(of.hosts);
  const exponential = (mean: number) => -Math.log(1 - random.next()) * mean;
  const latencies: number[] = [];
  const sent: { readonly second: number; readonly id: string }[] = [];
  const hedging = of.hedging && new Hedging(of.hedging);
  let second = 0;
  const workMs = (mean: number) =>
    exponential(mean) * (of.slowPart !== undefined && random.next() < of.slowPart ? 50 : 1);
  /** At one host: calls `done` when it has answered. */
  const send = (balancer: Balancer, host: Host, done: () => void) => {
    const station = stations.get(host.id);
    if (station === undefined) return;
    const begun = time.ms;
    const end = balancer.begin(host);
    const worker = station.freeAt.indexOf(Math.min(...station.freeAt));
    const { meanMs, fails } = station.of;
    const mean = typeof meanMs === 'number' ? meanMs : meanMs(begun / 1000);
    const doneAt = Math.max(begun, station.freeAt[worker] ?? 0) + workMs(mean);
    sent.push({ second: begun / 1000, id: host.id });
    station.freeAt[worker] = doneAt;
    station.calls++;
    station.peak = Math.max(station.peak, ++station.inside);
    push(events, {
      at: doneAt,
      run: () => {
        station.inside--;
        end({ ok: fails?.(doneAt / 1000) !== true, ms: doneAt - begun });
        done();
      },
    });
  };
  const call = () => {
    push(events, { at: time.ms + exponential(1000 / of.callsPerSecond), run: call });
    const balancer = balancers[Math.floor(random.next() * balancers.length)];
    const host = balancer && (of.choose ? of.choose(balancer, random) : balancer.choose());
    if (balancer === undefined || host === undefined) return;
    const begun = time.ms;
    let isOver = false;
    const done = () => {
      if (isOver) return;
      isOver = true;
      hedging?.took(time.ms - begun);
      latencies.push(time.ms - begun);
    };
    hedging?.called(time.ms);
    send(balancer, host, done);
    if (hedging?.slowMs === undefined) return;
    push(events, {
      at: time.ms + hedging.slowMs,
      run: () => {
        const other = balancer.choose({ avoid: new Set([host]) });
        if (isOver || other === undefined || !hedging.take(time.ms)) return;
        second++;
        send(balancer, other, done);
      },
    });
  };
  push(events, { at: 0, run: call });
  const { joining } = of;
  if (joining !== undefined) {
    push(events, {
      at: joining.second * 1000,
      run: () => {
        for (const station of stations.values()) station.peak = station.inside;
        open(joining.hosts);
      },
    });
  }
  for (let event = pop(events); event !== undefined; event = pop(events)) {
    if (event.at > of.seconds * 1000) break;
    time.ms = event.at;
    event.run();
  }
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(latencies.length * q)] ?? Number.NaN;
  return { quantile, stations, calls: latencies.length, second, sent };
}

/** A heap, the earliest first. */
function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Event;
    if (above.at <= event.at) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && (heap[child + 1] as Event).at < (heap[child] as Event).at)
      child++;
    if ((heap[child] as Event).at >= last.at) break;
    heap[at] = heap[child] as Event;
    at = child;
  }
  heap[at] = last;
  return first;
}
