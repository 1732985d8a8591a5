/** What agents ask servers about one another; see lib/membership.ts. */
import { missingRight, permissionDenied } from '../../../lib/acl/refusals.ts';
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { asks, needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { MAX_BEAT_BODY_BYTES, MAX_LOAD_BODY_BYTES } from '../../../lib/limits.ts';
import {
  LOAD_PATH,
  type LoadReport,
  MAX_LOAD_MS,
  MAX_LOAD_REQUESTS,
  MAX_SHARE,
} from '../../../lib/load.ts';
import {
  BEAT_PATH,
  type Beat,
  FORCE_LEAVE_PATH,
  type ForceLeave,
  LEAVE_PATH,
  type Leave,
  MEMBERS_PATH,
  SERVER_ROLE,
} from '../../../lib/membership.ts';
import { PLACE_HEADER, placeToldIn } from '../../../lib/place.ts';
import { LATENCY_PLACES } from '../../../lib/served.ts';
import { fold } from '../../state/topic-names.ts';
import { refuseNul } from '../definitions.ts';
import {
  type ClusterDeps,
  type CoordinateDeps,
  type LoadDeps,
  type ReadDeps,
  readFor,
  type WriteDeps,
} from '../deps.ts';

type Deps = ClusterDeps &
  CoordinateDeps &
  LoadDeps &
  Pick<WriteDeps, 'state'> &
  Pick<ReadDeps, 'readiness'>;

const text = { type: 'string' } as const;

const beatBody = decoder<Beat>({
  type: 'object',
  required: ['ID', 'Node', 'Address', 'Datacenter', 'LanPort'],
  properties: {
    ID: text,
    Node: { type: 'string', minLength: 1 },
    Address: text,
    Datacenter: text,
    LanPort: { type: 'integer' },
    Tags: { type: 'object', additionalProperties: text, default: {} },
  },
});

/** Nobody tells of a longer time at once, nor has more than it lasted. */
const ms = { type: 'number', minimum: 0, maximum: MAX_LOAD_MS, default: 0 } as const;
const share = { type: 'number', minimum: 0, maximum: MAX_SHARE, default: 0 } as const;

const requests = { type: 'number', minimum: 0, maximum: MAX_LOAD_REQUESTS } as const;

const loadBody = decoder<LoadReport>({
  type: 'object',
  required: ['ID', 'Node', 'Instances'],
  properties: {
    ID: text,
    Node: { type: 'string', minLength: 1 },
    Instances: {
      type: 'array',
      items: {
        type: 'object',
        required: ['ServiceID'],
        properties: {
          ServiceID: text,
          Ms: ms,
          CPU: share,
          Memory: share,
          MemoryMs: { type: 'number', minimum: 0, maximum: MAX_LOAD_MS },
          RequestMs: ms,
          Requests: { ...requests, default: 0 },
          Errors: { ...requests, default: 0 },
          Latency: { type: 'array', items: requests, maxItems: LATENCY_PLACES, default: [] },
        },
      },
    },
  },
});

const leaveBody = decoder<Leave>({
  type: 'object',
  required: ['ID', 'Node'],
  properties: { ID: text, Node: text },
});

const forceLeaveBody = decoder<ForceLeave>({
  type: 'object',
  required: ['Node'],
  properties: { Node: text, Prune: { type: 'boolean', default: false } },
});

export function membershipRoutes(deps: Deps): Route[] {
  const { members, places, clock } = deps;
  return [
    {
      method: 'PUT',
      path: BEAT_PATH,
      body: beatBody,
      right: asks('node:write'),
      does: "takes the beat of an agent (Proconsul's own)",
      handle: async (request) => {
        const begun = clock.monotonic();
        const beat = await request.json(beatBody, MAX_BEAT_BODY_BYTES);
        refuseNul(beat.Node);
        needNode(deps, request, beat);
        // Servers are told of by the log: whoever can only ask one of them is none.
        if (beat.Tags['role'] === SERVER_ROLE) throw permissionDenied();
        refuseServer(deps, beat.Node);
        const answer = await members.beat(beat);
        const told = places && placeToldIn(request.headers[PLACE_HEADER]);
        if (places === undefined || told === undefined) return { json: answer };
        if (answer.Known) places.take(beat.Node, told);
        return { json: { ...answer, Here: places.answered(clock.monotonic() - begun) } };
      },
    },
    {
      method: 'PUT',
      path: LOAD_PATH,
      body: loadBody,
      right: asks('node:write', ['node:write']),
      does: "takes what the instances on a node use (Proconsul's own)",
      handle: async (request) => {
        const report = await request.json(loadBody, MAX_LOAD_BODY_BYTES);
        needNode(deps, request, report);
        deps.loads.take(report);
        return { json: true };
      },
    },
    {
      method: 'PUT',
      path: LEAVE_PATH,
      body: leaveBody,
      right: asks('node:write'),
      does: "takes leave of an agent (Proconsul's own)",
      handle: async (request) => {
        const leave = await request.json(leaveBody, MAX_BEAT_BODY_BYTES);
        needNode(deps, request, leave);
        refuseServer(deps, leave.Node);
        await members.leave(leave);
        return { json: true };
      },
    },
    {
      method: 'PUT',
      path: FORCE_LEAVE_PATH,
      answers: { 404: 'there is no such agent' },
      body: forceLeaveBody,
      right: needs('operator:write'),
      does: "takes out an agent that is dead (Proconsul's own)",
      handle: async (request) => {
        const { Node, Prune } = await request.json(forceLeaveBody, MAX_BEAT_BODY_BYTES);
        // A server that is behind knows nothing of who is dead, or new.
        await readFor(deps, request, 'consistent', () => undefined);
        if (await members.forceLeave(Node, Prune)) return { json: true };
        throw new ProconsulError('not-found', `agent: No node found with name '${Node}'`);
      },
    },
    {
      method: 'GET',
      path: MEMBERS_PATH,
      right: asks('node:read'),
      does: "lists agents and servers (Proconsul's own)",
      handle: ({ caller }) => ({
        json: members.list().filter(({ Name }) => caller.rights.may('node', 'read', Name)),
      }),
    },
  ];
}

/**
 * What a server is, it says through the log: as an agent of its name it would be one no more, and the others
 * would count one less among those of whom most must have a write.
 */
function refuseServer({ state }: Deps, node: string): void {
  const { liveServers, failedServers } = state();
  const server = liveServers.get(fold(node)) ?? failedServers.get(fold(node));
  if (server === undefined) return;
  const why = 'is a server: it leaves by itself, or by force-leave';
  throw new ProconsulError('forbidden', `${server.Node} ${why}`);
}

/** Whoever may write a node may be it, under the names by which it is known too. */
function needNode(
  { state }: Deps,
  { caller: { rights } }: HttpRequest,
  { ID, Node: node }: Pick<Beat, 'ID' | 'Node'>,
): void {
  const { catalog, members } = state();
  const byId = ID === '' ? undefined : catalog.nodeById(ID)?.Node;
  const known = [catalog.node(node)?.Node, members.get(fold(node))?.Node, byId];
  for (const name of [node, ...known]) {
    if (name !== undefined && !rights.may('node', 'write', name)) {
      throw missingRight('node:write', node);
    }
  }
}
