/** Who listens where, and the ways between machines. */

import type { Machine, Owner } from './machine.ts';
import { SimSocket, type Way } from './sockets.ts';
import type { World } from './world.ts';

export type Accept = (socket: SimSocket) => void;

interface Listening {
  readonly owner: Owner;
  readonly accept: Accept;
}

/** On one machine's loopback or within a rack. */
const DELAY_MS = 0.2;
/** As a kernel that knocks again at a peer that says nothing, each time after twice as long, and gives up. */
const KNOCK_MS = 1000;
const KNOCKS = 6;

export class Network {
  readonly #world: World;
  readonly #listening = new Map<number, Listening>();
  /** Who listened there last: where whoever comes is refused. */
  readonly #places = new Map<number, Machine>();
  readonly #ways = new Map<string, Way>();
  readonly #open = new Map<Machine, Set<SimSocket>>();
  #nextPort = 40_000;

  constructor(world: World) {
    this.#world = world;
  }

  /** A port for whoever asks for any. */
  freePort(): number {
    return this.#nextPort++;
  }

  listen(owner: Owner, port: number, accept: Accept): () => void {
    const listening = { owner, accept };
    this.#listening.set(port, listening);
    this.#places.set(port, owner.machine);
    return () => {
      if (this.#listening.get(port) === listening) this.#listening.delete(port);
    };
  }

  way(a: Machine, b: Machine): Way {
    const key = a.name < b.name ? `${a.name} ${b.name}` : `${b.name} ${a.name}`;
    let way = this.#ways.get(key);
    if (way === undefined) {
      way = { delayMs: DELAY_MS, silent: false, deaf: undefined };
      this.#ways.set(key, way);
    }
    return way;
  }

  /** Breaks the way: those who speak over it hear nothing more, and new connections hang. */
  silence(a: Machine, b: Machine, isSilent: boolean): void {
    this.way(a, b).silent = isSilent;
    this.#world.say(`${a.name} and ${b.name} ${isSilent ? 'hear nothing of' : 'hear'} each other`);
  }

  /** Only one of the two: it hears nothing of the other, which hears it. */
  deafen(deaf: Machine, other: Machine, isDeaf: boolean): void {
    this.way(deaf, other).deaf = isDeaf ? deaf : undefined;
    this.#world.say(`${deaf.name} hears ${isDeaf ? 'nothing of ' : ''}${other.name}`);
  }

  /** Everything takes so long between the two; undefined for as long as by nature. */
  slow(a: Machine, b: Machine, delayMs: number = DELAY_MS): void {
    this.way(a, b).delayMs = delayMs;
    this.#world.say(`what ${a.name} and ${b.name} say takes ${delayMs} ms`);
  }

  /** Resets what is open between the two. */
  cut(a: Machine, b: Machine): void {
    const ofB = this.#open.get(b) ?? new Set();
    for (const socket of [...(this.#open.get(a) ?? [])]) {
      const peer = this.#peers.get(socket);
      if (peer === undefined || !ofB.has(peer)) continue;
      this.#world.as(socket.owner, 0, () => socket.reset());
      this.#world.as(peer.owner, 0, () => peer.reset());
    }
    this.#world.say(`cut ${a.name} from ${b.name}`);
  }

  /**
   * The process is gone, and nobody listens any more. Its peers get a reset; where its machine has lost its
   * power they hear nothing, and get one when they speak and it has power again.
   */
  killed(machine: Machine, darkMs = 0): void {
    machine.darkUntil = Math.max(machine.darkUntil, this.#world.now + darkMs);
    for (const socket of this.#open.get(machine) ?? []) {
      const peer = this.#peers.get(socket);
      if (peer === undefined) continue;
      const to = peer.owner.machine;
      const { silent, deaf } = this.way(machine, to);
      if (darkMs === 0 && !silent && deaf !== to)
        this.#world.as(peer.owner, DELAY_MS, () => peer.reset());
      else peer.peerIsGone(machine);
    }
    this.#open.delete(machine);
    for (const [port, listening] of this.#listening) {
      if (listening.owner.machine === machine) this.#listening.delete(port);
    }
  }

  /** How many connections a machine has to processes that are gone, and cannot know it. */
  leftOpen(machine: Machine): number {
    return [...(this.#open.get(machine) ?? [])].filter(({ isLeft }) => isLeft).length;
  }

  readonly #peers = new WeakMap<SimSocket, SimSocket>();

  connect(from: Owner, port: number): SimSocket {
    const world = this.#world;
    const there = this.#listening.get(port)?.owner.machine ?? this.#places.get(port);
    const way = this.way(from.machine, there ?? from.machine);
    const socket = new SimSocket(world, from, way, { host: '127.0.0.1', port });
    if (!world.mayStep(from)) return socket;
    this.#track(from.machine, socket);
    this.#knock(socket, way, there, 0);
    return socket;
  }

  #knock(socket: SimSocket, way: Way, there: Machine | undefined, knocks: number): void {
    const world = this.#world;
    const { owner: from, remotePort: port } = socket;
    if (socket.destroyed) return;
    const isHeard = !way.silent && way.deaf === undefined && (there?.darkUntil ?? 0) <= world.now;
    if (!isHeard && knocks < KNOCKS) {
      const again = () => this.#knock(socket, way, there, knocks + 1);
      socket.once('close', world.as(from, KNOCK_MS * 2 ** knocks, again));
      return;
    }
    const refuse = () => socket.destroy(refused(isHeard ? 'ECONNREFUSED' : 'ETIMEDOUT', port));
    const to = this.#listening.get(port)?.owner;
    if (!isHeard || to === undefined) {
      world.as(from, 2 * way.delayMs, refuse);
      return;
    }
    world.as(to, way.delayMs * (1 + world.random.next()), () => {
      const now = this.#listening.get(port);
      if (now?.owner.machine !== to.machine) {
        world.as(from, way.delayMs, refuse);
        return;
      }
      // Whoever it is has it run on that machine, and dies with its process.
      const accepted = new SimSocket(world, now.owner, way, {
        host: '127.0.0.1',
        port: this.freePort(),
      });
      this.#track(to.machine, accepted);
      socket.pairWith(accepted);
      this.#peers.set(socket, accepted);
      this.#peers.set(accepted, socket);
      accepted.connecting = false;
      world.as(from, way.delayMs * (1 + world.random.next()), () => socket.connected());
      now.accept(accepted);
      // Who asked may have given up, or died, while nobody took it in: a kernel says so.
      const isGone = socket.destroyed || from.boot !== from.machine.boot;
      if (isGone) world.as(now.owner, way.delayMs, () => accepted.reset());
    });
  }

  /** What is open on the machine, as where its process ends. */
  close(machine: Machine): void {
    for (const socket of [...(this.#open.get(machine) ?? [])]) socket.destroy();
  }

  /** Nobody hears of anything any more, or would go on for that in the world that comes next. */
  end(): void {
    this.#open.clear();
    this.#listening.clear();
  }

  #track(machine: Machine, socket: SimSocket): void {
    const open = this.#open.get(machine) ?? new Set();
    this.#open.set(machine, open);
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
    });
  }
}

function refused(code: string, port: number): NodeJS.ErrnoException {
  return Object.assign(new Error(`connect ${code} 127.0.0.1:${port}`), {
    code,
    syscall: 'connect',
    address: '127.0.0.1',
    port,
  });
}
