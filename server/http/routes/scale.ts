/** /v1/internal/scale: how many instances of a service are wanted, and why. Proconsul's own. */
import { keptBackHeader } from '../../../lib/acl/kept-back.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { quote } from '../../../lib/go-literals.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { shows } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY } from '../../../lib/http/takes.ts';
import { Reader } from '../../query/reader.ts';
import { logNow, scaleOf } from '../../query/scale.ts';
import { type ClusterDeps, type ReadDeps, required, type StateDeps } from '../deps.ts';
import { freshLook } from '../reads.ts';

type Deps = ReadDeps & StateDeps & Pick<ClusterDeps, 'clock'>;

export function scaleRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/internal/scale/',
      rest: 'service',
      params: CONSISTENCY,
      right: shows('service:read'),
      answers: { 404: 'there is no service-scaling of it' },
      does: 'says how many instances of a service are wanted, and why',
      handle: (request) => scale(deps, request),
    },
  ];
}

/** What it says changes with the time: it is no answer that may be kept. */
async function scale(deps: Deps, request: HttpRequest): Promise<Reply> {
  const service = required(request.rest, 'service name');
  return await freshLook(deps, request, () => {
    const { caller } = request;
    const state = deps.state();
    const reader = new Reader(state, caller.rights);
    const json = scaleOf(reader, service, logNow(state, deps.clock));
    if (json === undefined) {
      throw new ProconsulError('not-found', `There is no service-scaling of ${quote(service)}`);
    }
    return { json, headers: keptBackHeader(reader.hasHidden, caller) };
  });
}
