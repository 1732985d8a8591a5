/** /v1/agent/service…: the services of this agent. */

import { seenBy } from '../../../lib/acl/kept-back.ts';
import { permissionDenied } from '../../../lib/acl/refusals.ts';
import type { Caller } from '../../../lib/acl/rights.ts';
import { NS_PER_MS } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { parseBool } from '../../../lib/go-literals.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { asks } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { FILTER, param, READING } from '../../../lib/http/takes.ts';
import { byName } from '../../../lib/key-order.ts';
import { DEFAULT_WAIT_MS, MAX_WAIT_MS } from '../../../lib/limits.ts';
import type { Maintenance } from '../../definitions/maintenance.ts';
import {
  type ServiceSpec,
  serviceFromBody,
  validateService,
} from '../../definitions/service-spec.ts';
import { contentHash } from '../../state/content-hash.ts';
import { type AgentService, agentService } from '../../state/views.ts';
import type { OwnContext, RegistrationContext } from '../context.ts';
import { MEANT, NODE, refuseOthers, takenElsewhere } from '../elsewhere.ts';
import { filtered } from '../filtered.ts';
import { needRead, vetOf, vetService } from '../vetting.ts';

type Context = RegistrationContext & Pick<OwnContext, 'config' | 'elsewhere'>;

const MAINTENANCE = {
  enable: param.boolean('true begins it, false ends it; it must be said'),
  reason: param.text('for whoever looks at the check'),
  node: MEANT,
};

export function serviceRoutes(agent: Context): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/services',
      params: { filter: FILTER },
      right: asks(),
      does: 'the services of this agent',
      handle: ({ params, caller }) => {
        const { seen, headers } = seenBy(caller, agent.local.services, ([, { definition }]) =>
          caller.rights.may('service', 'read', definition.Service),
        );
        const services = seen.map(
          ([id, { definition }]) => [id, agentService(definition)] as const,
        );
        return { headers, json: byName(filtered(services, params.get('filter'), 'service')) };
      },
    },
    {
      method: 'GET',
      path: '/v1/agent/service/',
      answers: { 404: 'there is no such service' },
      rest: 'service',
      params: {
        hash: param.text('waits until its ContentHash is another than this one'),
        wait: READING.wait,
      },
      right: asks(),
      does: 'one service of this agent; ?hash waits for its change',
      handle: (request) => service(agent, request),
    },
    {
      method: 'PUT',
      path: '/v1/agent/service/register',
      params: {
        'replace-existing-checks': param.boolean('takes out its checks that are not named'),
      },
      body: serviceFromBody,
      right: asks('own', ['service:write']),
      does: 'registers a service with its checks',
      handle: (request) => register(agent, request),
    },
    {
      method: 'PUT',
      path: '/v1/agent/service/deregister/',
      rest: 'service',
      params: { node: NODE },
      answers: { 404: 'the node that was named has no such service' },
      right: asks(),
      does: 'takes a service out',
      handle: (request) => deregister(agent, request),
    },
    {
      method: 'PUT',
      path: '/v1/agent/service/maintenance/',
      answers: { 404: 'there is no such service' },
      rest: 'service',
      params: MAINTENANCE,
      right: asks(),
      does: 'takes a service out of the answers, and back',
      handle: (request) => maintenance(agent, request),
    },
    {
      method: 'PUT',
      path: '/v1/agent/maintenance',
      params: MAINTENANCE,
      right: asks(),
      does: 'takes the node out of the answers, and back',
      handle: (request) => nodeMaintenance(agent, request),
    },
  ];
}

/** Remembered, and known to the servers where one is there: a client reads what it has written. */
export async function settled(
  agent: RegistrationContext,
  serviceIds: readonly string[],
): Promise<void> {
  const pushes = serviceIds.map((id) => agent.antiEntropy.push(id));
  await Promise.all([agent.registrar.remembered(), ...pushes]);
}

async function register(agent: Context, request: HttpRequest): Promise<Reply> {
  const spec = await request.json(serviceFromBody);
  validateService(spec);
  const replaceChecks = request.params.bool('replace-existing-checks') === true;
  const { defaults, registrar } = agent;
  const token = spec.Token || request.token;
  const release = defaults && (await defaults.hold(registrar.definitionsOf(spec), token));
  try {
    await registerNow(agent, request, spec, replaceChecks);
  } finally {
    release?.();
  }
  return {};
}

