/**
 * A Redis process on a machine of the world: what it holds, its connections, the file that it comes
 * back with, and replicas that follow it some time behind.
 */

import type { Machine } from '../world/machine.ts';
import type { Network } from '../world/network.ts';
import type { SimSocket } from '../world/sockets.ts';
import type { World } from '../world/world.ts';
import { AppendFile } from './append-file.ts';
import { execute, GROWS, WRITES } from './commands.ts';
import { Lacking, OK, RedisError, type Reply, RequestReader, Status, say } from './reply.ts';
import { LuaScripts, sha1 } from './scripts.ts';
import { type Effect, REPEATED, Store } from './store.ts';

interface Blocked {
  readonly socket: SimSocket;
  readonly streams: readonly (readonly [key: string, after: string])[];
  readonly count: number;
  readonly cancel: () => void;
}

type Refusal = 'full' | 'cannot save';

/** As a real one says it, with `stop-writes-on-bgsave-error`. */
const CANNOT_SAVE =
  "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. " +
  'Commands that may modify the data set are disabled, because this instance is configured to report ' +
  'errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). ' +
  'Please check the Redis logs for details about the RDB error.';

interface Link {
  readonly replica: SimRedis;
  lagMs: number;
}

/** A replica takes in what has reached it when somebody looks, and before there is more on its way. */
const MAX_COMING = 1000;

export interface SimRedisOptions {
  readonly world: World;
  readonly network: Network;
  readonly name: string;
  readonly port: number;
  /** A spec looks at what they do. */
  readonly scripts?: LuaScripts;
  /** A spec has a real one do the same. */
  readonly tap?: RedisTap;
}

export interface RedisTap {
  /** Of a client, but for those that only wait. */
  onCommand(words: readonly string[], reply: Reply): void;
  /** A write that no client asked for: a key has expired, or was evicted, or all of them. */
  onLoss(effect: Effect): void;
  /** It holds something else now. */
  onReplaced(store: Store): void;
}

export class SimRedis {
  readonly machine: Machine;
  readonly port: number;
  readonly #world: World;
  readonly #network: Network;
  readonly #blocked = new Set<Blocked>();
  readonly #links: Link[] = [];
  readonly #scripts: LuaScripts;
  readonly #tap: RedisTap | undefined;
  #file = new AppendFile();
  /** From its master, and when each will be there. */
  #coming: { readonly at: number; readonly effect: Effect }[] = [];
  store = new Store();
  /** Whether it refuses what needs room, or every write. */
  refusal: Refusal | undefined;
  /** Of the script that runs: what has written something may go on, full or not. */
  #mayGrow = false;
  #runId = '';
  #replId = '';
  /** What it says of itself, as long as that is so: every script asks for it. */
  #said: { readonly of: string; readonly text: string } = { of: '', text: '' };
  #role: 'master' | 'slave' = 'master';
  /** Of the command that is under way: who waits for one may have it. */
  #hasEntry = false;

  constructor({ world, network, name, port, scripts, tap }: SimRedisOptions) {
    this.#tap = tap;
    this.#scripts = scripts ?? new LuaScripts();
    this.#world = world;
    this.#network = network;
    this.machine = world.machine(name);
    this.port = port;
    this.#replay();
    this.#begin();
  }

  get isReplica(): boolean {
    return this.#role === 'slave';
  }

  /** Follows the master from now on, with all that it holds. */
  follow(master: SimRedis, lagMs: number): void {
    this.#role = 'slave';
    this.#file = master.#file.copy();
    this.#coming = [];
    this.#replay();
    if (master.#links.length === 0) master.#replId = master.#newId();
    master.#links.push({ replica: this, lagMs });
  }

  /** What follows it is so much behind, until it follows another one. */
  delayReplicas(lagMs: number): void {
    for (const link of this.#links) link.lagMs = lagMs;
    this.#world.say(`what follows ${this.machine.name} is ${lagMs} ms behind`);
  }

  /** A replica becomes a master with what has reached it. */
  promote(): void {
    this.#catchUp();
    this.#coming = [];
    this.#role = 'master';
    this.store.keepsExpired = false;
    this.#replId = this.#newId();
    // What its master told it nobody else was told of.
    this.#tap?.onReplaced(this.store);
    this.#world.say(`${this.machine.name} is promoted`);
  }

  /** Becomes the other's replica, and holds what that one holds. */
  demoteTo(master: SimRedis, lagMs: number): void {
    this.#links.length = 0;
    this.#dropConnections();
    this.follow(master, lagMs);
    this.#world.say(`${this.machine.name} follows ${master.machine.name}`);
  }

  /** kill -9, and another process with the same file, less what a crash of its machine took. */
  restart(downMs: number, lostMs = 0): void {
    this.#network.killed(this.machine, lostMs > 0 ? downMs : 0);
    this.#world.kill(this.machine);
    this.#catchUp();
    this.#file.lose(this.#world.now - lostMs);
    this.#world.at(this.machine, downMs, () => {
      this.#begin();
      this.#replay();
      this.#world.say(`${this.machine.name} is back, and has lost ${lostMs} ms`);
    });
  }

