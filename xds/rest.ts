/** Endpoint discovery for clients that poll: JSON, and nothing of gRPC. */
import { byDeadline, type Clock } from '../lib/clock.ts';
import { decoder } from '../lib/decode.ts';
import { noLeader } from '../lib/errors.ts';
import type { Reply } from '../lib/http/reply.ts';
import { shows } from '../lib/http/right.ts';
import type { HttpRequest, Route } from '../lib/http/route.ts';
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
  const member = await options.views.enter(request.token, request.remoteAddress);
  try {
    const world = options.worlds.of({ id: String(Node.id ?? '') });
    const wanted = [...new Set(ResourceNames)].map((name) => world.resources('endpoints', name));
    const found = await allOf(member, wanted, options.clock);
    const version_info = versionOfAll(found);
    if (VersionInfo !== '' && version_info === VersionInfo) return { status: 304 };
    const resources = found.map(asJson);
    return { json: { version_info, resources, type_url: TYPE_URLS.endpoints } };
  } finally {
    member.leave();
  }
}

/** Rejects 'unavailable' where it does not get known. */
async function allOf(member: Member, wanted: readonly Named[], clock: Clock): Promise<Resource[]> {
  const held: Subscribed[] = [];
  const isKnown = () => held.every(({ derived }) => derived.current !== undefined);
  let changed: () => void = () => undefined;
  const known = new Promise<void>((resolve) => {
    changed = () => isKnown() && resolve();
  });
  try {
    for (const { key, compute } of wanted) {
      held.push(member.subscribe(key, compute, () => changed()));
    }
    const deadline = clock.monotonic() + PATIENCE_MS;
    if (!isKnown() && (await byDeadline(clock, deadline, known)) === 'late') throw noLeader();
    return held.flatMap(({ derived }) => derived.current ?? []);
  } finally {
    for (const { cancel } of held) cancel();
  }
}

/** A number that may be missing is an object in the API, and a number in its JSON. */
function asJson({ message }: Resource): unknown {
  const text = JSON.stringify(message, (name, value) =>
    name === 'load_balancing_weight' ? (value as { readonly value: number }).value : value,
  );
  return { '@type': TYPE_URLS.endpoints, ...JSON.parse(text) };
}
