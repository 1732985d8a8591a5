/** /v1/coordinate on an agent that has `disable_coordinates`: as Consul's, it asks nobody. */
import { ProconsulError } from '../../../lib/errors.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Method, Route } from '../../../lib/http/route.ts';
import { COORDINATES_OFF } from '../../../lib/place.ts';

const ROWS: readonly (readonly [Method, string, string])[] = [
  ['PUT', '/v1/coordinate/update', "sets a node's coordinates"],
  ['GET', '/v1/coordinate/datacenters', 'lists the coordinates of the servers of each data centre'],
  ['GET', '/v1/coordinate/nodes', "lists the nodes' coordinates"],
  ['GET', '/v1/coordinate/node/', "shows a node's coordinates"],
];

export function noCoordinates(): readonly Route[] {
  return ROWS.map(([method, path, does]) => ({
    ...{ method, path, does, right: anyone, anyDatacenter: true },
    handle: () => {
      throw new ProconsulError('unauthorized', COORDINATES_OFF);
    },
  }));
}
