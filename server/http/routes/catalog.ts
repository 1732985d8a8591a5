/** /v1/catalog: the catalog as it is written and read directly, without an agent. */

import { ProconsulError } from '../../../lib/errors.ts';
import { compileFilter } from '../../../lib/filter/compile-filter.ts';
import {
  catalogInstanceFields,
  instanceFields,
  nodeFields,
  type StructSchema,
} from '../../../lib/filter/fields.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone, changes } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { FILTER } from '../../../lib/http/takes.ts';
import { isUuid } from '../../../lib/ids.ts';
import type { CheckDefinition } from '../../../lib/model.ts';
import { proxyFault } from '../../../lib/proxy-faults.ts';
import type { Deregister, Register } from '../../commands.ts';
import * as queries from '../../query/catalog.ts';
import { type CheckBody, deregisterBody, type RegisterBody, registerBody } from '../bodies.ts';
import {
  nodeIdFault,
  refuseNul,
  serviceFault,
  toCheck,
  toNode,
  toService,
  typeOf,
} from '../definitions.ts';
import {
  askingNode,
  checkDatacenter,
  NODE_ID_HEADER,
  type PlaceDeps,
  type ReadDeps,
  required,
  type WriteDeps,
  writeAs,
} from '../deps.ts';
import {
  BY_NODE,
  FILLED_IN,
  IN_FRONT_NARROWED,
  INSTANCES_NARROWED,
  NARROWED,
  narrowing,
} from '../narrowing.ts';
import { readRoute } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps;

export function catalogRoutes(deps: Deps): Route[] {
  return [...catalogWrites(deps), ...catalogLists(deps), ...catalogByName(deps)];
}

function catalogWrites(deps: Deps): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/catalog/register',
      body: registerBody,
      right: changes('node:write', ['node:write', 'service:write']),
      does: 'registers a node, an instance on it, checks',
      handle: (request) => register(deps, request),
    },
    {
      method: 'PUT',
      path: '/v1/catalog/deregister',
      body: deregisterBody,
      right: changes('node:write', ['node:write', 'service:write']),
      does: 'removes a node, an instance or a check',
      handle: (request) => deregister(deps, request),
    },
    {
      method: 'GET',
      path: '/v1/catalog/datacenters',
      right: anyone,
      anyDatacenter: true,
      does: 'lists the data centres',
      handle: () => ({ json: [deps.datacenter] }),
    },
  ];
}

function catalogLists(deps: Deps): Route[] {
  const near = (request: HttpRequest) => askingNode(deps, request);
  return [
    readRoute(deps, {
      path: '/v1/catalog/nodes',
      params: NARROWED,
      right: 'node:read',
      does: 'lists the nodes',
      saysConsistency: true,
      query: (r) => queries.nodes(narrowing(r.params, near(r), nodeFields)),
    }),
    readRoute(deps, {
      path: '/v1/catalog/services',
      params: { ...BY_NODE, filter: FILTER },
      right: 'service:read',
      does: 'lists the names of services with their tags',
      saysConsistency: true,
      cacheable: true,
      query: (r) =>
        queries.services(narrowing(r.params, near(r), fieldsFor(r.params.get('filter')))),
    }),
  ];
}

/** Consul 1.8 passes over any filter here, and a later one filters instances by it: none is refused. */
function fieldsFor(filter: string): StructSchema | undefined {
  if (filter === '') return undefined;
  try {
    compileFilter(filter, catalogInstanceFields);
    return catalogInstanceFields;
  } catch {
    return undefined;
  }
}

