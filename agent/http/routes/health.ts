/**
 * /v1/agent/health: local services as a load balancer asks for them, and the agent itself as whoever runs it does, by
 * status code.
 */
import { type Aggregate, aggregateStatus } from '../../../lib/aggregate-status.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone, asks } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import type { ServiceDefinition } from '../../../lib/model.ts';
import { agentService, healthCheck } from '../../state/views.ts';
import type { ClusterContext, OwnContext, RegistrationContext } from '../context.ts';
import { needRead } from '../vetting.ts';

type Context = OwnContext & RegistrationContext & Pick<ClusterContext, 'membership'>;

const CODES: Readonly<Record<Aggregate, number>> = {
  passing: 200,
  warning: 429,
  critical: 503,
  maintenance: 503,
};

interface ServiceHealth {
  readonly AggregatedStatus: Aggregate;
  readonly Service: object | null;
  readonly Checks: readonly object[] | null;
}

const STATUSES = { 404: 'there is none', 429: 'warning', 503: 'critical, or in maintenance' };
const FORMAT = { format: param.text('text: one word instead of JSON') };

export function agentHealthRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/health/live',
      right: anyone,
      does: 'says that this process answers',
      handle: () => ({ json: { Live: true } }),
    },
    {
      method: 'GET',
      path: '/v1/agent/health/ready',
      answers: { 503: 'it is not, and why' },
      right: anyone,
      does: 'says whether this agent is of use yet',
      handle: () => readiness(agent),
    },
    {
      method: 'GET',
      path: '/v1/agent/health/service/id/',
      rest: 'service',
      params: FORMAT,
      answers: STATUSES,
      right: asks(),
      does: 'the health of one local service',
      handle: (request) => byId(agent, request),
    },
    {
      method: 'GET',
      path: '/v1/agent/health/service/name/',
      rest: 'name',
      params: FORMAT,
      answers: STATUSES,
      right: asks(),
      does: 'the health of the local services of a name',
      handle: (request) => byName(agent, request),
    },
  ];
}

/** Until the catalog has what is registered here, whoever asks for it through others finds nothing. */
function readiness({ membership, antiEntropy }: Context): Reply {
  const [KnowsServer, Synced] = [membership.knowsServer(), antiEntropy.hasCompared];
  const Ready = KnowsServer && Synced;
  return { status: Ready ? 200 : 503, json: { Ready, KnowsServer, Synced } };
}

function byId(agent: Context, request: HttpRequest): Reply {
  const { rest: id } = request;
  if (id === '') throw new ProconsulError('rejected', 'Bad request: Missing serviceID');
  const service = agent.local.services.get(id);
  if (service !== undefined) {
    needRead(request.caller, service.definition.Service);
    const health = healthOf(agent, service.definition);
    return reply(request, CODES[health.AggregatedStatus], health.AggregatedStatus, health);
  }
  const reason = `ServiceId ${id} not found`;
  const unknown: ServiceHealth = { AggregatedStatus: 'critical', Service: null, Checks: null };
  // Consul writes this one text as JSON.
  const json = request.params.get('format') === 'text' ? reason : unknown;
  return { status: 404, headers: { 'X-Consul-Reason': reason }, json };
}

function byName(agent: Context, request: HttpRequest): Reply {
  const { rest: name } = request;
  if (name === '') throw new ProconsulError('rejected', 'Bad request: Missing service Name');
  needRead(request.caller, name);
  const all = [...agent.local.services.values()]
    .filter(({ definition }) => definition.Service === name)
    .map(({ definition }) => healthOf(agent, definition));
  const [first] = all;
  if (first === undefined) return reply(request, 404, `ServiceName ${name} Not Found`, all);
  const worst = all.reduce(
    (found, { AggregatedStatus }) =>
      CODES[AggregatedStatus] > CODES[found] ? AggregatedStatus : found,
    first.AggregatedStatus,
  );
  return reply(request, CODES[worst], worst, all);
}

function reply({ params }: HttpRequest, status: number, reason: string, json: unknown): Reply {
  const headers = { 'X-Consul-Reason': reason };
  if (params.get('format') !== 'text') return { status, headers, json };
  return { status, headers: { ...headers, 'Content-Type': 'text/plain' }, text: reason };
}

function healthOf(agent: Context, service: ServiceDefinition): ServiceHealth {
  const { local, config } = agent;
  const checks = [...local.checksOf(service.ID).values(), ...local.checksOf('').values()];
  return {
    AggregatedStatus: aggregateStatus(checks.map(({ definition }) => definition)),
    Service: agentService(service),
    Checks: checks.map(({ definition }) =>
      healthCheck(config.nodeName, definition, definition.ServiceID === '' ? undefined : service),
    ),
  };
}
