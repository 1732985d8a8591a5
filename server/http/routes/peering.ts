/** /v1/peering: clusters that share services. There are none here, and who asks is told so. */
import { ProconsulError } from '../../../lib/errors.ts';
import { type Need, needs } from '../../../lib/http/right.ts';
import type { Method, Route } from '../../../lib/http/route.ts';

const ROWS: readonly (readonly [Method, string, Need])[] = [
  ['GET', '/v1/peerings', 'peering:read'],
  ['GET', '/v1/peering/', 'peering:read'],
  ['DELETE', '/v1/peering/', 'peering:write'],
  ['POST', '/v1/peering/token', 'peering:write'],
  ['POST', '/v1/peering/establish', 'peering:write'],
];

export function peeringRoutes(): readonly Route[] {
  return ROWS.map(([method, path, need]) => ({
    method,
    path,
    ...(path.endsWith('/') && { rest: 'name' }),
    right: needs(need),
    does: 'refused: clusters are not peered here',
    handle: () => {
      throw new ProconsulError('rejected', 'peering is not offered here: there is one cluster');
    },
  }));
}
