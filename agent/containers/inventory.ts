/**
 * Which containers there are, and which services the agent should therefore have. It knows time,
 * for a container that ended may be about to start again, but does nothing by itself.
 */
import type { Clock } from '../../lib/clock.ts';
import { readServices } from './labels.ts';
import { containerIdOf } from './meta.ts';
import type { DockerOptions } from './options.ts';
import type { CurrentService, ServiceRegistration } from './registrations.ts';
import { type Container, isUp } from './runtime.ts';
import {
  type ContainerStatus,
  KEEPS_RESTARTING,
  statusOfEnded,
  statusOfUp,
} from './state-check.ts';

/**
 * So long must a container run that kept restarting before it is trusted again. Docker itself
 * forgets by then that it restarted, and starts its own waiting time anew.
 */
export const STEADY_MS = 10_000;

/** What is said of one container: of thousands of labels, which anybody may write, not each. */
const MAX_PROBLEMS = 10;

export interface Wanted {
  /** Undefined: the service stays as it is registered, for its container is down for now. */
  readonly service: ServiceRegistration | undefined;
  readonly check: ContainerStatus | 'none' | 'as-is';
}

export interface Demand {
  readonly wanted: ReadonlyMap<string, Wanted>;
  readonly problems: readonly string[];
  /** After so long the demand is another one even if nothing happens. */
  readonly changesInMs: number | undefined;
}

interface Life {
  container: Container;
  /** Since when it is up, or down, by this process's clock. */
  sinceMs: number;
  /** It restarted and restarted, and has not yet run for long. */
  unsteady: boolean;
}

export class Inventory {
  readonly #options: DockerOptions;
  readonly #clock: Clock;
  readonly #lives = new Map<string, Life>();
  /** Containers of which nothing is known, for they could not be looked at. */
  readonly #unseen = new Set<string>();

  constructor(options: DockerOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  get ids(): Iterable<string> {
    return this.#lives.keys();
  }

  /** Takes in how a container is now. */
  see(container: Container): void {
    const now = this.#clock.monotonic();
    this.#unseen.delete(container.id);
    const life = this.#lives.get(container.id);
    if (life === undefined) {
      // Not seen up: there is no restart to wait for.
      const sinceMs = isUp(container) ? now : Number.NEGATIVE_INFINITY;
      this.#lives.set(container.id, { container, sinceMs, unsteady: false });
      return;
    }
    if (isUp(life.container) !== isUp(container)) life.sinceMs = now;
    life.container = container;
  }

  /** The container is no more. */
  forget(id: string): void {
    this.#lives.delete(id);
    this.#unseen.delete(id);
  }

  /** There may be such a container: what is registered for it stays as it is until it was seen. */
  expect(id: string): void {
    if (!this.#lives.has(id)) this.#unseen.add(id);
  }

  demand(current: Iterable<CurrentService>): Demand {
    const wanted = new Map<string, Wanted>();
    const problems: string[] = [];
    const down: Life[] = [];
    const waits: number[] = [];
    for (const life of this.#inOrder()) {
      const left = this.#settle(life);
      if (left !== undefined) waits.push(left);
      if (isUp(life.container)) this.#wantUp(life, wanted, problems);
      else down.push(life);
    }
    // Afterwards, so that a new container has the id that one of the same name leaves behind.
    for (const life of down) this.#wantDown(life, current, wanted);
    this.#keepUnseen(current, wanted);
    const changesInMs = waits.length === 0 ? undefined : Math.min(...waits);
    return { wanted, problems, changesInMs };
  }

  /** The oldest first: whatever two containers both want is the first one's. */
  #inOrder(): Life[] {
    const key = ({ container }: Life) => `${container.created} ${container.id}`;
    return [...this.#lives.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  /** Brings a life up to now. Answers how long until time alone changes it again. */
  #settle(life: Life): number | undefined {
    const lasted = this.#clock.monotonic() - life.sinceMs;
    const delay = this.#options.deregisterDelayMs;
    if (!isUp(life.container)) {
      if (lasted < delay) return delay - lasted;
      life.unsteady ||= life.container.state === 'restarting';
      return undefined;
    }
    if (life.unsteady && lasted < STEADY_MS) return STEADY_MS - lasted;
    life.unsteady = false;
    return undefined;
  }

  #wantUp(life: Life, wanted: Map<string, Wanted>, problems: string[]): void {
    const { container } = life;
    const reading = readServices(container, this.#options, (id) => this.#find(id));
    const { name } = container;
    for (const problem of first(reading.problems)) problems.push(`container ${name}: ${problem}`);
    for (const service of reading.services) {
      if (wanted.has(service.ID)) {
        problems.push(`container ${name}: the id ${service.ID} is another service's already`);
        continue;
      }
      const check = life.unsteady ? KEEPS_RESTARTING : (statusOfUp(container, service) ?? 'none');
      wanted.set(service.ID, { service, check });
    }
  }

  #wantDown(life: Life, current: Iterable<CurrentService>, wanted: Map<string, Wanted>): void {
    const check = this.#statusOfDown(life);
    if (check === 'gone') {
      this.#lives.delete(life.container.id);
      return;
    }
    for (const { ID, Meta } of current) {
      if (containerIdOf(Meta) !== life.container.id || wanted.has(ID)) continue;
      wanted.set(ID, { service: undefined, check });
    }
  }

  #keepUnseen(current: Iterable<CurrentService>, wanted: Map<string, Wanted>): void {
    for (const { ID, Meta } of current) {
      const unseen = this.#unseen.has(containerIdOf(Meta) ?? '');
      if (unseen && !wanted.has(ID)) wanted.set(ID, { service: undefined, check: 'as-is' });
    }
  }

  #statusOfDown({ container, sinceMs }: Life): ContainerStatus | 'as-is' | 'gone' {
    if (this.#clock.monotonic() - sinceMs < this.#options.deregisterDelayMs) return 'as-is';
    if (container.state === 'restarting') return KEEPS_RESTARTING;
    return this.#keeps(container) ? statusOfEnded(container) : 'gone';
  }

  #keeps({ exitCode }: Container): boolean {
    if (this.#options.deregister !== 'on-success') return this.#options.deregister === 'never';
    // An exit code with this bit tells of a signal: someone wanted it to end.
    return exitCode !== 0 && (exitCode & 128) === 0;
  }

  #find(nameOrId: string): Container | undefined {
    for (const { container } of this.#lives.values()) {
      if (container.id === nameOrId || container.name === nameOrId) return container;
    }
    return undefined;
  }
}

function first(problems: readonly string[]): readonly string[] {
  if (problems.length <= MAX_PROBLEMS) return problems;
  const more = problems.length - MAX_PROBLEMS;
  return [...problems.slice(0, MAX_PROBLEMS), `and ${more} more of its labels cannot be heeded`];
}
