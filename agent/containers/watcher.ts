/**
 * Keeps the agent's services equal to the containers of one Docker daemon. Events only say which
 * container to look at again: what is registered always follows from what Docker says now. So a
 * lost, late or doubled event does no harm, and a full comparison finds what none told of.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import { Inventory } from './inventory.ts';
import { containerIdOf } from './meta.ts';
import type { DockerOptions } from './options.ts';
import { plan, type Step } from './plan.ts';
import type { CurrentService, Registrations } from './registrations.ts';
import type { DockerApi, DockerEvent } from './runtimes/docker-api.ts';
import { Wake } from './wake.ts';

/** The daemon's answers are small; more at a time only make it slower for everyone else. */
const CONCURRENT_LOOKS = 8;
/** With more containers than this to look at, comparing everything is as cheap. */
const MAX_MARKED = 10_000;
const MIN_RECONNECT_MS = 100;
/** A daemon that was restarted is found again within this. */
const MAX_RECONNECT_MS = 2000;
/** After the agent refused a step. It is in the same process, so nothing is spared by waiting. */
const RETRY_MS = 1000;

export interface WatcherDeps {
  readonly docker: DockerApi;
  readonly registrations: Registrations;
  readonly options: DockerOptions;
  readonly clock: Clock;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

export class DockerWatcher {
  readonly #deps: WatcherDeps;
  readonly #inventory: Inventory;
  readonly #wake: Wake;
  readonly #stopping = new AbortController();
  /** The containers to look at again. */
  readonly #marked = new Set<string>();
  /** By service id: as what this process registered it last. */
  readonly #registered = new Map<string, string>();
  #compareDue = false;
  #since: number | undefined;
  #reconnectMs = MIN_RECONNECT_MS;
  #connected = false;
  #problems: ReadonlySet<string> = new Set();
  #running: Promise<void> | undefined;

  constructor(deps: WatcherDeps) {
    this.#deps = deps;
    this.#inventory = new Inventory(deps.options, deps.clock);
    this.#wake = new Wake(deps.clock);
  }

  /** Whether Docker answers, and the services have followed all that it said at first. */
  get connected(): boolean {
    return this.#connected;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends watching. What is registered stays: the containers go on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.call();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const reason = await this.#watch().catch(describeChain);
      this.#connected = false;
      if (signal.aborted) return;
      this.#report([`${reason}; its services stay as they are until it answers`]);
      await this.#wake.wait(this.#reconnectMs);
      this.#reconnectMs = Math.min(this.#reconnectMs * 2, MAX_RECONNECT_MS);
    }
  }

