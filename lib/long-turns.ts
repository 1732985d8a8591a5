/**
 * What takes a good part of a turn of the loop has a turn for itself: one kind of it in each, and each kind in its
 * turn. What is about to be written comes before all else, in every other turn at most.
 */
import { type Cancel, loop } from './clock.ts';
import { gone, ProconsulError } from './errors.ts';
import { networkOf } from './ip.ts';

/** Some eight milliseconds, by the characters of JSON that could have been written in it. */
export const SLICE = 512 * 1024;
/** About a millisecond. */
export const SHORT = 64 * 1024;
/** As much as may wait for the log; what is more has been read in vain. */
const MAX_BODIES_BYTES = 64 * 1024 * 1024;
/** For so many bytes an archive counts, of which there may be one: however large it is it makes nobody too many. */
const MOST_COUNTED = MAX_BODIES_BYTES / 4;

export interface Kind {
  /** How many want a turn. */
  readonly size: number;
  /** Does about a slice, for one or some; never called where there is nobody. */
  take(): void;
}

/** Those that had no turn for longest first. */
const kinds: Kind[] = [];
let isTurning = false;
let wasBatch = false;

/** The kind has its turns from now on; what is returned is called when somebody wants one. */
export function inTurns(kind: Kind): () => void {
  kinds.push(kind);
  return goOn;
}

function goOn(): void {
  if (isTurning || (batches.size === 0 && kinds.every(({ size }) => size === 0))) return;
  isTurning = true;
  loop.nextTurn(() => {
    isTurning = false;
    takeOne();
    goOn();
  });
}

function takeOne(): void {
  const next = kinds.find(({ size }) => size > 0);
  wasBatch = batches.size > 0 && (!wasBatch || next === undefined);
  if (wasBatch) takeFirst(batches)?.();
  else if (next !== undefined) {
    kinds.splice(kinds.indexOf(next), 1);
    kinds.push(next);
    next.take();
  }
}

/** Of each proposer one at a time. */
const batches = new Set<() => void>();

/** Resolves in a turn in which no other long work is done, before all who wait for one: others' writes are in it. */
export function batchTurn(): Promise<void> {
  return new Promise((resolve) => {
    batches.add(loop.mine(resolve));
    goOn();
  });
}

const calls = new Set<() => void>();

inTurns({
  get size() {
    return calls.size;
  },
  take: () => {
    for (let left = SLICE; left > 0 && calls.size > 0; left -= SHORT) takeFirst(calls)?.();
  },
});

/** Calls when a turn has room for about a millisecond: many may ask for it at once. */
export function whenRoom(call: () => void): Cancel {
  const mine = loop.mine(() => call());
  calls.add(mine);
  goOn();
  return () => void calls.delete(mine);
}

interface Body {
  readonly bytes: number;
  readonly begin: () => void;
  readonly refuse: (why: ProconsulError) => void;
}

/** Of one address. */
class Sender {
  readonly bodies = new Set<Body>();
  bytes = 0;
}

/** The addresses take turns, and where there are too many bodies who has most of them has one too many. */
class Bodies implements Kind {
  /** Who was served last is the last of them. */
  readonly #from = new Map<string, Sender>();
  size = 0;
  #bytes = 0;

  /** What is returned leaves, and says whether the body was still waiting. */
  enter(from: string, body: Body): () => boolean {
    const address = networkOf(from);
    const sender = this.#from.get(address) ?? new Sender();
    this.#from.set(address, sender);
    sender.bodies.add(body);
    sender.bytes += body.bytes;
    this.#bytes += body.bytes;
    this.size++;
    while (this.#bytes > MAX_BODIES_BYTES) this.#refuseOne();
    return () => this.#leave(address, body);
  }

  take(): void {
    for (const [address, sender] of this.#from) {
      const [body] = sender.bodies;
      if (body === undefined) continue;
      this.#from.delete(address);
      this.#from.set(address, sender);
      this.#leave(address, body);
      body.begin();
      return;
    }
  }

  #refuseOne(): void {
    const [first, ...others] = this.#from;
    if (first === undefined) return;
    const [address, { bodies }] = others.reduce(
      (most, each) => (each[1].bytes > most[1].bytes ? each : most),
      first,
    );
    const last = [...bodies].at(-1);
    if (last === undefined) return;
    this.#leave(address, last);
    last.refuse(new ProconsulError('busy', 'Too many large bodies are waiting'));
  }

  #leave(address: string, body: Body): boolean {
    const sender = this.#from.get(address);
    if (sender?.bodies.delete(body) !== true) return false;
    sender.bytes -= body.bytes;
    this.#bytes -= body.bytes;
    this.size--;
    if (sender.bodies.size === 0) this.#from.delete(address);
    return true;
  }
}

const bodies = new Bodies();
inTurns(bodies);

export interface ReadBody {
  readonly bytes: number;
  /** Who sent it. */
  readonly address: string;
  /** Calls once when he has gone. */
  readonly onceOver: (call: Cancel) => void;
}

/**
 * Resolves in a turn in which no other long work is done, for what takes about a slice. Rejects 'busy' where others
 * must come first, and as soon as who sent it has gone.
 */
export function bodyTurn({ bytes, address, onceOver }: ReadBody): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = bodies.enter(address, {
      bytes: Math.min(bytes, MOST_COUNTED),
      begin: loop.mine(resolve),
      refuse: loop.mine(reject),
    });
    onceOver(() => {
      if (leave()) reject(gone());
    });
    goOn();
  });
}

function takeFirst<T>(from: Set<T>): T | undefined {
  const [first] = from;
  if (first !== undefined) from.delete(first);
  return first;
}
