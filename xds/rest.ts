/** Endpoint discovery for clients that poll: JSON, and nothing of gRPC. */
import { byDeadline, type Clock, loop } from '../lib/clock.ts';
import { decoder } from '../lib/decode.ts';
import { noLeader, ProconsulError } from '../lib/errors.ts';
import type { Reply } from '../lib/http/reply.ts';
import { shows } from '../lib/http/right.ts';
import type { HttpRequest, Route } from '../lib/http/route.ts';
import type { Derived } from './derived.ts';
import { type Resource, TYPE_URLS, versionOfAll } from './resource.ts';
import type { Member, Subscribed, Views } from './views.ts';
import type { Named } from './world.ts';
import type { ClientNode, Worlds } from './worlds.ts';

export interface RestOptions {
  readonly views: Views;
  readonly worlds: Worlds;
  readonly clock: Clock;
}

interface Discovery {
  readonly VersionInfo: string;
  readonly ResourceNames: readonly string[];
  readonly Node: Partial<ClientNode>;
}

const MAX_BODY_BYTES = 256 * 1024;
/** Each is asked for and followed until the poll is answered. Envoy polls for each cluster by itself. */
const MAX_NAMES = 1000;
/** After so many others have their turn. */
const NAMES_AT_ONCE = 50;
/** For what is not known yet: the first to ask may have to wait for a server. */
const PATIENCE_MS = 5000;

const body = decoder<Discovery>({
  type: 'object',
  open: true,
  properties: {
    VersionInfo: { type: 'string', default: '' },
    ResourceNames: { type: 'array', items: { type: 'string' }, default: [] },
    Node: { type: 'object', free: true, default: {} },
  },
});

export function restRoutes(options: RestOptions): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/v3/discovery:endpoints',
      body,
      answers: { 304: 'it is as the version that was sent says' },
      right: shows('service:read'),
      does: "answers Envoy's polls for the endpoints of services",
      handle: (request) => endpoints(options, request),
    },
  ];
}

async function endpoints(options: RestOptions, request: HttpRequest): Promise<Reply> {
  const { VersionInfo, ResourceNames, Node } = await request.json(body, MAX_BODY_BYTES);
  const names = new Set(ResourceNames);
  if (names.size > MAX_NAMES) throw tooMany(names.size);
  const member = await options.views.enter(request.token, request.remoteAddress);
  try {
    if (VersionInfo !== '') member.comesWithSomething();
    const world = options.worlds.of({ id: String(Node.id ?? '') });
    const wanted = [...names].map((name) => world.resources('endpoints', name));
    const found = await allOf(member, wanted, options.clock);
    const version_info = versionOfAll(found);
    if (VersionInfo !== '' && version_info === VersionInfo) return { status: 304 };
    const resources = found.map(asJson);
    return { json: { version_info, resources, type_url: TYPE_URLS.endpoints } };
  } finally {
    member.leave();
  }
}

function tooMany(names: number): ProconsulError {
  const why = `a poll has at most ${MAX_NAMES} resource_names, and not ${names}`;
  return new ProconsulError('invalid', `Bad request: ${why}`);
}

/** Rejects 'unavailable' where it does not get known. */
async function allOf(member: Member, wanted: readonly Named[], clock: Clock): Promise<Resource[]> {
  const held: Subscribed[] = [];
  const missing = new Set<Derived>();
  let isAsked = false;
  let found: () => void = () => undefined;
  const known = new Promise<void>((resolve) => {
    found = resolve;
  });
  const take = (derived: Derived) => {
    missing.delete(derived);
    if (isAsked && missing.size === 0) found();
  };
  try {
    const deadline = clock.monotonic() + PATIENCE_MS;
    for (const { key, compute } of wanted) {
      const one: Subscribed = member.subscribe(key, compute, () => take(one.derived));
      held.push(one);
      if (one.derived.current === undefined) missing.add(one.derived);
      if (held.length % NAMES_AT_ONCE === 0) await new Promise<void>((on) => loop.nextTurn(on));
    }
    isAsked = true;
    const isLate = missing.size > 0 && (await byDeadline(clock, deadline, known)) === 'late';
    if (isLate) throw noLeader();
    return held.flatMap(({ derived }) => derived.current ?? []);
  } finally {
    for (const { cancel } of held) cancel();
  }
}

interface Weighed {
  readonly load_balancing_weight: { readonly value: number };
}

interface Place extends Weighed {
  readonly lb_endpoints: readonly Weighed[];
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
