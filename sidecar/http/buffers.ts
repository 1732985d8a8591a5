/**
 * What is kept in memory because somebody does not take it: of all connections of this process together, so that
 * many callers who read nothing cost no more than one. Where there is no room left, of whoever keeps the most, on all
 * his connections together, the largest is cut: never somebody's who takes what he is sent.
 */
import type { Socket } from 'node:net';

/** What a socket may still read after it was told to wait. */
export const PAUSED_BYTES = 64 * 1024;

export interface BuffersOptions {
  readonly maxBytes: number;
  /** Breaks a caller's connection, which kept so much. */
  readonly cut: (caller: Socket, bytes: number) => void;
}

export class Buffers {
  readonly #options: BuffersOptions;
  readonly #owners = new Map<string, Owner>();
  #bytes = 0;
  #cuts = 0;
  #isDue = false;

  constructor(options: BuffersOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** That are counted. */
  get connections(): number {
    return [...this.#owners.values()].reduce((sum, { all }) => sum + all.size, 0);
  }

  /** Callers that were cut. */
  get cuts(): number {
    return this.#cuts;
  }

  /** What a caller's connection keeps, until it closes. `who`: whose it is; '' for whoever is at its address. */
  of(caller: Socket, who = ''): Buffered {
    const name = who || (caller.remoteAddress ?? '');
    const owner = this.#owners.get(name) ?? { name, all: new Set(), bytes: 0 };
    const buffered = new Buffered(caller, (bytes) => {
      owner.bytes += bytes;
      this.#keeps(bytes);
    });
    // Who has closed by now does not say so again.
    if (caller.destroyed) buffered.over();
    else {
      this.#owners.set(name, owner);
      owner.all.add(buffered);
      caller.once('close', () => this.#forget(owner, buffered));
    }
    return buffered;
  }

  #keeps(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes <= this.#options.maxBytes || this.#isDue) return;
    this.#isDue = true;
    // Whoever keeps more by this is in the middle of something; no more is read before it is done.
    process.nextTick(this.#cut);
  }

  readonly #cut = (): void => {
    this.#isDue = false;
    while (this.#bytes > this.#options.maxBytes) {
      const owner = mostOf(this.#owners.values());
      const most = owner && mostOf(owner.all);
      if (owner === undefined || most === undefined) return;
      const { caller, bytes } = most;
      this.#cuts++;
      this.#forget(owner, most);
      this.#options.cut(caller, bytes);
    }
  };

  #forget(owner: Owner, buffered: Buffered): void {
    owner.all.delete(buffered);
    buffered.over();
    const { name, all } = owner;
    if (all.size === 0 && this.#owners.get(name) === owner) this.#owners.delete(name);
  }
}

/** All connections of one caller. */
interface Owner {
  readonly name: string;
  readonly all: Set<Buffered>;
  bytes: number;
}

/** Undefined where none keeps anything. */
function mostOf<T extends { readonly bytes: number }>(all: Iterable<T>): T | undefined {
  let most: T | undefined;
  for (const each of all) if (each.bytes > (most?.bytes ?? 0)) most = each;
  return most;
}

export class Buffered {
  readonly caller: Socket;
  readonly #told: (bytes: number) => void;
  #bytes = 0;
  #isOver = false;

  constructor(caller: Socket, told: (bytes: number) => void) {
    this.caller = caller;
    this.#told = told;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So much more, or less where it is below 0. */
  keeps(bytes: number): void {
    if (this.#isOver || bytes === 0) return;
    this.#bytes += bytes;
    this.#told(bytes);
  }

  /** What is kept for it goes with it. */
  over(): void {
    this.keeps(-this.#bytes);
    this.#isOver = true;
  }
}
