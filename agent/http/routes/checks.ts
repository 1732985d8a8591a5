/** /v1/agent/check…: the checks of this agent. */
import { seenBy } from '../../../lib/acl/kept-back.ts';
import { decoder } from '../../../lib/decode.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { asks } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { FILTER, param } from '../../../lib/http/takes.ts';
import { byName } from '../../../lib/key-order.ts';
import type { CheckStatus } from '../../../lib/model.ts';
import { checkFromBody, isStatus } from '../../definitions/check-spec.ts';
import { agentCheck } from '../../state/views.ts';
import type { OwnContext, RegistrationContext } from '../context.ts';
import { isOwn, NODE, takenElsewhere } from '../elsewhere.ts';
import { filtered } from '../filtered.ts';
import { maySeeChecks, ownerOf, vetCheck, vetOf } from '../vetting.ts';
import { settled } from './services.ts';

type Context = OwnContext & RegistrationContext;

interface Update {
  readonly Status: string;
  readonly Output: string;
}

const update = decoder<Update>({
  type: 'object',
  properties: {
    Status: { type: 'string', default: '' },
    Output: { type: 'string', default: '' },
  },
});

export function checkRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/checks',
      params: { filter: FILTER },
      right: asks(),
      does: 'the checks of this agent',
      handle: ({ params, caller }) => {
        const { seen, headers } = seenBy(caller, agent.local.checks, ([, { definition }]) =>
          maySeeChecks(agent, caller, ownerOf(agent, definition)),
        );
        const checks = seen.map(([id, check]) => {
          const service = agent.local.services.get(check.definition.ServiceID)?.definition;
          return [id, agentCheck(agent.config.nodeName, check, service)] as const;
        });
        return { headers, json: byName(filtered(checks, params.get('filter'), 'check')) };
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/check/register',
      body: checkFromBody,
      right: asks('own', ['node:write', 'service:write']),
      does: 'registers a check of the node or of a service',
      handle: async (request) => {
        const spec = await request.json(checkFromBody);
        agent.registrar.registerCheck(spec, {
          source: 'api',
          token: request.token,
          vet: vetOf(agent, request.caller),
        });
        await settled(agent, [spec.ServiceID]);
        return {};
      },
    },
    {
      method: 'PUT',
      path: '/v1/agent/check/deregister/',
      rest: 'check',
      params: { node: NODE },
      answers: { 404: 'the node that was named has no such check' },
      right: asks(),
      does: 'takes a check out',
      handle: (request) => deregister(agent, request),
    },
    reportRoute(agent, 'pass', 'passing'),
    reportRoute(agent, 'warn', 'warning'),
    reportRoute(agent, 'fail', 'critical'),
    {
      method: 'PUT',
      path: '/v1/agent/check/update/',
      rest: 'check',
      params: { node: NODE },
      answers: { 404: 'the node that was named has no such check' },
      body: update,
      right: asks('own', ['node:write', 'service:write']),
      does: 'says how a TTL check stands, with its output',
      handle: async (request) => {
        const { Status, Output } = await request.json(update);
        if (!isStatus(Status)) {
          throw new ProconsulError('invalid', `Invalid check status: '${Status}'`);
        }
        return report(agent, request, Status, Output);
      },
    },
  ];
}

function reportRoute(agent: Context, verb: string, status: CheckStatus): Route {
  return {
    method: 'PUT',
    path: `/v1/agent/check/${verb}/`,
    rest: 'check',
    params: { note: param.text('its output'), node: NODE },
    answers: { 404: 'the node that was named has no such check' },
    right: asks(),
    does: `says that a TTL check is ${status}`,
    handle: (request) => report(agent, request, status, request.params.get('note')),
  };
}

async function deregister(agent: Context, request: HttpRequest): Promise<Reply> {
  const { rest, caller } = request;
  if (rest === '') throw new ProconsulError('rejected', 'CheckID missing');
  const isKnown = agent.local.checks.has(rest);
  const isTaken = await takenElsewhere(agent, request, isKnown, (elsewhere, named) =>
    elsewhere.deregisterCheck(request, named),
  );
  if (isTaken) return {};
  vetCheck(agent, caller, rest);
  const serviceId = agent.local.checks.get(rest)?.definition.ServiceID ?? '';
  agent.registrar.removeCheck(rest);
  await settled(agent, [serviceId]);
  return {};
}

/** Most are this agent's own, change nothing, and are answered at once. */
function report(
  agent: Context,
  request: HttpRequest,
  status: CheckStatus,
  said: string,
): Reply | Promise<Reply> {
  const isKnown = agent.local.checks.has(request.rest);
  if (isOwn(agent, request, isKnown)) return reportOwn(agent, request, status, said);
  return reportElsewhere(agent, request, status, said);
}

async function reportElsewhere(
  agent: Context,
  request: HttpRequest,
  status: CheckStatus,
  said: string,
): Promise<Reply> {
  const isTaken = await takenElsewhere(agent, request, false, (elsewhere, named) =>
    elsewhere.report(request, { ...named, status, output: agent.checks.kept(said) }),
  );
  return isTaken ? {} : reportOwn(agent, request, status, said);
}

function reportOwn(
  agent: Context,
  { rest, caller }: HttpRequest,
  status: CheckStatus,
  said: string,
): Reply | Promise<Reply> {
  vetCheck(agent, caller, rest);
  agent.registrar.report(rest, status, said);
  const serviceId = agent.local.checks.get(rest)?.definition.ServiceID ?? '';
  if (!agent.antiEntropy.owes(serviceId)) return {};
  return agent.antiEntropy.push(serviceId).then(() => ({}));
}
