/**
 * The connections to servers, apart by what they are for, so that none is held up behind another's. A way
 * that is full says so at once.
 */
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';
import { ProconsulError } from '../../lib/errors.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';
import { type Place, type Places, WAYS, type Way } from './places.ts';
import { type Reach, secured } from './reach.ts';

/** An idle connection is closed long before the server closes it under a request. */
const CONNECTIONS = { keepAlive: true, timeout: 60_000 };

interface Lane {
  readonly plain: http.Agent;
  secure: Secure | undefined;
  /** With the id of the server that each goes to. */
  readonly underWay: Map<ClientRequest, string>;
}

interface Secure {
  readonly side: ClientSide;
  readonly agent: https.Agent;
}

export class Ways {
  readonly #reach: Reach;
  readonly #places: Places;
  readonly #lanes: ReadonlyMap<Way, Lane> = new Map(WAYS.map((way) => [way, newLane()]));

  constructor(reach: Reach, places: Places) {
    this.#reach = reach;
    this.#places = places;
  }

  /**
   * Begins a request, which is still to be ended. Throws 'busy' where the way is full, or as full as
   * one client may make it.
   */
  begin(place: Place, server: ServerInfo, target: string, options: RequestOptions): ClientRequest {
    const lane = this.#lanes.get(place.way) as Lane;
    const leave = this.#places.take(place);
    // The target as a path of its own: in a URL, `\\` and `#` would come to mean something else.
    const all = { ...options, ...this.#reach.addressOf(server), path: target };
    try {
      const message = begun(() =>
        this.#reach.speaksTls(server)
          ? https.request({ ...all, ...this.#reach.nameOf(server), agent: this.#secure(lane) })
          : http.request({ ...all, agent: lane.plain }),
      );
      lane.underWay.set(message, server.ID);
      message.once('close', () => {
        lane.underWay.delete(message);
        leave();
      });
      return message;
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Ends what is under way to a server, or to all of them. */
  breakOff(error: Error, serverId?: string): void {
    for (const { underWay } of this.#lanes.values()) {
      for (const [message, id] of underWay) {
        if (serverId === undefined || id === serverId) message.destroy(error);
      }
    }
  }

  /** Those to one server, of which one has turned out to lead nowhere. */
  closeIdle(way: Way, server: ServerInfo): void {
    const { plain, secure } = this.#lanes.get(way) as Lane;
    const { host, port } = this.#reach.addressOf(server);
    for (const agent of [plain, secure?.agent]) {
      for (const [name, idle] of Object.entries(agent?.freeSockets ?? {})) {
        if (!name.startsWith(`${host}:${port}:`)) continue;
        for (const socket of idle ?? []) socket.destroy();
      }
    }
  }

  /** Closes the connections that nothing is under way on. */
  close(): void {
    for (const { plain, secure } of this.#lanes.values()) {
      plain.destroy();
      secure?.agent.destroy();
    }
  }

  /** After a reload a new one; what is under way on connections of the old one is not broken off. */
  #secure(lane: Lane): https.Agent {
    const { side } = this.#reach;
    if (lane.secure?.side === side) return lane.secure.agent;
    for (const idle of Object.values(lane.secure?.agent.freeSockets ?? {})) {
      for (const socket of idle ?? []) socket.destroy();
    }
    const agent = new https.Agent({ ...CONNECTIONS, ...secured(side) });
    lane.secure = { side, agent };
    return agent;
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
    secure: undefined,
    underWay: new Map(),
  };
}
