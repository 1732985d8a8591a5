/** What agents ask servers about one another; see lib/membership.ts. */
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { asks, needs } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { MAX_BEAT_BODY_BYTES } from '../../../lib/limits.ts';
import {
  BEAT_PATH,
  type Beat,
  FORCE_LEAVE_PATH,
  type ForceLeave,
  LEAVE_PATH,
  type Leave,
  MEMBERS_PATH,
} from '../../../lib/membership.ts';
import { refuseNul } from '../definitions.ts';
import type { ClusterDeps } from '../deps.ts';

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

export function membershipRoutes({ members }: ClusterDeps): Route[] {
  return [
    {
      method: 'PUT',
      path: BEAT_PATH,
      right: asks('agent:write'),
      does: "takes the beat of an agent (Proconsul's own)",
      handle: async (request) => {
        const beat = beatBody(await request.body(MAX_BEAT_BODY_BYTES));
        refuseNul(beat.Node);
        return { json: await members.beat(beat) };
      },
    },
    {
      method: 'PUT',
      path: LEAVE_PATH,
      right: asks('agent:write'),
      does: "takes leave of an agent (Proconsul's own)",
      handle: async (request) => {
        await members.leave(leaveBody(await request.body(MAX_BEAT_BODY_BYTES)));
        return { json: true };
      },
    },
    {
      method: 'PUT',
      path: FORCE_LEAVE_PATH,
      right: needs('operator:write'),
      does: "takes out an agent that is dead (Proconsul's own)",
      handle: async (request) => {
        const { Node, Prune } = forceLeaveBody(await request.body(MAX_BEAT_BODY_BYTES));
        if (await members.forceLeave(Node, Prune)) return { json: true };
        throw new ProconsulError('not-found', `agent: No node found with name '${Node}'`);
      },
    },
    {
      method: 'GET',
      path: MEMBERS_PATH,
      right: asks('node:read'),
      does: "lists agents and servers (Proconsul's own)",
      handle: () => ({ json: members.list() }),
    },
  ];
}
