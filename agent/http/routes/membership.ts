/** Who else is there, and coming and going: /v1/agent/members, join, leave, force-leave, token. */
import { seenBy } from '../../../lib/acl/kept-back.ts';
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { asks, needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { byName } from '../../../lib/key-order.ts';
import type { Member } from '../../../lib/membership.ts';
import type {
  ClusterContext,
  OwnContext,
  ProcessContext,
  RegistrationContext,
} from '../context.ts';

type Context = OwnContext & RegistrationContext & ProcessContext & ClusterContext;

export function membershipRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/members',
      params: {
        wan: param.text('1: the servers alone, as other data centres know them'),
        segment: param.text('_all; there are no other segments'),
      },
      right: asks(),
      does: 'all agents and servers',
      handle: (request) => members(agent, request),
    },
    {
      method: 'PUT',
      path: '/v1/agent/join/',
      rest: 'address',
      right: needs('agent:write', () => agent.config.nodeName),
      does: 'joins the cluster of another agent',
      handle: async ({ rest }) => {
        await agent.membership.join(rest);
        return {};
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/leave',
      right: needs('agent:write', () => agent.config.nodeName),
      does: 'leaves the cluster and ends this agent',
      handle: async () => {
        await agent.leave();
        return {};
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/force-leave/',
      rest: 'node',
      params: { prune: param.flag('and forgets it at once') },
      right: needs('operator:write'),
      does: 'takes a dead node out',
      handle: async ({ rest, params, token }) => {
        const by = token || agent.tokens.user;
        if (await agent.membership.forceLeave(rest, params.has('prune'), by)) return {};
        throw new ProconsulError('rejected', `agent: No node found with name '${rest}'`);
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/token/',
      rest: 'kind',
      answers: { 401: 'access control is off' },
      body: tokenBody,
      right: needs('agent:write', () => agent.config.nodeName),
      does: 'sets a token that this agent uses',
      handle: (request) => setToken(agent, request),
    },
  ];
}

async function members(agent: Context, { params, caller }: HttpRequest): Promise<Reply> {
  const segment = params.get('segment');
  // `?wan` alone does not count, as in Consul.
  const wan = params.get('wan') !== '';
  if (wan && segment !== '' && segment !== '_all') {
    throw new ProconsulError('invalid', 'Cannot provide a segment with wan=true');
  }
  if (segment !== '' && segment !== '_all') {
    throw new ProconsulError(
      'rejected',
      'Network segments are not supported in this version of Consul',
    );
  }
  const members = await agent.membership.members();
  const { seen, headers } = seenBy(caller, members, ({ Name }) =>
    caller.rights.may('node', 'read', Name),
  );
  const shown = wan ? seen.filter(({ Tags }) => Tags['role'] === 'consul').map(inWideArea) : seen;
  return {
    headers,
    json: shown.map((member) => ({ ...member, Tags: byName(Object.entries(member.Tags)) })),
  };
}

/** A server under the name and port that it has for other data centres. */
function inWideArea(member: Member): Member {
  const { wan_join_port: port, ...Tags } = member.Tags;
  const Name = `${member.Name}.${Tags['dc']}`;
  return { ...member, Name, Port: Number(port ?? member.Port), Tags };
}

const tokenBody = decoder<{ readonly Token: string }>({
  type: 'object',
  properties: { Token: { type: 'string', default: '' } },
});

async function setToken(agent: Context, request: HttpRequest): Promise<Reply> {
  if (!agent.config.acl.enabled) throw new ProconsulError('unauthorized', 'ACL support disabled');
  const { Token } = await request.json(tokenBody);
  await agent.tokens.put(request.rest, Token);
  return {};
}
