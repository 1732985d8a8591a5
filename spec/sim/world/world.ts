/**
 * A world of its own in one thread: virtual time, chance from a seed, and machines whose code runs
 * one event at a time. What Node gives a program to reach the outside (timers, the time, chance,
 * sockets) is put in place of the real ones while a world runs; all else is the product's own code.
 */
import type { Clock } from '../../../lib/clock.ts';
import type { Random } from '../../../lib/random.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { EventQueue, type QueuedEvent } from './event-queue.ts';
import { Machine, type Owner } from './machine.ts';
import { SimTimer } from './timer.ts';

/** Kept from before anything is replaced. */
const realSetImmediate = globalThis.setImmediate;
/**
 * Runs whatever is ready: ticks, promises, and what those make ready. A turn of Node's own loop for each event
 * would do the same, and took a sixth of all time.
 */
const settleAll = (process as unknown as { _tickCallback(): void })._tickCallback;
/** So many events are one turn of Node's loop, whose own parts wait for one now and then. */
const EVENTS_A_TURN = 64;

/** Whoever waits for time to pass by doing things would have it stand still. */
const LOOK_EVENTS = 200_000;
const LEAST_MS = 50;

/** What all machines share is done by then, where nobody asks for more. */
const LAST_MS = 1000;

/** Where a wall clock begins. */
export const EPOCH_MS = 1_700_000_000_000;

export class World {
  readonly seed: number;
  readonly random: Random;
  readonly #queue = new EventQueue<Owner>();
  readonly #outside = new Machine('world');
  readonly #machines = [this.#outside];
  readonly #trace: string[] = [];
  #now = 0;
  readonly #nobody: Owner = { machine: new Machine('world'), boot: 0 };
  #current: Owner = this.#nobody;
  #events = 0;
  #nextLook = { events: LOOK_EVENTS, now: 0 };
  #fault: unknown;

  constructor(seed: number) {
    this.seed = seed;
    this.random = seededRandom(seed);
  }

  get now(): number {
    return this.#now;
  }

  /** How many happened on machines, or were about them. */
  get events(): number {
    return this.#events;
  }

  /** What was said of the run, line by line: the same for the same seed. */
  get trace(): readonly string[] {
    return this.#trace;
  }

  say(line: string): void {
    this.#trace.push(`${this.#now.toFixed(3).padStart(12)} ${line}`);
  }

  /** All that somebody has made. */
  get machines(): readonly Machine[] {
    return this.#machines.slice(1);
  }

  machine(name: string): Machine {
    const machine = new Machine(name);
    this.#machines.push(machine);
    return machine;
  }

