/** A sentinel on a machine of the world: it knows a master, says so when it is asked, and tells who listens of another. */
import type { Machine } from '../world/machine.ts';
import type { Network } from '../world/network.ts';
import type { SimSocket } from '../world/sockets.ts';
import type { World } from '../world/world.ts';
import { Lacking, OK, RequestReader, Status, say } from './reply.ts';

export const MASTER_NAME = 'mymaster';
const HOST = '127.0.0.1';
const FIRST_PORT = 26_380;

export interface SimSentinelOptions {
  readonly world: World;
  readonly network: Network;
  readonly number: number;
  /** The port of the master to begin with. */
  readonly master: number;
}

export class SimSentinel {
  readonly machine: Machine;
  readonly port: number;
  readonly #world: World;
  readonly #listening = new Map<SimSocket, Set<string>>();
  #master: number;

  constructor({ world, network, number, master }: SimSentinelOptions) {
    this.#world = world;
    this.#master = master;
    this.port = FIRST_PORT + number;
    this.machine = world.machine(`q${number}`);
    const owner = { machine: this.machine, boot: this.machine.boot };
    network.listen(owner, this.port, (socket) => this.#accept(socket));
  }

  /** A replica was told to take over. */
  promised(next: number, old: number, lagMs: number): void {
    this.#soon(lagMs, () => this.#tell('+failover-state-wait-promotion', replica(next, old)));
  }

  /** It has taken over. Only the sentinel that leads says so before it says who the master is. */
  switched(next: number, old: number, lagMs: number, leads: boolean): void {
    this.#soon(lagMs, () => {
      if (leads) this.#tell('+promoted-slave', replica(next, old));
      this.#master = next;
      this.#tell('+switch-master', `${MASTER_NAME} ${HOST} ${old} ${HOST} ${next}`);
    });
  }

  #soon(ms: number, fn: () => void): void {
    this.#world.at(this.machine, ms, fn);
  }

  #tell(channel: string, text: string): void {
    for (const [socket, channels] of this.#listening) {
      if (channels.has(channel)) say(socket, ['message', channel, text]);
    }
  }

  #accept(socket: SimSocket): void {
    const reader = new RequestReader();
    socket.on('error', () => undefined);
    socket.onBytes((chunk) => {
      for (const words of reader.add(chunk)) this.#answer(socket, words);
    });
    socket.once('close', () => this.#listening.delete(socket));
  }

  #answer(socket: SimSocket, words: readonly string[]): void {
    const [name = '', ...args] = words;
    switch (name.toUpperCase()) {
      case 'SUBSCRIBE':
        this.#listening.set(socket, new Set(args));
        for (const [i, channel] of args.entries()) say(socket, ['subscribe', channel, i + 1]);
        return;
      case 'SENTINEL':
        if (args[0] !== 'get-master-addr-by-name') throw new Lacking(words.join(' '));
        say(socket, args[1] === MASTER_NAME ? [HOST, `${this.#master}`] : null);
        return;
      case 'PING':
        say(socket, new Status('PONG'));
        return;
      case 'CLIENT':
      case 'SELECT':
        say(socket, OK);
        return;
      default:
        throw new Lacking(`command ${name} of a sentinel`);
    }
  }
}

function replica(port: number, master: number): string {
  return `slave ${HOST}:${port} ${HOST} ${port} @ ${MASTER_NAME} ${HOST} ${master}`;
}
