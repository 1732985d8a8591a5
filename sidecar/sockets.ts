/** Where a sidecar listens: on sockets of its own, or on those that the process before this one hands over. */
import type { Server } from 'node:net';
import { hostPort } from '../lib/ip.ts';
import { type Handle, listen, type Place, portOf } from '../lib/listening.ts';

interface Held {
  readonly server: Server;
  readonly handle: Handle;
  readonly begin: () => Promise<void>;
}

export class Sockets {
  /** By where they listen: each until somebody wants it. */
  readonly #given: Map<string, Handle>;
  /** Who is to listen on one of them: none before all may. */
  readonly #held = new Map<string, Held>();
  readonly #open = new Map<string, Server>();

  constructor(given: ReadonlyMap<string, Handle> = new Map()) {
    this.#given = new Map(given);
  }

  /**
   * Rejects with a ProconsulError where the address cannot be had. Where another process takes calls, it alone does
   * until this one begins: a call that is taken here could not be given back.
   */
  async listen(server: Server, place: Place): Promise<void> {
    const wanted = hostPort(place.host, place.port);
    const handle = this.#given.get(wanted) ?? this.#held.get(wanted)?.handle;
    this.#given.delete(wanted);
    if (handle === undefined) {
      await this.#listen(server, place);
      return;
    }
    const held = { server, handle, begin: () => this.#listen(server, place, handle) };
    this.#held.set(wanted, held);
    server.once('close', () => {
      if (this.#held.get(wanted) !== held) return;
      this.#held.delete(wanted);
      this.#given.set(wanted, handle);
    });
  }

  /** From now on calls are taken here too, and nobody listens any more where nobody wants to. Rejects as `listen` does. */
  async begin(): Promise<void> {
    const held = [...this.#held.values()];
    this.#held.clear();
    await Promise.all(held.map(({ begin }) => begin()));
    for (const handle of this.#given.values()) handle.close();
    this.#given.clear();
  }

  /**
   * For the process after this one, as the kernel has them: both listen there until this one closes them. Also those on which
   * this one has not begun to.
   */
  get all(): ReadonlyMap<string, Handle> {
    const held = [...this.#held].map(([at, { handle }]) => [at, handle] as const);
    // The socket alone: a server would take calls there before anybody could answer them.
    const open = [...this.#open].map(([at, server]) => [at, handleOf(server)] as const);
    return new Map([...this.#given, ...held, ...open]);
  }

  async #listen(server: Server, place: Place, handle?: Handle): Promise<void> {
    await listen(server, place, handle);
    const at = hostPort(place.host, portOf(server));
    this.#open.set(at, server);
    server.once('close', () => {
      if (this.#open.get(at) === server) this.#open.delete(at);
    });
  }
}

function handleOf(server: Server): Handle {
  return (server as unknown as { readonly _handle: Handle })._handle;
}
