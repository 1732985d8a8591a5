/** Where a sidecar listens: on sockets of its own, or on those that the process before this one hands over. */
import type { Server } from 'node:net';
import { hostPort } from '../lib/ip.ts';
import { type Handle, listen, type Place, portOf } from '../lib/listening.ts';
import { closeBehindLast } from './last-in-line.ts';

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
  /** As long as somebody may be in line there. */
  readonly #closing = new Map<string, Server>();
  #isShared = false;

  constructor(given: ReadonlyMap<string, Handle> = new Map()) {
    this.#given = new Map(given);
  }

  /**
   * Rejects with a ProconsulError where the address cannot be had. Where another process takes calls, it alone does
   * until this one begins: a call that is taken here could not be given back.
   */
  async listen(server: Server, place: Place): Promise<void> {
    const wanted = hostPort(place.host, place.port);
    const before = this.#closing.get(wanted);
    if (before?.listening) {
      this.#closing.delete(wanted);
      await this.#listen(server, place, takenFrom(before));
      return;
    }
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
   * It takes nobody any more but who was in line there; resolves when all of those are taken. Who is to listen there instead is
   * handed the socket, and takes them.
   */
  async close(server: Server): Promise<void> {
    if ([...this.#closing.values()].includes(server)) return;
    const [at] = [...this.#open].find(([, each]) => each === server) ?? [];
    if (at === undefined) {
      server.close();
      return;
    }
    this.#open.delete(at);
    this.#closing.set(at, server);
    await closeBehindLast(server, this.#isShared);
    if (this.#closing.get(at) === server) this.#closing.delete(at);
  }

  /**
   * For the process after this one, as the kernel has them: from now on both may listen there, until this one closes them. Also
   * those on which this one has not begun to.
   */
  share(): ReadonlyMap<string, Handle> {
    this.#isShared = true;
    const held = [...this.#held].map(([at, { handle }]) => [at, handle] as const);
    // The socket alone: a server would take calls there before anybody could answer them.
    const open = [...this.#open].map(([at, server]) => [at, handleOf(server)] as const);
    return new Map([...this.#given, ...held, ...open]);
  }

  /** Those who were given them have gone, and took nobody. */
  alone(): void {
    this.#isShared = false;
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

/** Null where it does not listen. */
interface Bound {
  _handle: Handle | null;
}

function handleOf(server: Server): Handle {
  return (server as unknown as Bound)._handle as Handle;
}

/** What it listened on goes on without it: those in line there are taken by whoever listens next. */
function takenFrom(server: Server): Handle {
  const handle = handleOf(server);
  (server as unknown as Bound)._handle = null;
  server.close();
  return handle;
}
