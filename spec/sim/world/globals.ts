/**
 * Puts a world's timers, time, chance and sockets in the place of Node's, and takes them back. This is
 * the one file that may touch the real ones; what a port of the product could carry goes by the port.
 */
import { EventEmitter, setMaxListeners } from 'node:events';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { Transform } from 'node:stream';
import { loop } from '../../../lib/clock.ts';
import { answers } from '../../../lib/http/fast/ready-bytes.ts';
import { Together } from '../../../lib/together.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SimDatagrams } from './datagrams.ts';
import { fileCallsOf } from './files.ts';
import type { Network } from './network.ts';
import type { SimSocket } from './sockets.ts';
import type { SimTimer } from './timer.ts';
import type { World } from './world.ts';

const require = createRequire(import.meta.url);
const net = require('node:net');
const dgram = require('node:dgram');
const http = require('node:http');
const crypto = require('node:crypto');
const zlib = require('node:zlib');
const { parsers } = require('node:_http_common') as { parsers: { alloc(): Parser } };
const perf = require('node:perf_hooks');
const files = require('node:fs/promises');

/** A turn of the event loop takes time: code may wait for time to pass by turns. */
const TURN_MS = 0.02;
/** As Node's: who waits for what is left of a moment would else spin, for time goes on by events alone. */
const MIN_TIMER_MS = 1;

/** What reads HTTP of a connection; of none where it waits to be used again. */
interface Parser {
  readonly socket?: object | null;
  close(): void;
}

interface Place {
  readonly world: World;
  readonly network: Network;
}

/** A timer as Node's, as far as anybody asks. */
class Timer {
  #timer: SimTimer;
  #isIdle = false;

  constructor(timer: SimTimer) {
    this.#timer = timer;
  }

