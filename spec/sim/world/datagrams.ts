/** Datagrams between machines: what a dgram.Socket does, as far as the product and its clients use it. */
import { EventEmitter } from 'node:events';
import type { Owner } from './machine.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

type Fn = () => void;

interface Place {
  readonly world: World;
  readonly network: Network;
  /** The process that made it. */
  readonly owner: Owner;
}

/** Who is bound where, on all machines: on this network a port says which machine is meant. */
const BOUND = new WeakMap<Network, Map<number, SimDatagrams>>();

export class SimDatagrams extends EventEmitter {
  readonly #place: Place;
  readonly #bound: Map<number, SimDatagrams>;
  #port = 0;

  constructor(place: Place) {
    super();
    this.#place = place;
    this.#bound = BOUND.get(place.network) ?? new Map();
    BOUND.set(place.network, this.#bound);
  }

  bind({ port = 0 }: { port?: number } = {}, done: Fn = () => undefined): this {
    const { world, network, owner } = this.#place;
    this.#port = port === 0 ? network.freePort() : port;
    this.#bound.set(this.#port, this);
    world.as(owner, 0, done);
    return this;
  }

  address(): { port: number; address: string; family: string } {
    return { port: this.#port, address: '127.0.0.1', family: 'IPv4' };
  }

  /** As dgram's `send(packet, [offset, length,] port, address)`. Nobody is told where it is lost. */
  send(packet: Buffer, ...where: readonly unknown[]): void {
    const isPart = where.length > 2;
    const [offset, length] = isPart ? (where as [number, number]) : [0, packet.length];
    const to = where[isPart ? 2 : 0] as number;
    const { world, network, owner } = this.#place;
    if (this.#port === 0) this.bind();
    const peer = this.#bound.get(to);
    if (!world.mayStep(owner) || peer === undefined) return;
    const its = peer.#place.owner;
    const way = network.way(owner.machine, its.machine);
    if (way.silent || way.deaf === its.machine) return;
    const bytes = Buffer.from(packet.subarray(offset, offset + length));
    const from = { ...this.address(), size: length };
    world.as(its, way.delayMs * (1 + world.random.next()), () => {
      if (this.#bound.get(to) === peer) peer.emit('message', bytes, from);
    });
  }

  close(): this {
    if (this.#bound.get(this.#port) === this) this.#bound.delete(this.#port);
    return this;
  }

  setRecvBufferSize(): void {}

  unref(): this {
    return this;
  }
}
