/** Who else is there, and coming and going: /v1/agent/members, join, leave, force-leave, token. */
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import type { AgentContext } from '../context.ts';

export function membershipRoutes(agent: AgentContext): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/members',
      right: 'own',
      does: 'all agents and servers',
      handle: ({ params }) => members(agent, params),
    },
    {
      method: 'PUT',
      path: '/v1/agent/join/',
      right: 'agent:write',
      does: 'joins the cluster of another agent',
      handle: async ({ rest }) => {
        await agent.membership.join(rest);
        return {};
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/leave',
      right: 'agent:write',
      does: 'leaves the cluster and ends this agent',
      handle: async () => {
        await agent.leave();
        return {};
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/force-leave/',
      right: 'operator:write',
      does: 'takes a dead node out',
      handle: async ({ rest, params }) => {
        if (await agent.membership.forceLeave(rest, params.has('prune'))) return {};
        throw new ProconsulError('rejected', `agent: No node found with name '${rest}'`);
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/token/',
      right: 'agent:write',
      does: 'sets a token that this agent uses',
      handle: (request) => setToken(agent, request),
    },
  ];
}

async function members(agent: AgentContext, params: HttpRequest['params']): Promise<Reply> {
  const segment = params.get('segment');
  if (segment !== '' && segment !== '_all') {
    throw new ProconsulError(
      'rejected',
      'Network segments are not supported in this version of Consul',
    );
  }
  const all = await agent.membership.members();
  // The servers alone, each under its name in the wide area.
  if (!params.has('wan')) return { json: all };
  return { json: all.filter((member) => member.Tags['role'] === 'consul') };
}

const tokenBody = decoder<{ readonly Token: string }>({
  type: 'object',
  properties: { Token: { type: 'string', default: '' } },
});

async function setToken(agent: AgentContext, request: HttpRequest): Promise<Reply> {
  if (!agent.config.acl.enabled) throw new ProconsulError('unauthorized', 'ACL support disabled');
  const { Token } = tokenBody(await request.body(MAX_JSON_BODY_BYTES));
  await agent.tokens.put(request.rest, Token);
  return {};
}