  /** As one that fires again. */
  goOn(timer: SimTimer): void {
    this.#timer = timer;
    if (this.#isIdle) timer.unref();
  }

  cancel(): void {
    this.#timer.cancel();
  }

  ref(): this {
    return this;
  }

  unref(): this {
    this.#isIdle = true;
    this.#timer.unref();
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.toPrimitive](): number {
    return 0;
  }
}

/** What a process measures of itself is of this one, and of no machine of a world: nothing is seen. */
class Unseeing {
  readonly max = 0;
  observe(): void {}
  disconnect(): void {}
  enable(): void {}
  disable(): void {}
  reset(): void {}
}

interface Listener {
  emit(event: string, socket: SimSocket): void;
}

type Args = readonly unknown[];
type Fn = (...args: Args) => void;

/** A stream that turns all that it is given into one piece, when it ends. */
function atOnce(change: (whole: Buffer) => Buffer): Transform {
  const parts: Buffer[] = [];
  return new Transform({
    transform(part: Buffer, _, done) {
      parts.push(part);
      done();
    },
    flush(done) {
      done(null, change(Buffer.concat(parts)));
    },
  });
}

/** As a callback of Node's is told it. */
function outcomeOf<T>(fn: () => T): readonly [error: unknown, value: T | undefined] {
  try {
    return [null, fn()];
  } catch (error) {
    return [error, undefined];
  }
}

/** Until the function that it gives back is called. */
export function replaceGlobals({ world, network }: Place): () => void {
  const undo: (() => void)[] = [];
  const replace = (holder: object, name: string, value: unknown) => {
    const before = Object.getOwnPropertyDescriptor(holder, name);
    Object.defineProperty(holder, name, { value, configurable: true, writable: true });
    undo.push(() => {
      if (before === undefined) Reflect.deleteProperty(holder, name);
      else Object.defineProperty(holder, name, before);
    });
  };
  const after = (fn: Fn, ms: number, args: Args) => new Timer(world.after(ms, () => fn(...args)));
  const repeat = (fn: Fn, ms: number, args: Args) => {
    const next = (): SimTimer =>
      world.after(ms, () => {
        timer.goOn(next());
        fn(...args);
      });
    const timer = new Timer(next());
    return timer;
  };
  const cancel = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel();
  };
  replace(globalThis, 'setTimeout', (fn: Fn, ms = 0, ...args: Args) =>
    after(fn, Math.max(MIN_TIMER_MS, ms), args),
  );
  replace(globalThis, 'setImmediate', (fn: Fn, ...args: Args) => after(fn, TURN_MS, args));
  replace(globalThis, 'setInterval', (fn: Fn, ms = 0, ...args: Args) => repeat(fn, ms, args));
  for (const name of ['clearTimeout', 'clearImmediate', 'clearInterval']) {
    replace(globalThis, name, cancel);
  }
  replace(loop, 'nextTurn', (fn: () => void) => world.shared(TURN_MS, fn));
  // One for each process, and none of an earlier world.
  const ofTurns = new Map<string, Together>();
  const togetherHere = () => {
    const owner = world.here;
    const process = `${owner.machine.name} ${owner.boot}`;
    const known = ofTurns.get(process);
    const its = known ?? new Together((call) => void world.as(owner, TURN_MS, call));
    if (known === undefined) ofTurns.set(process, its);
    return its;
  };
  replace(answers, 'together', { send: (send: () => void) => togetherHere().send(send) });
  replace(loop, 'mine', (fn: Fn) => {
    const owner = world.here;
    return (...args: Args) => void world.as(owner, 0, () => fn(...args));
  });
  replace(AbortSignal, 'timeout', (ms: number) => {
    const late = new AbortController();
    world.after(ms, () => late.abort(new DOMException('it took too long', 'TimeoutError'))).unref();
    return late.signal;
  });
  // Node keeps one to which somebody listens until it is aborted: whoever was killed would keep his world by it.
  replace(AbortSignal, 'any', (signals: readonly AbortSignal[]) => {
    const any = new AbortController();
    for (const signal of signals) {
      const abort = () => any.abort(signal.reason);
      // They are as many as there are questions under way, which Node's own has no need of.
      setMaxListeners(0, signal);
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    }
    return any.signal;
  });
  replace(Date, 'now', () => world.wallOf(world.here.machine));
  replace(performance, 'now', () => world.here.machine.monotonicAt(world.now));
  replace(Math, 'random', () => world.random.next());
  replace(crypto, 'randomUUID', () => world.random.uuid());
  // By a chance of their own: what they come to tells no run from another.
  const bytes = seededRandom(world.seed ^ 0xb17e5);
  replace(crypto, 'randomBytes', (size: number) =>
    Buffer.from(Array.from({ length: size }, () => Math.floor(bytes.next() * 256))),
  );
  const connect = (...args: Args): SimSocket => {
    const options = typeof args[0] === 'object' ? (args[0] as ConnectOptions) : undefined;
    const port = Number(options?.port ?? args[0]);
    const socket = network.connect(world.here, port);
    socket.setKeepAlive(options?.keepAlive, options?.keepAliveInitialDelay);
    const listener = args.find((each) => typeof each === 'function');
    if (listener !== undefined) socket.once('connect', listener as Fn);
    return socket;
  };
  const listening = new WeakMap<object, { port: number; close: () => void }>();
  replace(net.Server.prototype, 'listen', function listen(this: Listener, ...args: Args) {
    const [first] = args as [number | { readonly port?: number }];
    const port = (typeof first === 'number' ? first : first.port) || network.freePort();
    const close = network.listen(world.here, port, (socket) => this.emit('connection', socket));
    listening.set(this, { port, close });
    const done = args.find((each) => typeof each === 'function');
    world.after(0, () => (done as Fn | undefined)?.());
    return this;
  });
  // Node keeps what reads a connection, and so the world, until it is let go: of who was killed it never is.
  const alloc = parsers.alloc.bind(parsers);
  const reading = new Set<Parser>();
  replace(parsers, 'alloc', () => {
    const parser = alloc();
    reading.add(parser);
    return parser;
  });
  undo.push(() => {
    for (const parser of reading) if (parser.socket) parser.close();
  });
  // Node would look after its connections from then on, by timers of its own, which keep the world.
  replace(http.Server.prototype, 'emit', function emit(this: EventEmitter, ...args: Args) {
    const [event, ...more] = args as [string];
    return event !== 'listening' && EventEmitter.prototype.emit.call(this, event, ...more);
  });
  replace(net.Server.prototype, 'close', function close(this: object, done?: Fn) {
    listening.get(this)?.close();
    listening.delete(this);
    world.after(0, () => done?.());
    return this;
  });
  replace(net.Server.prototype, 'address', function address(this: object) {
    const port = listening.get(this)?.port;
    return port === undefined ? null : { port, address: '127.0.0.1', family: 'IPv4' };
  });
  for (const [name, call] of Object.entries(fileCallsOf(world))) replace(files, name, call);
  // Compression would take real time, on threads of its own.
  replace(zlib, 'createGzip', () => atOnce(zlib.gzipSync));
  replace(zlib, 'createGunzip', () => atOnce(zlib.gunzipSync));
  for (const name of ['deflateRaw', 'inflateRaw'] as const) {
    const change = zlib[`${name}Sync`] as (bytes: unknown, options: unknown) => Buffer;
    replace(zlib, name, (bytes: unknown, options: unknown, done: Fn) => {
      const [error, changed] = outcomeOf(() => change(bytes, options));
      world.after(TURN_MS, () => done(error, changed));
    });
  }
  replace(perf, 'PerformanceObserver', Unseeing);
  replace(perf, 'monitorEventLoopDelay', () => new Unseeing());
  replace(dgram, 'createSocket', () => new SimDatagrams({ world, network, owner: world.here }));
  replace(net, 'connect', connect);
  replace(net, 'createConnection', connect);
  replace(http.Agent.prototype, 'createConnection', connect);
  syncBuiltinESMExports();
  return () => {
    for (const each of undo.reverse()) each();
    syncBuiltinESMExports();
  };
}

interface ConnectOptions {
  readonly port?: number;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
}
