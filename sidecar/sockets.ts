/** Where a sidecar listens: on sockets of its own, or on those that the process before this one hands over. */
import type { Server } from 'node:net';
import { hostPort } from '../lib/ip.ts';
import { type Handle, listen, type Place, portOf } from '../lib/listening.ts';

export class Sockets {
  /** By where they listen: each until somebody wants it. */
  readonly #given: Map<string, Handle>;
  readonly #open = new Map<string, Server>();

  constructor(given: ReadonlyMap<string, Handle> = new Map()) {
    this.#given = new Map(given);
  }

  /** Whether another process listens there as well: whoever cannot take calls yet must not begin. */
  isShared({ host, port }: Place): boolean {
    return this.#given.has(hostPort(host, port));
  }

  /** Rejects with a ProconsulError where the address cannot be had. */
  async listen(server: Server, place: Place): Promise<void> {
    const wanted = hostPort(place.host, place.port);
    const handle = this.#given.get(wanted);
    this.#given.delete(wanted);
    await listen(server, place, handle);
    const at = hostPort(place.host, portOf(server));
    this.#open.set(at, server);
    server.once('close', () => {
      if (this.#open.get(at) === server) this.#open.delete(at);
    });
  }

  /** For the process after this one: both listen there until this one closes them. */
  get open(): ReadonlyMap<string, Server> {
    return this.#open;
  }

  /** Nobody listens any more where nobody wants to. */
  discard(): void {
    for (const handle of this.#given.values()) handle.close();
    this.#given.clear();
  }
}