async function registerNow(
  agent: Context,
  request: HttpRequest,
  spec: ServiceSpec,
  replaceChecks: boolean,
): Promise<void> {
  const registered = agent.registrar.registerService(spec, {
    source: 'api',
    token: request.token,
    replaceChecks,
    // Whoever waited for a server may have lost his right meanwhile.
    vet: vetOf(agent, await request.callerNow()),
  });
  try {
    await settled(agent, registered.ids);
  } catch (error) {
    // Who is told that it failed may go away: nobody would ever take it out.
    registered.takeBack();
    await Promise.all(registered.ids.map((id) => agent.antiEntropy.push(id)));
    throw error;
  }
}

async function deregister(agent: Context, request: HttpRequest): Promise<Reply> {
  const { rest: id, caller } = request;
  if (id === '') throw new ProconsulError('rejected', 'ServiceID missing');
  const isKnown = agent.local.services.has(id);
  const isTaken = await takenElsewhere(agent, request, isKnown, (elsewhere, named) =>
    elsewhere.deregisterService(request, named),
  );
  if (isTaken) return {};
  vetService(agent, caller, id);
  await settled(agent, agent.registrar.removeService(id));
  return {};
}

async function nodeMaintenance(agent: Context, request: HttpRequest): Promise<Reply> {
  const on = maintenanceOf(request);
  const { nodeName } = agent.config;
  if (!request.caller.rights.may('node', 'write', nodeName)) throw permissionDenied();
  refuseOthers(agent, request);
  agent.registrar.setMaintenance('', on);
  await settled(agent, ['']);
  return {};
}

async function maintenance(agent: Context, request: HttpRequest): Promise<Reply> {
  const { rest, caller } = request;
  if (rest === '') throw new ProconsulError('invalid', 'Missing service ID');
  const on = maintenanceOf(request);
  vetService(agent, caller, rest);
  refuseOthers(agent, request);
  if (!agent.local.services.has(rest)) {
    throw new ProconsulError('not-found', `No service registered with ID "${rest}"`);
  }
  agent.registrar.setMaintenance(rest, on);
  await settled(agent, [rest]);
  return {};
}

/** Undefined where it is to end. */
function maintenanceOf({ params, token }: HttpRequest): Maintenance | undefined {
  if (!params.has('enable')) throw new ProconsulError('invalid', 'Missing value for enable');
  const on = parseBool(params.get('enable'));
  if (on !== undefined) return on ? { reason: params.get('reason'), token } : undefined;
  throw new ProconsulError('invalid', `Invalid value for enable: "${params.get('enable')}"`);
}

async function service(agent: Context, request: HttpRequest): Promise<Reply> {
  const { params, rest: id, signal } = request;
  const waitNs = params.duration('wait', 'Invalid wait time');
  if (params.get('index') !== '' && params.uint64('index') === undefined) {
    throw new ProconsulError('invalid', 'Invalid index');
  }
  const waitMs = Math.min((waitNs ?? 0) / NS_PER_MS || DEFAULT_WAIT_MS, MAX_WAIT_MS);
  const deadline = agent.clock.monotonic() + waitMs;
  for (;;) {
    // Whoever waits may have lost his right meanwhile, or the service has another name.
    const found = hashed(agent, id, await request.callerNow());
    const left = deadline - agent.clock.monotonic();
    if (found.ContentHash !== params.get('hash') || left <= 0 || signal.aborted) {
      return { json: found, headers: { 'X-Consul-ContentHash': found.ContentHash } };
    }
    await agent.serviceWatch.wait(id, left, signal);
  }
}

function hashed(
  agent: Context,
  id: string,
  caller: Caller,
): AgentService & { readonly ContentHash: string } {
  const found = agent.local.services.get(id);
  if (found === undefined) throw new ProconsulError('not-found', `unknown service ID: ${id}`);
  needRead(caller, found.definition.Service);
  const shown = agentService(found.definition);
  return { ...shown, ContentHash: contentHash(shown) };
}