  /** Of the process that runs on the machine now. */
  clockOf(machine: Machine): Clock {
    const owner = { machine, boot: machine.boot };
    return {
      now: () => this.wallOf(machine),
      monotonic: () => machine.monotonicAt(this.#now),
      after: (ms, fn) => this.timer(owner, ms, fn).cancel,
    };
  }

  /** The process whose code runs now. */
  get here(): Owner {
    return this.#current;
  }

  /** The time of day as the machine sees it. */
  wallOf(machine: Machine): number {
    return Math.floor(EPOCH_MS + machine.wallAt(this.#now));
  }

  /** Calls `fn` on the machine after so long, unless cancelled or the machine's process is gone. */
  at(machine: Machine, ms: number, fn: () => void): () => void {
    return this.as({ machine, boot: machine.boot }, ms, fn);
  }

  /** As `at`, by a process, which may have been killed meanwhile. */
  as(owner: Owner, ms: number, fn: () => void): () => void {
    const event = this.queue(ms, owner, fn);
    return () => {
      event.cancelled = true;
    };
  }

  /** As `as`, for who keeps the event itself. */
  queue(ms: number, owner: Owner, fn: () => void): QueuedEvent<Owner> {
    return this.#queue.add(this.#now + Math.max(0, ms), owner, fn);
  }

  /** As by nobody: it happens whoever dies. What all machines share, since one process has it once. */
  shared(ms: number, fn: () => void): void {
    this.queue(ms, this.#nobody, fn);
  }

  /** As `as`, once so much has passed by the machine's own clock, however that goes meanwhile. */
  timer(owner: Owner, ms: number, fn: () => void): SimTimer {
    return new SimTimer(this, owner, ms, fn);
  }

  /** As `timer`, on the machine whose code runs now. */
  after(ms: number, fn: () => void): SimTimer {
    return this.timer(this.#current, ms, fn);
  }

  /**
   * Runs `fn` as the machine's code, and gives what it comes to, to code that is on no machine. It
   * never settles where the machine is killed before.
   */
  on<T>(machine: Machine, fn: () => Promise<T> | T): Promise<T> {
    const outside = (settle: () => void) => void this.at(this.#outside, 0, settle);
    return new Promise((resolve, reject) => {
      this.at(machine, 0, () => {
        Promise.resolve()
          .then(fn)
          .then(
            (value) => outside(() => resolve(value)),
            (error: unknown) => outside(() => reject(error)),
          );
      });
    });
  }

  /** Stops the machine's code for good, as kill -9 does; what comes next is another process. */
  kill(machine: Machine): void {
    machine.boot++;
    this.say(`kill ${machine.name}`);
  }

  freeze(machine: Machine, ms: number): void {
    machine.frozenUntil = Math.max(machine.frozenUntil, this.#now + ms);
    this.say(`freeze ${machine.name} for ${ms} ms`);
  }

  /** As freeze, by a lid that is closed: the clocks of its programs know nothing of it. */
  suspend(machine: Machine, ms: number): void {
    machine.suspendedMs += Math.max(0, this.#now + ms - Math.max(this.#now, machine.frozenUntil));
    this.freeze(machine, ms);
  }

  /** Whether the process lives that is about to do what others can see: it may die right before. */
  mayStep({ machine, boot }: Owner): boolean {
    if (boot === machine.boot) machine.steps();
    return boot === machine.boot;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.at(this.#outside, ms, resolve));
  }

  /** An error that nobody caught: the run has failed. */
  fail(error: unknown): void {
    this.#fault ??= error;
  }

  /** Lets the world go on until the promise settles. Throws where nothing is left to happen. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    await turn();
    while (!settled) {
      if (this.#fault !== undefined) throw this.#fault;
      const isLeft = await this.#steps(() => settled || this.#fault !== undefined);
      if (!isLeft && !settled) throw new Error('nothing is left to happen, and it is not done');
    }
    return await promise;
  }

  /** Lets all promises settle; nothing happens. */
  settle(): Promise<void> {
    return turn();
  }

  /** What all machines share goes on until it is done: another world in this process finds it at rest. */
  async end(): Promise<void> {
    for (const machine of this.#machines) machine.boot++;
    const until = this.#now + LAST_MS;
    const isOver = () => this.#now > until;
    while (!isOver() && (await this.#steps(isOver)));
  }

  /** From now on each event knows who asked for it: it takes its time. */
  keepOrigins(): void {
    this.#queue.keepsOrigins = true;
  }

  /** What the process on the machine has still to do: its timers, and what it is about to hear. */
  pendingOf(machine: Machine): readonly { readonly origin: string }[] {
    return this.#queue.pending((owner) => owner.machine === machine && owner.boot === machine.boot);
  }

  /** Goes on by itself until the function that it gives back is called. */
  run(): () => Promise<void> {
    let going = true;
    const running = (async () => {
      while (going) await this.#steps(() => !going);
    })();
    return async () => {
      going = false;
      await running;
      if (this.#fault !== undefined) throw this.#fault;
    };
  }

  /** Some events, until it is enough. False where nothing is left to happen. */
  #steps(isEnough: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      realSetImmediate(() => {
        for (let i = 0; i < EVENTS_A_TURN && !isEnough(); i++) {
          if (!this.#step()) return resolve(false);
        }
        resolve(true);
      });
    });
  }

  #lookAtTime({ name }: Machine): void {
    const passed = this.#now - this.#nextLook.now;
    if (passed < LEAST_MS) this.fail(new Error(`time stands still, and ${name} is at work`));
    this.#nextLook = { events: this.#events + LOOK_EVENTS, now: this.#now };
  }

  /** The next event, and all promises that it settles. */
  #step(): boolean {
    const event = this.#queue.take();
    if (event === undefined) return false;
    const { owner, at, fn } = event;
    const { machine, boot } = owner;
    this.#now = Math.max(this.#now, at);
    if (boot !== machine.boot) return true;
    if (machine.frozenUntil > this.#now) {
      this.#queue.put(machine.frozenUntil, event);
      return true;
    }
    if (owner !== this.#nobody) this.#events++;
    if (this.#events > this.#nextLook.events) this.#lookAtTime(machine);
    this.#current = owner;
    try {
      fn();
      settleAll();
    } catch (error) {
      this.fail(error);
    }
    this.#current = this.#nobody;
    return true;
  }
}

/** All that is ready has run: Node drains its promises before it comes to an immediate. */
function turn(): Promise<void> {
  return new Promise((resolve) => void realSetImmediate(resolve));
}
