/**
 * Keeps the agent's services equal to the containers of one runtime. Events only say which container
 * to look at again: what is registered always follows from what the runtime says now. So a lost, late
 * or doubled event does no harm, and a full comparison finds what none told of.
 */
import { type Cancel, type Clock, pause } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Random } from '../../lib/random.ts';
import { Retries } from '../../lib/retries.ts';
import { Slots } from '../../lib/slots.ts';
import { Inventory } from './inventory.ts';
import { containerIdOf } from './meta.ts';
import type { DockerOptions } from './options.ts';
import { plan, type Step } from './plan.ts';
import type { CurrentService, Registrations } from './registrations.ts';
import type { ContainerEvent, ContainerRuntime } from './runtime.ts';
import { Wake } from './wake.ts';

/** The runtime's answers are small; more at a time only make it slower for everyone else. */
const CONCURRENT_LOOKS = 8;
/** Whoever can be looked at does not wait longer for one that cannot. */
const LOOK_MS = 1000;
/** With more containers than this to look at, comparing everything is as cheap. */
const MAX_MARKED = 10_000;
const MIN_RECONNECT_MS = 100;
/** A daemon that was restarted is found again within this; a connection that held as long is good. */
const MAX_RECONNECT_MS = 2000;
/** After the agent refused a step. It is in the same process, so nothing is spared by waiting. */
const RETRY_MS = 1000;

export interface WatcherDeps {
  readonly runtime: ContainerRuntime;
  readonly registrations: Registrations;
  readonly options: DockerOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: (level: 'info' | 'warn', message: string) => void;
}

export class ContainerWatcher {
  readonly #deps: WatcherDeps;
  readonly #inventory: Inventory;
  readonly #wake: Wake;
  readonly #stopping = new AbortController();
  readonly #slots = new Slots(CONCURRENT_LOOKS);
  readonly #retries: Retries;
  /** The containers to look at again. */
  readonly #marked = new Set<string>();
  /** Being looked at, and whether something was told of it meanwhile. */
  readonly #looking = new Map<string, { again: boolean }>();
  /** Why a container cannot be looked at. */
  readonly #unseen = new Map<string, string>();
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
    this.#retries = new Retries(deps.clock, deps.random, (id) => this.#mark(id));
  }

  /** Whether the runtime answers, and the services have followed all that it said at first. */
  get connected(): boolean {
    return this.#connected;
  }

  /** It has come and gone several times: that was said. */
  get #flaps(): boolean {
    return this.#reconnectMs >= MAX_RECONNECT_MS;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends watching. What is registered stays: the containers go on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.call();
    this.#retries.stop();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const began = clock.monotonic();
      const reason = await this.#watch().catch(describeChain);
      this.#connected = false;
      if (signal.aborted) return;
      if (clock.monotonic() - began >= MAX_RECONNECT_MS) this.#reconnectMs = MIN_RECONNECT_MS;
      if (!this.#flaps) {
        this.#report([`${reason}; its services stay as they are until it answers`]);
      }
      // Not by the wake: what calls it late, from the connection that ended, is no reason to hurry.
      await pause(clock, this.#reconnectMs, signal);
      this.#reconnectMs = Math.min(this.#reconnectMs * 2, MAX_RECONNECT_MS);
    }
  }

  /** From one connection to its end; resolves with the reason. */
  async #watch(): Promise<string> {
    const connection = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, connection.signal]);
    // Events first: what happens during the listing is then marked, and looked at again.
    const events = await this.#deps.runtime.events(this.#since, signal);
    let end: string | undefined;
    const reading = this.#read(events)
      .then(() => 'the stream of events ended', describeChain)
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

  async #read(events: AsyncIterable<ContainerEvent>): Promise<void> {
    for await (const { containerId, time } of events) {
      if (Number.isFinite(time)) this.#since = Math.max(this.#since ?? 0, time);
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
    // Taken before anything is awaited: what is marked from now on is for the next turn.
    const renew = this.#compareDue;
    const marked = [...this.#marked];
    this.#compareDue = false;
    this.#marked.clear();
    const ids = new Set([...marked, ...(renew ? await this.#all(signal) : [])]);
    await this.#look(ids, signal);
    const nextMs = await this.#reconcile(renew);
    const { log, runtime } = this.#deps;
    if (!this.#connected && !this.#flaps) log('info', `${runtime.name}: watching`);
    this.#connected = true;
    return nextMs;
  }

  /** What is listed, what was there, and what services were registered for before we started. */
  async #all(signal: AbortSignal): Promise<string[]> {
    const listed = await this.#deps.runtime.list(signal);
    const registered = [...this.#deps.registrations.services()]
      .map(({ Meta }) => containerIdOf(Meta))
      .filter((id) => id !== undefined);
    return [...listed, ...this.#inventory.ids, ...registered];
  }

  /** Looks at each; those that take long are seen later, and wake the next turn. */
  async #look(ids: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    if (ids.size === 0) return;
    let late = false;
    const looks = [...ids].map(async (id) => {
      await this.#slots.run(() => this.#lookAt(id, signal));
      if (late) this.#wake.call();
    });
    const enough = new AbortController();
    await Promise.race([Promise.all(looks), pause(this.#deps.clock, LOOK_MS, enough.signal)]);
    late = true;
    enough.abort();
    signal.throwIfAborted();
  }

  /** An error is this container's own: it is tried again by itself, and the others go on. */
  async #lookAt(id: string, signal: AbortSignal): Promise<void> {
    const other = this.#looking.get(id);
    if (other !== undefined) {
      // Afterwards: one that hangs is not to take all the places.
      other.again = true;
      return;
    }
    const look = { again: false };
    this.#looking.set(id, look);
    this.#inventory.expect(id);
    try {
      const container = await this.#deps.runtime.inspect(id, signal);
      if (container === undefined) this.#inventory.forget(id);
      else this.#inventory.see(container);
      this.#unseen.delete(id);
      this.#retries.succeeded(id);
    } catch (error) {
      if (signal.aborted) return;
      this.#unseen.set(id, describeChain(error));
      this.#retries.failed(id);
    } finally {
      this.#looking.delete(id);
      if (look.again) this.#mark(id);
    }
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
    const unseen = [...this.#unseen].map(
      ([id, why]) => `container ${id.slice(0, 12)} cannot be looked at: ${why}`,
    );
    this.#report([...demand.problems, ...taken, ...refused, ...unseen]);
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
    const { registrations, runtime, log } = this.#deps;
    switch (step.type) {
      case 'register':
        await registrations.registerService(step.service);
        this.#registered.set(step.service.ID, step.digest);
        log('info', `${runtime.name}: registered ${step.service.ID}`);
        return;
      case 'deregister':
        await registrations.deregisterService(step.serviceId);
        log('info', `${runtime.name}: deregistered ${step.serviceId}`);
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
    const { runtime, log } = this.#deps;
    for (const problem of problems) {
      if (!this.#problems.has(problem)) log('warn', `${runtime.name}: ${problem}`);
    }
    this.#problems = new Set(problems);
  }
}

function byId(services: readonly CurrentService[]): Map<string, CurrentService> {
  return new Map(services.map((service) => [service.ID, service]));
}
