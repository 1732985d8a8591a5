/** /v1/health: who is well. */
import {
  checkFields,
  healthInstanceFields,
  type StructSchema,
} from '../../../lib/filter/fields.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { param, type RowParams } from '../../../lib/http/takes.ts';
import * as queries from '../../query/health.ts';
import { askingNode, type PlaceDeps, type ReadDeps, required } from '../deps.ts';
import { IN_FRONT_NARROWED, INSTANCES_NARROWED, NARROWED, narrowing } from '../narrowing.ts';
import { type Read, readRoute } from '../reads.ts';

type Deps = ReadDeps & PlaceDeps;

export function healthRoutes(deps: Deps): Route[] {
  return [...instanceRoutes(deps), ...checkRoutes(deps)];
}

function narrowed(deps: Deps, request: HttpRequest, fields: StructSchema) {
  return narrowing(request.params, askingNode(deps, request), fields);
}

function instanceRoutes(deps: Deps): Route[] {
  const row = (
    path: string,
    does: string,
    query: typeof queries.healthOfService,
    narrowedBy: RowParams = IN_FRONT_NARROWED,
  ): Read => ({
    path,
    rest: 'service',
    params: {
      ...narrowedBy,
      passing: param.boolean('only instances of which all checks pass'),
    },
    right: 'service:read',
    does,
    saysConsistency: true,
    cacheable: true,
    saysBackend: true,
    query: (r) => {
      const name = required(r.rest, 'service name');
      const passing = passingOnly(r);
      return query(name, narrowed(deps, r, healthInstanceFields), passing);
    },
  });
  return [
    readRoute(
      deps,
      row(
        '/v1/health/service/',
        'lists the instances of a service with their nodes and checks',
        queries.healthOfService,
        INSTANCES_NARROWED,
      ),
    ),
    readRoute(
      deps,
      row(
        '/v1/health/connect/',
        'the same for those that speak for it in the mesh',
        queries.healthOfConnect,
      ),
    ),
    readRoute(
      deps,
      row(
        '/v1/health/ingress/',
        'the same for the ingress gateways that let calls to it into the mesh',
        queries.healthOfIngress,
        INSTANCES_NARROWED,
      ),
    ),
  ];
}

/** `?passing` alone counts as true; `?passing=false` does not. */
function passingOnly({ params }: HttpRequest): boolean {
  if (!params.has('passing')) return false;
  return params.bool('passing') ?? true;
}

function checkRoutes(deps: Deps): Route[] {
  const common = { saysConsistency: true } as const;
  return [
    readRoute(deps, {
      ...common,
      path: '/v1/health/checks/',
      rest: 'service',
      params: NARROWED,
      right: 'service:read',
      does: 'lists the checks of a service',
      query: (r) =>
        queries.checksOfService(required(r.rest, 'service name'), narrowed(deps, r, checkFields)),
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/health/node/',
      rest: 'node',
      params: NARROWED,
      right: 'node:read',
      does: 'lists the checks of a node',
      query: (r) =>
        queries.checksOfNode(required(r.rest, 'node name'), narrowed(deps, r, checkFields)),
    }),
    readRoute(deps, {
      ...common,
      path: '/v1/health/state/',
      rest: 'state',
      params: NARROWED,
      right: 'node:read',
      does: 'lists the checks in a status, or any',
      query: (r) =>
        queries.checksInStatus(required(r.rest, 'check state'), narrowed(deps, r, checkFields)),
    }),
  ];
}
