/** Endpoint discovery for clients that poll: JSON, and nothing of gRPC. */
import type { Clock } from '../lib/clock.ts';
import { decoder } from '../lib/decode.ts';
import { noLeader, ProconsulError } from '../lib/errors.ts';
import type { Reply } from '../lib/http/reply.ts';
import { shows } from '../lib/http/right.ts';
import type { HttpRequest, Route } from '../lib/http/route.ts';
import type { Logger } from '../lib/logger.ts';
import type { Account } from './accounts.ts';
import { Polled } from './polled.ts';
import { type Resource, TYPE_URLS, versionOfAll } from './resource.ts';
import type { Member, Views } from './views.ts';
import type { ClientNode, Worlds } from './worlds.ts';

export interface PollsOptions {
  readonly views: Views;
  readonly worlds: Worlds;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of one address; 0 for no limit. */
  readonly maxConnections: () => number;
}

interface Discovery {
  readonly VersionInfo: string;
  readonly ResourceNames: readonly string[];
  readonly Node: Partial<ClientNode>;
}

const MAX_BODY_BYTES = 256 * 1024;
/** Each is asked for and followed until the poll is answered. Envoy polls for each cluster by itself. */
const MAX_NAMES = 1000;
/** Of the answer to more than one name: some 25 MB, all of which is made at once. */
const MAX_HOSTS = 50_000;
/** For what is not known yet: the first to ask may have to wait for a server. */
const PATIENCE_MS = 5000;
/** Of the time that an Envoy waits for an answer: what is left of it is for a busy machine. */
const HELD_SHARE = 0.75;
/** Whoever is gone without a word is forgotten by then. */
const MAX_HELD_MS = 60_000;
/** Of one address, where nobody bounds them. */
const MAX_CONNECTIONS = 2000;
/** Of what an address may have: some is left for all else that it asks. */
const LONG_SHARE = 0.5;
const SHARE = 0.75;
/** Beyond the first share: an Envoy comes again at once, and would do nothing else. */
const BRIEF_MS = 1000;
const SAID_EACH_MS = 60_000;

const body = decoder<Discovery>({
  type: 'object',
  open: true,
  properties: {
    VersionInfo: { type: 'string', default: '' },
    ResourceNames: { type: 'array', items: { type: 'string' }, default: [] },
    Node: { type: 'object', free: true, default: {} },
  },
});

export function restRoutes(polls: Polls): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v3/discovery:endpoints',
      body,
      waits: true,
      answers: { 304: 'it is as the version that was sent says' },
      right: shows('service:read'),
      does: "answers Envoy's polls for the endpoints of services, once they are others than it has",
      handle: (request) => polls.endpoints(request),
    },
  ];
}

/** Of one process. */
export class Polls {
  readonly #options: PollsOptions;
  /** How many of an address are held. */
  readonly #heldOf = new WeakMap<Account, number>();
  /** Of all. */
  readonly #held = new Set<Polled>();
  #isStopping = false;
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(options: PollsOptions) {
    this.#options = options;
  }

  get held(): number {
    return this.#held.size;
  }

