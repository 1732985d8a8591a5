/**
 * The connections to servers, apart by what they are for: however much clients ask, the agent's own
 * beats, its writes and DNS have a way of their own. Nothing waits for a connection, for then it
 * would wait behind others' requests: a way that is full says so at once.
 */
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';
import { ProconsulError } from '../../lib/errors.ts';
import type { ServerInfo } from '../../lib/membership.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';

export type Way = 'beat' | 'sync' | 'acl' | 'dns' | 'client' | 'watch';

/** How many requests may be under way; each has a connection to itself meanwhile. */
const MAX_UNDER_WAY: Readonly<Record<Way, number>> = {
  /** One at a time, and those that were given up on and are not yet closed. */
  beat: 16,
  /** Anti-entropy bounds itself to a quarter; alias checks look at other nodes. */
  sync: 256,
  /** Tokens that are looked up, which bound themselves. */
  acl: 512,
  /** Distinct names at one moment; beyond it they are SERVFAIL, and resolvers ask again. */
  dns: 1024,
  /** Writes and reads of clients, over in milliseconds. */
  client: 512,
  /** Queries that wait, and answers that are kept fresh: files and memory at both ends. */
  watch: 4096,
};

/** Of a way's places one client may have all but this part: others find one. */
const KEPT_FREE = 1 / 8;

/** An idle connection is closed long before the server closes it under a request. */
const CONNECTIONS = { keepAlive: true, timeout: 60_000 };

interface Lane {
  readonly plain: http.Agent;
  secure: Secure | undefined;
  /** With the id of the server that each goes to. */
  readonly underWay: Map<ClientRequest, string>;
  /** How many of them are for whom. */
  readonly ofClients: Map<string, number>;
}

/** What a request takes a place of. */
export interface Place {
  readonly way: Way;
  /** The address that it is asked for, where that is not this agent itself. */
  readonly client?: string | undefined;
}

interface Secure {
  readonly side: ClientSide;
  readonly agent: https.Agent;
}

export interface WaysOptions {
  /** How TLS is spoken, as a reload has it now. */
  readonly tls: () => ClientSide;
  /** dns_config's domain, under which servers have their name in certificates. */
  readonly domain: string;
}

export class Ways {
  readonly #options: WaysOptions;
  readonly #lanes: ReadonlyMap<Way, Lane> = new Map(
    (Object.keys(MAX_UNDER_WAY) as Way[]).map((way) => [way, newLane()]),
  );

  constructor(options: WaysOptions) {
    this.#options = options;
  }

  underWay(way: Way): number {
    return this.#lane(way).underWay.size;
  }

  /**
   * Begins a request, which is still to be ended. Throws 'busy' where the way is full, or as full as
   * one client may make it.
   */
  begin(place: Place, server: ServerInfo, target: string, options: RequestOptions): ClientRequest {
    const lane = this.#lane(place.way);
    refuseFull(lane, place);
    const { hostname, port } = new URL(server.Url);
    // The target as a path of its own: in a URL, `\\` and `#` would come to mean something else.
    const all = { ...options, host: hostname.replace(/^\[|\]$/g, ''), port, path: target };
    const message = begun(() =>
      this.#speaksTls(server)
        ? https.request({ ...all, ...this.#nameOf(server), agent: this.#secure(lane) })
        : http.request({ ...all, agent: lane.plain }),
    );
    take(lane, message, server.ID, place.client);
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
      secure?.agent.destroy();
    }
  }

  /** A server that speaks TLS also takes those in the clear, as long as it must not refuse them. */
  #speaksTls({ Url }: ServerInfo): boolean {
    const { isRequired, options } = this.#options.tls();
    return isRequired || (Url.startsWith('https:') && options !== undefined);
  }

  /** The name that a server's certificate must have; an agent's has another. */
  #nameOf({ Datacenter }: ServerInfo): https.RequestOptions {
    const { verifiesName } = this.#options.tls();
    const domain = this.#options.domain.replace(/\.$/, '');
    return verifiesName ? { servername: `server.${Datacenter}.${domain}` } : {};
  }

  /** After a reload a new one; what is under way on connections of the old one is not broken off. */
  #secure(lane: Lane): https.Agent {
    const side = this.#options.tls();
    if (lane.secure?.side === side) return lane.secure.agent;
    for (const idle of Object.values(lane.secure?.agent.freeSockets ?? {})) {
      for (const socket of idle ?? []) socket.destroy();
    }
    const agent = new https.Agent({
      ...CONNECTIONS,
      ...side.options,
      rejectUnauthorized: side.verifies,
      // Servers are known by addresses, which certificates do not have; by name only where it is asked for.
      ...(!side.verifiesName && { checkServerIdentity: () => undefined }),
    });
    lane.secure = { side, agent };
    return agent;
  }

  #lane(way: Way): Lane {
    return this.#lanes.get(way) as Lane;
  }
}

function refuseFull({ underWay, ofClients }: Lane, { way, client }: Place): void {
  const max = MAX_UNDER_WAY[way];
  const own = client === undefined ? 0 : (ofClients.get(client) ?? 0);
  if (underWay.size < max && own < max * (1 - KEPT_FREE)) return;
  const whose = underWay.size < max ? `${own} of your address` : `${underWay.size} of this agent`;
  throw new ProconsulError('busy', `Too many requests: ${whose} are under way to servers`);
}

function take(
  { underWay, ofClients }: Lane,
  message: ClientRequest,
  id: string,
  client = '',
): void {
  underWay.set(message, id);
  ofClients.set(client, (ofClients.get(client) ?? 0) + 1);
  message.once('close', () => {
    underWay.delete(message);
    const left = (ofClients.get(client) ?? 1) - 1;
    if (left > 0) ofClients.set(client, left);
    else ofClients.delete(client);
  });
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
    ofClients: new Map(),
  };
}
