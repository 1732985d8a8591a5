/**
 * Sockets between machines: real streams, so that Node's HTTP and ioredis speak over them as they
 * do over the kernel's. Each end's code gets what was sent after the way's delay, in order.
 */
import { Duplex } from 'node:stream';
import type { Machine, Owner } from './machine.ts';
import { ROUNDING_MS } from './timer.ts';
import type { World } from './world.ts';

/** How a way between two machines is now. */
export interface Way {
  /** Everything takes so long, and up to as much again. */
  delayMs: number;
  /** Nothing gets through and nobody is told, as where a cable was pulled. */
  silent: boolean;
  /** Which of the two does not hear the other, who hears it. */
  deaf: Machine | undefined;
}

const RESEND_MS = 200;
/** A kernel that is asked to see whether the other end is there gives it up after ten probes, a second apart. */
const PROBED_MS = 10_000;
/** Its own time before the first of them is two hours: nobody's run is so long. */
const LEAST_PROBE_MS = 1000;
/** What is no longer goes into the kernel at once; longer pieces are written when the other end has them. */
const KERNEL_BYTES = 64 * 1024;

/** What the product and its libraries use of a net.Socket. */
export class SimSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress = '127.0.0.1';
  readonly remoteFamily = 'IPv4';
  connecting = true;
  timeout = 0;
  readonly #world: World;
  readonly #own: Owner;
  readonly #way: Way;
  #peer: SimSocket | undefined;
  #cancelTimeout: () => void = () => undefined;
  /** When something came or went last, by its machine's clock. */
  #touchedAt = 0;
  /** When the timer looks for how long nothing has; Infinity where there is none. */
  #looksAt = Number.POSITIVE_INFINITY;
  #taker: ((bytes: Buffer) => void) | undefined;
  /** What was sent to this end and is not there yet. */
  readonly #arriving: (() => void)[] = [];
  /** So that what was sent first arrives first. */
  #lastArrival = 0;
  /** The other end's process is gone, and nobody has said so. */
  #gone: Machine | undefined;
  #knocks = false;
  /** After so long in which the other end is gone, and nothing is said, the kernel asks; undefined for never. */
  #probeMs: number | undefined;
  bytesRead = 0;
  bytesWritten = 0;

  constructor(world: World, owner: Owner, way: Way, remote: { host: string; port: number }) {
    super({ allowHalfOpen: false });
    this.#world = world;
    this.#own = owner;
    this.#way = way;
    this.remoteAddress = remote.host;
    this.remotePort = remote.port;
  }

  get pending(): boolean {
    return this.connecting;
  }

  get readyState(): string {
    return this.connecting ? 'opening' : 'open';
  }

  pairWith(peer: SimSocket): void {
    this.#peer = peer;
    peer.#peer = this;
  }

  connected(): void {
    if (this.destroyed) return;
    this.connecting = false;
    this.emit('connect');
    this.emit('ready');
  }

  get owner(): Owner {
    return this.#own;
  }

  /** Whether it stands open for nobody: the other end is gone, and nothing has said so. */
  get isLeft(): boolean {
    return this.#gone !== undefined && !this.destroyed;
  }

  /** The other end is gone, or something between them says so. */
  reset(): void {
    if (!this.destroyed) this.destroy(reset());
  }

  /** Its machine has no power, or the way is silent: whoever has said something meanwhile hears of it later. */
  peerIsGone(machine: Machine): void {
    this.#gone = machine;
    if (this.#lastArrival > this.#world.now) this.#say(machine);
    if (this.#probeMs === undefined) return;
    this.#world.as(this.#own, this.#probeMs, () => this.#say(machine));
    this.#world.as(this.#own, this.#probeMs + PROBED_MS, () => this.reset());
  }

  #say(machine: Machine): void {
    if (this.#knocks) return;
    this.#knocks = true;
    this.#knock(machine);
  }

  #knock(machine: Machine): void {
    const world = this.#world;
    if (this.destroyed) return;
    const { delayMs, silent, deaf } = this.#way;
    const isHeard = !silent && deaf === undefined && machine.darkUntil <= world.now;
    if (isHeard) world.as(this.#own, 2 * delayMs, () => this.reset());
    else world.as(this.#own, RESEND_MS, () => this.#knock(machine));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#whenConnected(() => this.#write(Buffer.from(chunk), done));
  }

  /** What was written in one go is one piece on the way, as Node writes it. */
  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this.#whenConnected(() => this.#write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done));
  }

  /** Sends at once what nobody changes any more, past all that a stream does with it. */
  put(bytes: Buffer): void {
    this.#touch();
    this.bytesWritten += bytes.length;
    this.#send((peer) => peer.#receive(bytes));
  }

  /** In place of a stream's data: each piece as it comes. Its end closes the socket. */
  onBytes(fn: (bytes: Buffer) => void): void {
    this.#taker = fn;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#send((peer) => peer.#receive(null));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancelTimeout();
    this.#send((peer) => {
      if (!peer.destroyed) peer.destroy(error === null ? undefined : reset());
    });
    this.#peer = undefined;
    done(error);
  }

  setTimeout(ms: number, fn?: () => void): this {
    this.timeout = ms;
    if (fn !== undefined && ms > 0) this.once('timeout', fn);
    else if (fn !== undefined) this.off('timeout', fn);
    this.#touch();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(isAsked = false, afterMs = 0): this {
    this.#probeMs = isAsked && afterMs >= LEAST_PROBE_MS ? afterMs : undefined;
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  address(): object {
    return { address: '127.0.0.1', family: 'IPv4', port: 0 };
  }

  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once('finish', () => this.destroy());
  }

  resetAndDestroy(): this {
    return this.destroy(reset());
  }

  #write(bytes: Buffer, done: () => void): void {
    if (bytes.length <= KERNEL_BYTES) {
      this.put(bytes);
      done();
      return;
    }
    this.#touch();
    this.#send((peer) => {
      peer.#receive(bytes);
      peer.#send(() => done());
    });
  }

  #whenConnected(fn: () => void): void {
    if (this.connecting) this.once('connect', fn);
    else fn();
  }

  #receive(bytes: Buffer | null): void {
    if (this.destroyed) return;
    if (bytes !== null) {
      this.#touch();
      this.bytesRead += bytes.length;
    }
    if (this.#taker === undefined) this.push(bytes);
    else if (bytes === null) this.destroySoon();
    else this.#taker(bytes);
  }

  #touch(): void {
    this.#touchedAt = this.#own.machine.monotonicAt(this.#world.now);
    if (this.timeout > 0) this.#lookAt(this.#touchedAt + this.timeout);
  }

  /** As Node's: one timer for all that comes and goes, and not another one for each of it. */
  #lookAt(at: number): void {
    if (this.#looksAt <= at) return;
    this.#cancelTimeout();
    this.#looksAt = at;
    const machine = this.#own.machine;
    const inMs = at - machine.monotonicAt(this.#world.now);
    const timer = this.#world.timer(this.#own, inMs, () => {
      this.#looksAt = Number.POSITIVE_INFINITY;
      if (this.timeout <= 0) return;
      const endsAt = this.#touchedAt + this.timeout;
      if (endsAt - machine.monotonicAt(this.#world.now) > ROUNDING_MS) this.#lookAt(endsAt);
      else this.emit('timeout');
    });
    this.#cancelTimeout = timer.cancel;
  }

  /** To the other end, on its machine, as long as both processes live. */
  #send(arrive: (peer: SimSocket) => void): void {
    const world = this.#world;
    if (!world.mayStep(this.#own)) return;
    const peer = this.#peer;
    if (peer === undefined) return;
    if (this.#gone !== undefined) {
      this.#say(this.#gone);
      return;
    }
    const { delayMs } = this.#way;
    const takes = delayMs * (1 + world.random.next());
    const at = Math.max(this.#lastArrival, world.now + takes);
    this.#lastArrival = at;
    world.as(peer.#own, at - world.now, () => {
      if (peer.#arriving.length === 0 && peer.#hears) arrive(peer);
      else {
        peer.#arriving.push(() => arrive(peer));
        peer.#takeIn();
      }
    });
  }

  get #hears(): boolean {
    const { silent, deaf } = this.#way;
    return !silent && deaf !== this.#own.machine;
  }

  /** What came in, in its order. While nothing of it is heard it is sent again and again, as TCP does. */
  #takeIn(): void {
    if (!this.#hears) {
      this.#world.as(this.#own, RESEND_MS, () => this.#takeIn());
      return;
    }
    for (const arrive of this.#arriving.splice(0)) arrive();
  }
}

function reset(): NodeJS.ErrnoException {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
}
