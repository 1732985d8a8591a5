/**
 * Connections in memory: what one end writes the other reads, cut wherever chance has it. Nothing else than turns of
 * the event loop moves it on, so that a run does the same again, and what waits for ever is seen at once.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { Random } from '../../../../lib/random.ts';
import { among, within } from './chance.ts';

/** Of Node's own code nothing takes more turns than this between two moves. */
const QUIET_TURNS = 24;
/** A large body in single bytes says no more than its beginning. */
const MANY_CUTS = 400;
/** A run that goes on for longer never ends. */
const MAX_TURNS = 400_000;

export class Wires {
  readonly #random: Random;
  readonly #ends = new Set<End>();
  #moves = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Both ends of one. Whoever gets one sees in it no more than a stream. */
  pair(): readonly [Socket, Socket] {
    const room = among(this.#random, [256, 4096, 65_536, 262_144]);
    const style = among(this.#random, ['bytes', 'parts', 'whole', 'whole'] as const);
    let cuts = 0;
    const cut = () => this.#cut(++cuts > MANY_CUTS ? 'parts' : style);
    const made = [0, 1].map(() => new End({ room, cut, owner: this }));
    const [one, other] = made as [End, End];
    one.meets(other);
    other.meets(one);
    return [one, other] as unknown as readonly [Socket, Socket];
  }

  get open(): number {
    return this.#ends.size;
  }

  opened(end: End): void {
    this.#ends.add(end);
  }

  closed(end: End): void {
    this.#ends.delete(end);
    this.#moves++;
  }

  moved(): void {
    this.#moves++;
  }

  /** Resolves when nothing moves any more. */
  async quiet(): Promise<void> {
    for (let [turns, still, before] = [0, 0, -1]; still < QUIET_TURNS; turns++) {
      if (turns > MAX_TURNS) throw new Error('it never comes to rest');
      await new Promise((resolve) => setImmediate(resolve));
      still = this.#moves === before ? still + 1 : 0;
      before = this.#moves;
    }
  }

  #cut(style: 'bytes' | 'parts' | 'whole'): number {
    if (style === 'whole') return Number.POSITIVE_INFINITY;
    return style === 'bytes' ? within(this.#random, 1, 12) : within(this.#random, 1, 4000);
  }
}

interface EndOptions {
  /** What the kernel would keep for it. */
  readonly room: number;
  readonly cut: () => number;
  readonly owner: Wires;
}

class End extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly #options: EndOptions;
  #peer: End | undefined;
  #coming: Buffer[] = [];
  #bytes = 0;
  #hasEnd = false;
  #wants = false;
  #isDue = false;
  #written: (() => void) | undefined;

  constructor(options: EndOptions) {
    super({ allowHalfOpen: true });
    this.#options = options;
    options.owner.opened(this);
    this.once('close', () => options.owner.closed(this));
  }

  meets(peer: End): void {
    this.#peer = peer;
  }

  // What a socket has beside.
  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  destroySoon(): void {
    this.end(() => this.destroy());
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    const peer = this.#peer as End;
    if (peer.destroyed) done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    else peer.#come(chunk, done);
  }

  override _final(done: () => void): void {
    const peer = this.#peer as End;
    peer.#hasEnd = true;
    peer.#due();
    done();
  }

  override _read(): void {
    this.#wants = true;
    this.#due();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const peer = this.#peer as End;
    this.#coming = [];
    peer.#hasEnd = true;
    peer.#due();
    this.#released();
    done(error);
  }

  #come(chunk: Buffer, done: () => void): void {
    this.#coming.push(chunk);
    this.#bytes += chunk.length;
    this.#due();
    if (this.#bytes < this.#options.room) done();
    else this.#written = done;
  }

  #due(): void {
    if (this.#isDue || this.destroyed) return;
    this.#isDue = true;
    setImmediate(() => this.#move());
  }

  #move(): void {
    this.#isDue = false;
    if (this.destroyed || !this.#wants) return;
    const [first] = this.#coming;
    if (first === undefined) {
      if (!this.#hasEnd) return;
      this.#hasEnd = false;
      this.#options.owner.moved();
      this.push(null);
      return;
    }
    const part = first.subarray(0, this.#options.cut());
    if (part.length === first.length) this.#coming.shift();
    else this.#coming[0] = first.subarray(part.length);
    this.#bytes -= part.length;
    this.#options.owner.moved();
    // A copy, as a socket's is: nobody may rely on what the other side does with its own.
    this.#wants = this.push(Buffer.from(part));
    if (this.#bytes < this.#options.room) this.#released();
    this.#due();
  }

  #released(): void {
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }
}
