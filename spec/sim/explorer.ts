/**
 * Chooses what to run next: a new schedule, or one that led to states nobody had seen, changed a
 * little. A state is what servers said, and what they said before: who leads, which epoch began, what was put
 * back, restored, or ended.
 */
import type { Random } from '../../lib/random.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import type { Log } from './cluster.ts';
import type { Fault } from './faults/fault.ts';
import { type Aim, drawFault, drawFaults, lastFaultMs } from './faults/schedule.ts';
import { NAMES, type RunResult, someWorkloads, type WorkloadName } from './run.ts';

/** What was promising long ago has been tried by now. */
const MAX_KEPT = 50;
const CHANGES = 2;

export class Explorer {
  readonly log: Log;
  readonly #untilMs: number;
  readonly #seen = new Set<string>();
  readonly #kept: (readonly Fault[])[] = [];
  #waiting: readonly WorkloadName[] = NAMES;
  /** Not once since it began. */
  #untried: readonly WorkloadName[] = NAMES;

  constructor(log: Log, seconds: number) {
    this.log = log;
    this.#untilMs = lastFaultMs(seconds);
  }

  get covered(): number {
    return this.#seen.size;
  }

  get untried(): readonly WorkloadName[] {
    return this.#untried;
  }

  /** For the next run: each has been in one before any is in another, however short the time. */
  workloads(seed: number): readonly WorkloadName[] {
    const some = someWorkloads(seed, this.#waiting);
    const without = (all: readonly WorkloadName[]) => all.filter((name) => !some.includes(name));
    this.#untried = without(this.#untried);
    const left = without(this.#waiting);
    this.#waiting = left.length === 0 ? NAMES : left;
    return some;
  }

  /** `aim`: of what is to run. */
  next(seed: number, aim: Aim): readonly Fault[] {
    const random = seededRandom(seed ^ 0x5eed);
    const kept = this.#kept[Math.floor(random.next() * this.#kept.length)];
    if (kept === undefined || random.next() < 0.4) {
      return drawFaults(random, { log: this.log, untilMs: this.#untilMs, aim });
    }
    let faults = [...kept];
    for (let i = 0; i < CHANGES; i++) faults = this.#changed(random, faults);
    const inTime = faults.filter(({ atMs, lastsMs }) => atMs + lastsMs <= this.#untilMs);
    return inTime.sort((a, b) => a.atMs - b.atMs);
  }

  /** How many states were new. */
  learn({ trace, faults }: RunResult): number {
    const before = this.#seen.size;
    for (const state of statesOf(trace)) this.#seen.add(state);
    const fresh = this.#seen.size - before;
    if (fresh > 0) this.#kept.push(faults);
    if (this.#kept.length > MAX_KEPT) this.#kept.shift();
    return fresh;
  }

  /** One fault less, one more, or one at another time. */
  #changed(random: Random, faults: Fault[]): Fault[] {
    const at = Math.floor(random.next() * faults.length);
    const chance = random.next();
    const fault = faults[at];
    const anyTime = Math.floor(random.next() * this.#untilMs);
    if (chance < 0.25 || fault === undefined) return faults.filter((_, i) => i !== at);
    if (chance < 0.6) return [...faults, drawFault(random, this.log, anyTime)];
    const moved = Math.floor(Math.min(this.#untilMs, fault.atMs * (0.8 + 0.4 * random.next())));
    return faults.map((each, i) => (i === at ? { ...each, atMs: moved } : each));
  }
}

/** A line of a server's log without what differs from run to run, after the one before. */
function statesOf(trace: readonly string[]): Set<string> {
  const states = new Set<string>();
  const before = new Map<string, string>();
  for (const line of trace) {
    const [, server, said = ''] = /^ *[\d.]+ (s\d) ((?:ERROR|WARN|INFO) .*)$/.exec(line) ?? [];
    if (server === undefined) continue;
    const state = said.replace(/"[^"]*"|[0-9a-f]{8}-[0-9a-f-]+|\d+/g, '#').slice(0, 80);
    states.add(`${before.get(server) ?? ''} > ${state}`);
    before.set(server, state);
  }
  return states;
}
