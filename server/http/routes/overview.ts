/** /v1/internal/overview: what our web page shows of each service and each node in one line. */
import { healthInstanceFields, nodeFields, type StructSchema } from '../../../lib/filter/fields.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { FILTER } from '../../../lib/http/takes.ts';
import { nodesAtAGlance, servicesAtAGlance } from '../../query/overview.ts';
import { askingNode, type PlaceDeps, type ReadDeps } from '../deps.ts';
import { narrowing } from '../narrowing.ts';
import { readRoute } from '../reads.ts';

export function overviewRoutes(deps: ReadDeps & PlaceDeps): Route[] {
  const narrowed = (request: HttpRequest, fields: StructSchema) =>
    narrowing(request.params, askingNode(deps, request), fields);
  return [
    readRoute(deps, {
      path: '/v1/internal/overview/services',
      params: { filter: FILTER },
      right: 'service:read',
      does: 'says how the instances of each service stand',
      query: (r) => servicesAtAGlance(narrowed(r, healthInstanceFields)),
    }),
    readRoute(deps, {
      path: '/v1/internal/overview/nodes',
      params: { filter: FILTER },
      right: 'node:read',
      does: 'says how each node stands, and the instances on it',
      query: (r) => nodesAtAGlance(narrowed(r, nodeFields)),
    }),
  ];
}
