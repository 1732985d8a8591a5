/** /v1/internal/ui: what a web page asks for. */
import {
  healthInstanceFields,
  type StructSchema,
  uiNodeFields,
} from '../../../lib/filter/fields.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { FILTER } from '../../../lib/http/takes.ts';
import * as queries from '../../query/ui.ts';
import { askingNode, type PlaceDeps, type ReadDeps, required } from '../deps.ts';
import { NARROWED, narrowing } from '../narrowing.ts';
import { readRoute } from '../reads.ts';

export function uiRoutes(deps: ReadDeps & PlaceDeps): Route[] {
  const narrowed = (request: HttpRequest, fields: StructSchema) =>
    narrowing(request.params, askingNode(deps, request), fields);
  return [
    readRoute(deps, {
      path: '/v1/internal/ui/services',
      params: { filter: FILTER },
      right: 'service:read',
      does: 'sums up each service',
      query: (r) => queries.serviceSummaries(narrowed(r, healthInstanceFields)),
    }),
    readRoute(deps, {
      path: '/v1/internal/ui/gateway-services-nodes/',
      rest: 'gateway',
      right: 'service:read',
      does: 'sums up each service that a gateway stands in front of',
      query: ({ rest }) =>
        queries.servicesOfGateway(required(rest, 'gateway name'), (service) => {
          return `${service}.ingress.${deps.datacenter}.${deps.domain}`;
        }),
    }),
    readRoute(deps, {
      path: '/v1/internal/ui/nodes',
      params: { filter: FILTER, near: NARROWED.near },
      right: 'node:read',
      does: 'lists the nodes with all that is on them',
      query: (r) => queries.nodesInFull(narrowed(r, uiNodeFields)),
    }),
    readRoute(deps, {
      path: '/v1/internal/ui/node/',
      answers: { 404: 'there is no such node' },
      rest: 'node',
      right: 'node:read',
      does: 'shows a node with all that is on it',
      bareMissing: true,
      query: ({ rest }) => queries.nodeInFull(required(rest, 'node name')),
    }),
  ];
}