  /** From one connection to its end; resolves with the reason. */
  async #watch(): Promise<string> {
    const connection = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, connection.signal]);
    // Events first: what happens during the listing is then marked, and looked at again.
    const events = await this.#deps.docker.events(this.#since, signal);
    let end: string | undefined;
    const reading = this.#read(events)
      .then(() => 'Docker ended the stream of events', describeChain)
      .then((reason) => {
        end = reason;
        this.#wake.call();
      });
    let cancelCompare: Cancel | undefined;
    try {
      this.#compareDue = true;
      while (end === undefined && !signal.aborted) {
        const compares = this.#compareDue;
        const nextMs = await this.#turn(signal);
        if (compares) {
          cancelCompare?.();
          cancelCompare = this.#deps.clock.after(this.#deps.options.resyncMs, () => this.#mark());
        }
        await this.#wake.wait(nextMs);
      }
    } finally {
      cancelCompare?.();
      connection.abort();
      await reading;
    }
    return end ?? 'stopped';
  }

  async #read(events: AsyncIterable<DockerEvent>): Promise<void> {
    for await (const { containerId, time } of events) {
      this.#since = Math.max(this.#since ?? 0, time);
      this.#mark(containerId);
    }
  }

  /** Marks one container to be looked at, or all of them. */
  #mark(id?: string): void {
    if (id !== undefined && this.#marked.size < MAX_MARKED) this.#marked.add(id);
    else this.#compareDue = true;
    this.#wake.call();
  }

  /** Looks at what is marked and makes the services follow. Answers when to turn again, if ever. */
  async #turn(signal: AbortSignal): Promise<number | undefined> {
    const renew = this.#compareDue;
    const ids = [...this.#marked, ...(this.#compareDue ? await this.#all(signal) : [])];
    this.#marked.clear();
    this.#compareDue = false;
    await this.#look([...new Set(ids)], signal);
    const nextMs = await this.#reconcile(renew);
    if (!this.#connected) this.#deps.log('info', 'docker: watching');
    this.#connected = true;
    this.#reconnectMs = MIN_RECONNECT_MS;
    return nextMs;
  }

  /** What Docker lists, what was there, and what services were registered for before we started. */
  async #all(signal: AbortSignal): Promise<string[]> {
    const listed = await this.#deps.docker.list(signal);
    const registered = [...this.#deps.registrations.services()]
      .map(({ Meta }) => containerIdOf(Meta))
      .filter((id) => id !== undefined);
    return [...listed, ...this.#inventory.ids, ...registered];
  }

  async #look(ids: readonly string[], signal: AbortSignal): Promise<void> {
    const left = ids.values();
    const worker = async () => {
      for (const id of left) {
        const container = await this.#deps.docker.inspect(id, signal);
        if (container === undefined) this.#inventory.forget(id);
        else this.#inventory.see(container);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENT_LOOKS }, worker));
  }

  async #reconcile(renew: boolean): Promise<number | undefined> {
    const { registrations, options } = this.#deps;
    const services = byId([...registrations.services()]);
    const checks = new Map([...registrations.checks()].map((check) => [check.CheckID, check]));
    const demand = this.#inventory.demand([...services.values()]);
    const { wanted } = demand;
    for (const id of this.#registered.keys()) if (!wanted.has(id)) this.#registered.delete(id);

    const { hostname, cleanup } = options;
    const registered = this.#registered;
    const todo = plan({ wanted, services, checks, registered, hostname, cleanup, renew });
    const refused = await this.#take(todo.steps);
    const taken = todo.taken.map((id) => `the service id ${id} is taken by someone else's service`);
    this.#report([...demand.problems, ...taken, ...refused]);
    if (refused.length === 0) return demand.changesInMs;
    return Math.min(RETRY_MS, demand.changesInMs ?? RETRY_MS);
  }

  /** Each for itself: one that the agent refuses does not keep the others back. */
  async #take(steps: readonly Step[]): Promise<string[]> {
    const refused: string[] = [];
    for (const step of steps) {
      try {
        await this.#takeOne(step);
      } catch (error) {
        refused.push(`${step.type} was refused: ${describeChain(error)}`);
      }
    }
    return refused;
  }

  async #takeOne(step: Step): Promise<void> {
    const { registrations, log } = this.#deps;
    switch (step.type) {
      case 'register':
        await registrations.registerService(step.service);
        this.#registered.set(step.service.ID, step.digest);
        log('info', `docker: registered ${step.service.ID}`);
        return;
      case 'deregister':
        await registrations.deregisterService(step.serviceId);
        log('info', `docker: deregistered ${step.serviceId}`);
        return;
      case 'register-check':
        return await registrations.registerCheck(step.check);
      case 'update-check':
        return await registrations.updateCheck(step.update);
      case 'deregister-check':
        return await registrations.deregisterCheck(step.checkId);
    }
  }

  /** Says what is new; what stands as before was said before. */
  #report(problems: readonly string[]): void {
    for (const problem of problems) {
      if (!this.#problems.has(problem)) this.#deps.log('warn', `docker: ${problem}`);
    }
    this.#problems = new Set(problems);
  }
}

function byId(services: readonly CurrentService[]): Map<string, CurrentService> {
  return new Map(services.map((service) => [service.ID, service]));
}