  /**
   * Another process with an older copy of the file, behind a proxy that goes on holding the clients'
   * connections: what they send meanwhile comes to the new one.
   */
  replace(downMs: number, lostMs: number): void {
    this.#catchUp();
    this.#file.lose(this.#world.now - lostMs);
    for (const each of this.#blocked) this.#unblock(each);
    this.#newProcess();
    this.#replay();
    this.#world.freeze(this.machine, downMs);
    this.#world.say(`${this.machine.name} is replaced, and has lost ${lostMs} ms`);
  }

  /** One key goes: as by a policy that lets it, or by somebody's DEL. */
  evict(at: number): void {
    const keys = this.store.keysForEver;
    const key = keys[Math.floor(at * keys.length)];
    if (key === undefined) return;
    this.#lose(['DEL', key]);
    this.#world.say(`${this.machine.name} evicts ${key}`);
  }

  /** Everything goes, as by FLUSHALL. */
  flush(): void {
    this.#lose(['FLUSHALL']);
    this.#world.say(`${this.machine.name} is flushed`);
  }

  #lose(effect: Effect): void {
    execute(this.store, effect, this.#wall);
    this.#tap?.onLoss(effect);
  }

  get #owner() {
    return { machine: this.machine, boot: this.machine.boot };
  }

  get #wall(): number {
    return this.#world.wallOf(this.machine);
  }

  #begin(): void {
    this.#newProcess();
    this.#blocked.clear();
    this.#network.listen(this.#owner, this.port, (socket) => this.#accept(socket));
  }

  #newProcess(): void {
    this.#runId = this.#newId();
    this.#replId = this.#newId();
    this.#scripts.forget();
  }

  #newId(): string {
    return sha1(this.#world.random.uuid());
  }

  #replay(): void {
    const store = this.#file.read();
    store.onEffect = (effect) => this.#keep(effect);
    store.onExpired = (key) => this.#tap?.onLoss(['DEL', key]);
    store.keepsExpired = this.isReplica;
    this.store = store;
    this.#tap?.onReplaced(store);
  }

  #keep(effect: Effect): void {
    const { now } = this.#world;
    if (effect[0] === 'XADD' || effect[0] === 'RENAME') this.#hasEntry = true;
    this.#file.add(now, effect);
    for (const { replica, lagMs } of this.#links) {
      replica.#coming.push({ at: now + lagMs, effect });
      if (replica.#coming.length > MAX_COMING) replica.#catchUp();
    }
  }

  /** Nobody sees a replica but who asks it: no event is needed for each write that reaches it. */
  #catchUp(): void {
    if (this.#role !== 'slave' || this.#coming.length === 0) return;
    const { now } = this.#world;
    const later = this.#coming.findIndex(({ at }) => at > now);
    const due = this.#coming.splice(0, later < 0 ? this.#coming.length : later);
    for (const { effect } of due) execute(this.store, effect, REPEATED);
  }

  #accept(socket: SimSocket): void {
    const reader = new RequestReader();
    socket.on('error', () => undefined);
    socket.onBytes((chunk) => {
      for (const words of reader.add(chunk)) this.#answer(socket, words);
    });
    socket.once('close', () => {
      for (const each of this.#blocked) if (each.socket === socket) this.#unblock(each);
    });
  }

  #answer(socket: SimSocket, words: readonly string[]): void {
    this.#hasEntry = false;
    const reply = this.#execute(socket, words);
    if (reply !== undefined) {
      // What a replica is asked a real one would have to be one for.
      if (!this.isReplica) this.#tap?.onCommand(words, reply);
      say(socket, reply);
    }
    if (this.#hasEntry) this.#wake();
  }

  /** Undefined where the answer comes later. */
  #execute(socket: SimSocket, words: readonly string[]): Reply | undefined {
    const [name = '', ...args] = words;
    switch (name.toUpperCase()) {
      case 'XREAD':
        return this.#read(socket, args);
      case 'EVAL': {
        const [text = '', ...rest] = args;
        return this.#eval(text, sha1(text), rest);
      }
      case 'EVALSHA': {
        const [sha = '', ...rest] = args;
        return this.#eval(undefined, sha, rest);
      }
      case 'CLIENT':
      case 'SELECT':
        return OK;
      case 'PING':
        return this.refusal === 'cannot save' ? new RedisError(CANNOT_SAVE) : new Status('PONG');
      default:
        return this.#call(words);
    }
  }

  #eval(text: string | undefined, name: string, args: readonly string[]): Reply {
    const [count = '0', ...rest] = args;
    const keys = rest.slice(0, Number(count));
    const argv = rest.slice(Number(count));
    const script = text === undefined ? { name } : { name, text };
    this.#mayGrow = false;
    const reply = this.#scripts.eval(script, { keys, argv }, (words) => this.#callInScript(words));
    this.#mayGrow = false;
    return reply;
  }

  #callInScript(words: readonly string[]): Reply {
    const reply = this.#call(words);
    if (WRITES.has(words[0]?.toUpperCase() ?? '') && !(reply instanceof RedisError)) {
      this.#mayGrow = true;
    }
    return reply;
  }

  #call(words: readonly string[]): Reply {
    this.#catchUp();
    const command = words[0]?.toUpperCase() ?? '';
    const now = this.#wall;
    if (command === 'INFO') return this.#info();
    if (command === 'TIME') return [String(Math.floor(now / 1000)), String((now % 1000) * 1000)];
    const refused = WRITES.has(command) ? this.#refused(command) : undefined;
    return refused ?? execute(this.store, words, now);
  }

  #refused(command: string): RedisError | undefined {
    if (this.#role === 'slave') {
      return new RedisError("READONLY You can't write against a read only replica.");
    }
    if (this.refusal === 'cannot save') return new RedisError(CANNOT_SAVE);
    if (this.refusal === 'full' && !this.#mayGrow && GROWS.has(command)) {
      return new RedisError("OOM command not allowed when used memory > 'maxmemory'.");
    }
    return undefined;
  }

  #info(): string {
    const of = `${this.#runId} ${this.#role} ${this.#replId}`;
    if (this.#said.of !== of) this.#said = { of, text: this.#describe() };
    return this.#said.text;
  }

  #describe(): string {
    const rows = [
      `run_id:${this.#runId}`,
      'redis_version:7.2.4',
      `role:${this.#role}`,
      `master_replid:${this.#replId}`,
      'loading:0',
      'maxmemory_policy:noeviction',
      'aof_enabled:1',
    ];
    return `${rows.join('\r\n')}\r\n`;
  }

  /** COUNT n BLOCK ms STREAMS key… id…, as many of these. */
  #read(socket: SimSocket, args: readonly string[]): Reply | undefined {
    const [a, count = '', b, block = '', c, ...named] = args;
    const half = named.length / 2;
    if (a !== 'COUNT' || b !== 'BLOCK' || c !== 'STREAMS' || !Number.isInteger(half)) {
      throw new Lacking(`XREAD ${args.join(' ')}`);
    }
    const streams = named.slice(0, half).map((key, i) => [key, named[half + i] ?? ''] as const);
    const now = this.#found(streams, Number(count));
    if (now !== null) return now;
    const blocked: Blocked = {
      socket,
      streams,
      count: Number(count),
      cancel: this.#world.at(this.machine, Number(block), () => {
        this.#unblock(blocked);
        say(socket, null);
      }),
    };
    this.#blocked.add(blocked);
    return undefined;
  }

  #found(streams: Blocked['streams'], count: number): Reply {
    const all: Reply[] = [];
    for (const [key, after] of streams) {
      const asked = ['XRANGE', key, `(${after}`, '+', 'COUNT', `${count}`];
      const found = execute(this.store, asked, this.#wall);
      if (found instanceof RedisError) return found;
      if (Array.isArray(found) && found.length > 0) all.push([key, found]);
    }
    return all.length > 0 ? all : null;
  }

  #wake(): void {
    for (const each of this.#blocked) {
      const found = this.#found(each.streams, each.count);
      if (found === null) continue;
      this.#unblock(each);
      say(each.socket, found);
    }
  }

  #unblock(blocked: Blocked): void {
    blocked.cancel();
    this.#blocked.delete(blocked);
  }

  #dropConnections(): void {
    this.#network.killed(this.machine);
    this.#network.listen(this.#owner, this.port, (socket) => this.#accept(socket));
  }
}