function catalogByName(deps: Deps): Route[] {
  const near = (request: HttpRequest) => askingNode(deps, request);
  const common = { saysConsistency: true } as const;
  return [
    readRoute(deps, {
      ...common,
      path: '/v1/catalog/service/',
      rest: 'service',
      params: INSTANCES_NARROWED,
      right: 'service:read',
      does: 'lists the instances of a service',
      cacheable: true,
      query: (r) => {
        const name = required(r.rest, 'service name');
        return queries.serviceInstances(name, narrowing(r.params, near(r), catalogInstanceFields));
      },
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/catalog/connect/',
      rest: 'service',
      params: IN_FRONT_NARROWED,
      right: 'service:read',
      does: 'lists the instances that speak for a service in the mesh',
      query: (r) => {
        const name = required(r.rest, 'service name');
        return queries.connectInstances(name, narrowing(r.params, near(r), catalogInstanceFields));
      },
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/catalog/gateway-services/',
      rest: 'gateway',
      right: 'service:read',
      does: 'lists the services that a gateway stands in front of',
      query: ({ rest }) => queries.gatewayServices(required(rest, 'gateway name')),
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/catalog/node/',
      rest: 'node',
      params: { filter: FILTER },
      right: 'node:read',
      does: 'shows a node and its instances by id',
      query: (r) =>
        queries.node(required(r.rest, 'node name'), narrowing(r.params, near(r), instanceFields)),
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/catalog/node-services/',
      rest: 'node',
      params: { filter: FILTER, ...FILLED_IN },
      right: 'node:read',
      does: 'shows a node and a list of its instances',
      query: (r) =>
        queries.nodeServices(
          required(r.rest, 'node name'),
          narrowing(r.params, near(r), instanceFields),
        ),
    }),
  ];
}

async function register(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(registerBody);
  checkDatacenter(deps, body.Datacenter);
  await writeAs(request, deps, toRegister(body, deps.datacenter));
  return { json: true };
}

/** The command that a registration is; throws Consul's error for one that cannot be. */
function toRegister(body: RegisterBody, datacenter: string): Register {
  checkNode(body);
  const checks = [...(body.Check === undefined ? [] : [body.Check]), ...(body.Checks ?? [])];
  for (const check of checks) checkOwner(check, body.Node);
  const { Service: service } = body;
  if (service !== undefined) {
    if (service.Service === '') throw rejected('Must provide service name with ID');
    refuseNul(service.ID, service.Service);
    const fault = proxyFault(service);
    if (fault !== undefined) throw rejected(fault);
  }
  const definition = service === undefined ? undefined : toService(service);
  const fault = definition && serviceFault(body.Node, definition);
  if (fault !== undefined) throw rejected(`failed inserting service: ${fault}`);
  return {
    type: 'register',
    node: toNode(withMeta(body), datacenter),
    skipNodeUpdate: body.SkipNodeUpdate,
    ...(definition === undefined ? {} : { service: definition }),
    checks: checks.map(typedCheck),
  };
}

/** A check's type follows from its definition unless it is said; a transaction leaves it open. */
function typedCheck(body: CheckBody): CheckDefinition {
  return toCheck(body.Type === '' ? { ...body, Type: typeOf(body.Definition) } : body);
}

/** A registration says NodeMeta where a node says Meta. */
function withMeta(body: RegisterBody) {
  return body.NodeMeta === undefined ? body : { ...body, Meta: body.NodeMeta };
}

function checkNode(body: RegisterBody): void {
  if (body.Node === '') throw rejected('Must provide node');
  refuseNul(body.Node);
  const fault = nodeIdFault(body.ID);
  if (fault !== undefined) throw rejected(fault);
  if (body.Address === '' && !body.SkipNodeUpdate) {
    throw rejected('Must provide address if SkipNodeUpdate is not set');
  }
}

function checkOwner(check: CheckBody, node: string): void {
  refuseNul(check.CheckID, check.Name);
  if (check.Node !== '' && check.Node.toLowerCase() !== node.toLowerCase()) {
    throw rejected(`check node "${check.Node}" does not match node "${node}"`);
  }
}

function rejected(message: string): ProconsulError {
  return new ProconsulError('rejected', message);
}

async function deregister(deps: Deps, request: HttpRequest): Promise<Reply> {
  const body = await request.json(deregisterBody);
  checkDatacenter(deps, body.Datacenter);
  if (body.Node === '') throw rejected('Must provide node');
  const nodeId = request.headers[NODE_ID_HEADER];
  const command: Deregister = {
    type: 'deregister',
    node: body.Node,
    ...(typeof nodeId === 'string' && isUuid(nodeId) && { nodeId }),
    ...(body.ServiceID === '' ? {} : { serviceId: body.ServiceID }),
    ...(body.CheckID === '' ? {} : { checkId: body.CheckID }),
  };
  await writeAs(request, deps, command);
  return { json: true };
}