  /** Who is held is answered, as whoever polls from now on: what is cut off is a failure to an Envoy. */
  stop(): void {
    this.#isStopping = true;
    for (const polled of this.#held) polled.look();
  }

  async endpoints(request: HttpRequest): Promise<Reply> {
    const { clock, views, worlds } = this.#options;
    const begun = clock.monotonic();
    const { VersionInfo, ResourceNames, Node } = await request.json(body, MAX_BODY_BYTES);
    const names = new Set(ResourceNames);
    if (names.size > MAX_NAMES) throw tooMany(names.size);
    const member = await views.enter(request.token, request.remoteAddress);
    const polled = new Polled(clock);
    request.signal.addEventListener('abort', polled.end);
    try {
      // He may have gone before that was said.
      if (request.signal.aborted) polled.end();
      if (VersionInfo !== '') member.comesWithSomething();
      const world = worlds.of({ id: String(Node.id ?? '') });
      const wanted = [...names].map((name) => world.resources('endpoints', name));
      const late = begun + PATIENCE_MS;
      const isKnown =
        (await polled.ask(member, wanted, late)) &&
        (await polled.until(() => polled.isKnown, late));
      if (!isKnown) throw noLeader();
      const isOther = () => versionOfAll(polled.current) !== VersionInfo;
      const mostMs = VersionInfo === '' ? 0 : heldMs(request);
      if (mostMs > 0) await this.#hold(member, polled, { isOther, begun, mostMs, request });
      // It would take that for all that there is.
      if (VersionInfo === '' && this.#isStopping) throw noLeader();
      // Whoever is somebody else by now is told so with his next poll.
      const isSame = VersionInfo === '' || member.caller.stands();
      const isToBeTold = isOther() && isSame && !this.#isStopping;
      return isToBeTold ? told(polled.current, names.size) : { status: 304 };
    } finally {
      polled.end();
      member.leave();
    }
  }

  async #hold({ account }: Member, polled: Polled, holding: Holding): Promise<void> {
    const held = this.#heldOf.get(account) ?? 0;
    const { isOther, begun, mostMs, request } = holding;
    const until = begun + Math.min(mostMs, this.#mostMs(held));
    if (until === begun) {
      this.#tellTooMany(request, held);
      return;
    }
    this.#heldOf.set(account, held + 1);
    this.#held.add(polled);
    try {
      await polled.until(() => this.#isStopping || isOther(), until);
    } finally {
      this.#held.delete(polled);
      this.#heldOf.set(account, (this.#heldOf.get(account) ?? 1) - 1);
    }
  }

  /** How long one more is held where so many of its address are: each has a connection by itself. */
  #mostMs(held: number): number {
    const most = this.#options.maxConnections() || MAX_CONNECTIONS;
    if (held < Math.floor(most * LONG_SHARE)) return MAX_HELD_MS;
    return held < Math.floor(most * SHARE) ? BRIEF_MS : 0;
  }

  #tellTooMany({ remoteAddress: address }: HttpRequest, held: number): void {
    const { clock, logger } = this.#options;
    if (clock.monotonic() - this.#saidAt < SAID_EACH_MS) return;
    this.#saidAt = clock.monotonic();
    const line =
      'xds: polls of one address are more than are held (limits.http_max_conns_per_client), and come again and again: have it ask by gRPC, or less often (refresh_delay)';
    logger.warn(line, { address, held });
  }
}

interface Holding {
  readonly isOther: () => boolean;
  readonly begun: number;
  readonly mostMs: number;
  readonly request: HttpRequest;
}

/** What is as long as a second for an Envoy is held for less than that: it would take its poll for lost. */
function heldMs({ headers }: HttpRequest): number {
  const waits = Number(headers['x-envoy-expected-rq-timeout-ms'] ?? 0);
  return waits > 0 ? Math.min(waits * HELD_SHARE, MAX_HELD_MS) : 0;
}

/** Throws ProconsulError 'invalid' where that is too much for so many names. */
function told(found: readonly Resource[], names: number): Reply {
  const hosts = found.reduce((sum, { message }) => sum + hostsIn(message), 0);
  if (names > 1 && hosts > MAX_HOSTS) {
    const why = `the answer to several resource_names has at most ${MAX_HOSTS} endpoints, and not ${hosts}: ask for fewer at once`;
    throw new ProconsulError('invalid', `Bad request: ${why}`);
  }
  const version_info = versionOfAll(found);
  const resources = found.map(asJson);
  return { json: { version_info, resources, type_url: TYPE_URLS.endpoints } };
}

function tooMany(names: number): ProconsulError {
  const why = `a poll has at most ${MAX_NAMES} resource_names, and not ${names}`;
  return new ProconsulError('invalid', `Bad request: ${why}`);
}

interface Weighed {
  readonly load_balancing_weight: { readonly value: number };
}

interface Place extends Weighed {
  readonly lb_endpoints: readonly Weighed[];
}

function hostsIn(message: Resource['message']): number {
  const places = message['endpoints'] as readonly Place[];
  return places.reduce((sum, { lb_endpoints }) => sum + lb_endpoints.length, 0);
}

/** A number that may be missing is an object in the API, and a number in its JSON. */
function asJson({ message }: Resource): object {
  const places = message['endpoints'] as readonly Place[];
  const endpoints = places.map(({ lb_endpoints, ...place }) => ({
    ...plain(place),
    lb_endpoints: lb_endpoints.map(plain),
  }));
  return { '@type': TYPE_URLS.endpoints, ...message, endpoints };
}

function plain<T extends Weighed>(each: T): object {
  return { ...each, load_balancing_weight: each.load_balancing_weight.value };
}
