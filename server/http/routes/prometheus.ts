/** /v1/internal/prometheus: what a Prometheus discovers (docs/monitoring/prometheus.md). */
import { ProconsulError } from '../../../lib/errors.ts';
import { healthInstanceFields } from '../../../lib/filter/fields.ts';
import type { Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import { prometheusTargets } from '../../query/prometheus.ts';
import { askingNode, type PlaceDeps, type ReadDeps } from '../deps.ts';
import { INSTANCES_NARROWED, narrowing } from '../narrowing.ts';
import { readRoute } from '../reads.ts';

/** Each is looked up by itself: for more of them a filter is as good. */
const MAX_SERVICES = 64;

export function prometheusRoutes(deps: ReadDeps & PlaceDeps): Route[] {
  return [
    readRoute(deps, {
      path: '/v1/internal/prometheus/sd',
      params: {
        service: param.texts('only the instances of this service'),
        ...INSTANCES_NARROWED,
      },
      right: 'service:read',
      does: 'lists every instance as a target for Prometheus (http_sd, with the labels of consul_sd)',
      query: (r) => {
        const named = new Set(r.params.all('service').filter((name) => name !== ''));
        if (named.size > MAX_SERVICES) {
          throw new ProconsulError('invalid', `At most ${MAX_SERVICES} services can be named`);
        }
        return prometheusTargets(
          [...named],
          narrowing(r.params, askingNode(deps, r), healthInstanceFields),
        );
      },
    }),
  ];
}
