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
/** As a kernel that gives up on a peer that says nothing. */
const CONNECT_TIMEOUT_MS = 60_000;

export class Network {
  readonly #world: World;
  readonly #listening = new Map<number, Listening>();
  readonly #ways = new Map<string, Way>();
  readonly #open = new Map<Machine, Set<SimSocket>>();
  /** Those of dead processes too. */
  readonly #all = new Set<SimSocket>();
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
    return () => {
      if (this.#listening.get(port) === listening) this.#listening.delete(port);
    };
  }

  way(a: Machine, b: Machine): Way {
    const key = a.name < b.name ? `${a.name} ${b.name}` : `${b.name} ${a.name}`;
    let way = this.#ways.get(key);
    if (way === undefined) {
      way = { delayMs: DELAY_MS, silent: false };
      this.#ways.set(key, way);
    }
    return way;
  }

  /** Breaks the way: those who speak over it hear nothing more, and new connections hang. */
  silence(a: Machine, b: Machine, isSilent: boolean): void {
    this.way(a, b).silent = isSilent;
    this.#world.say(`${a.name} and ${b.name} ${isSilent ? 'hear nothing of' : 'hear'} each other`);
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

  /** The process is gone: its peers get a reset, and nobody listens any more. */
  killed(machine: Machine): void {
    for (const socket of this.#open.get(machine) ?? []) {
      const peer = this.#peers.get(socket);
      if (peer !== undefined) this.#world.as(peer.owner, DELAY_MS, () => peer.reset());
    }
    this.#open.delete(machine);
    for (const [port, listening] of this.#listening) {
      if (listening.owner.machine === machine) this.#listening.delete(port);
    }
  }

  readonly #peers = new WeakMap<SimSocket, SimSocket>();

  connect(from: Owner, port: number): SimSocket {
    const world = this.#world;
    const listening = this.#listening.get(port);
    const to = listening?.owner;
    const way = this.way(from.machine, (to ?? from).machine);
    const socket = new SimSocket(world, from, way, { host: '127.0.0.1', port });
    if (!world.mayStep(from)) return socket;
    this.#track(from.machine, socket);
    if (way.silent) {
      const giveUp = () => socket.destroy(refused('ETIMEDOUT', port));
      socket.once('close', world.as(from, CONNECT_TIMEOUT_MS, giveUp));
      return socket;
    }
    const refuse = () => socket.destroy(refused('ECONNREFUSED', port));
    if (to === undefined) {
      world.as(from, 2 * way.delayMs, refuse);
      return socket;
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
    return socket;
  }

  /** What is open on the machine, as where its process ends. */
  close(machine: Machine): void {
    for (const socket of [...(this.#open.get(machine) ?? [])]) socket.destroy();
  }

  /** Closes all: Node keeps what reads a connection, and so the world, as long as that is open. */
  end(): void {
    for (const socket of this.#all) socket.destroy();
  }

  #track(machine: Machine, socket: SimSocket): void {
    const open = this.#open.get(machine) ?? new Set();
    this.#open.set(machine, open);
    open.add(socket);
    this.#all.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      this.#all.delete(socket);
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
