/**
 * The connections to servers, apart by what they are for: however much clients ask, the agent's own
 * beats, its writes and DNS have a way of their own. Nothing waits for a connection, for then it
 * would wait behind others' requests: a way that is full says so at once.
 */
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';
import { ProconsulError } from '../../lib/errors.ts';
import type { ServerInfo } from '../../lib/membership.ts';

export type Way = 'beat' | 'sync' | 'dns' | 'client' | 'watch';

/** How many requests may be under way; each has a connection to itself meanwhile. */
const MAX_UNDER_WAY: Readonly<Record<Way, number>> = {
  /** One at a time, and those that were given up on and are not yet closed. */
  beat: 16,
  /** Anti-entropy bounds itself to a quarter; alias checks look at other nodes. */
  sync: 256,
  /** Distinct names at one moment; beyond it they are SERVFAIL, and resolvers ask again. */
  dns: 1024,
  /** Writes and reads of clients, over in milliseconds. */
  client: 512,
  /** Queries that wait, and answers that are kept fresh: files and memory at both ends. */
  watch: 4096,
};

/** An idle connection is closed long before the server closes it under a request. */
const CONNECTIONS = { keepAlive: true, timeout: 60_000 };

interface Lane {
  readonly plain: http.Agent;
  readonly secure: https.Agent;
  /** With the id of the server that each goes to. */
  readonly underWay: Map<ClientRequest, string>;
}

export class Ways {
  readonly #lanes: ReadonlyMap<Way, Lane> = new Map(
    (Object.keys(MAX_UNDER_WAY) as Way[]).map((way) => [way, newLane()]),
  );

  underWay(way: Way): number {
    return this.#lane(way).underWay.size;
  }

  /** Begins a request, which is still to be ended. Throws 'busy' where the way is full. */
  begin(way: Way, server: ServerInfo, target: string, options: RequestOptions): ClientRequest {
    const { plain, secure, underWay } = this.#lane(way);
    if (underWay.size >= MAX_UNDER_WAY[way]) {
      const text = `Too many requests: ${underWay.size} of this agent are under way to servers`;
      throw new ProconsulError('busy', text);
    }
    // As a path of its own: as a part of a URL, `\\` and `#` in it would come to mean something else.
    const all = { ...options, path: target };
    const message = begun(() =>
      server.Url.startsWith('https:')
        ? https.request(server.Url, { ...all, agent: secure })
        : http.request(server.Url, { ...all, agent: plain }),
    );
    underWay.set(message, server.ID);
    message.once('close', () => underWay.delete(message));
    return message;
  }

  /** Ends what is under way to a server, or to all of them. */
  breakOff(error: Error, serverId?: string): void {
    for (const { underWay } of this.#lanes.values()) {
      for (const [message, id] of underWay) {
        if (serverId === undefined || id === serverId) message.destroy(error);
      }
    }
  }

  /** Closes the connections that nothing is under way on. */
  close(): void {
    for (const { plain, secure } of this.#lanes.values()) {
      plain.destroy();
      secure.destroy();
    }
  }

  #lane(way: Way): Lane {
    return this.#lanes.get(way) as Lane;
  }
}

/** What cannot even be written is the fault of the request, and no server is to be blamed for it. */
function begun(begin: () => ClientRequest): ClientRequest {
  try {
    return begin();
  } catch (cause) {
    throw new ProconsulError('invalid', 'Bad Request: it cannot be passed on to a server', {
      cause,
    });
  }
}

function newLane(): Lane {
  return {
    plain: new http.Agent(CONNECTIONS),
    secure: new https.Agent(CONNECTIONS),
    underWay: new Map(),
  };
}
