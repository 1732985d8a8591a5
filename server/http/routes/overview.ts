/** /v1/internal/overview: what our web page shows of each service, node and session in one line. */
import { healthInstanceFields, nodeFields, type StructSchema } from '../../../lib/filter/fields.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { FILTER, param } from '../../../lib/http/takes.ts';
import { nodesAtAGlance, servicesAtAGlance } from '../../query/overview.ts';
import { sessionsAtAGlance } from '../../query/sessions.ts';
import { markIn } from '../../query/told.ts';
import { upstreamsAtAGlance } from '../../query/upstreams.ts';
import { askingNode, type PlaceDeps, type ReadDeps } from '../deps.ts';
import { narrowing } from '../narrowing.ts';
import { readRoute } from '../reads.ts';

export function overviewRoutes(deps: ReadDeps & PlaceDeps): Route[] {
  const narrowed = (request: HttpRequest, fields: StructSchema) =>
    narrowing(request.params, askingNode(deps, request), fields);
  return [
    readRoute(deps, {
      path: '/v1/internal/overview/services',
      params: { filter: FILTER, since: SINCE },
      right: 'service:read',
      does: 'says how the instances of each service stand',
      query: (r) => servicesAtAGlance(narrowed(r, healthInstanceFields), sinceOf(r)),
    }),
    readRoute(deps, {
      path: '/v1/internal/overview/nodes',
      params: { filter: FILTER, since: SINCE },
      right: 'node:read',
      does: 'says how each node stands, and the instances on it',
      query: (r) => nodesAtAGlance(narrowed(r, nodeFields), sinceOf(r)),
    }),
    readRoute(deps, {
      path: '/v1/internal/overview/sessions',
      right: 'session:read',
      does: 'lists the sessions, with the keys that each holds',
      query: () => sessionsAtAGlance(),
    }),
    readRoute(deps, {
      path: '/v1/internal/overview/upstreams',
      right: 'service:read',
      does: 'says which services the proxies of each service call',
      query: () => upstreamsAtAGlance(),
    }),
  ];
}

const SINCE = param.text(
  'the X-Proconsul-Mark of an answer: says what has changed since then alone',
);

function sinceOf({ params }: HttpRequest): string {
  return markIn(params.get('since'));
}
