/** What the DNS servers of client agents ask, and no one else's endpoint answers. */
import { ADDRESS_OWNER_PATH, VIRTUAL_ADDRESS_PATH } from '../../../lib/dns-lookups.ts';
import type { Route } from '../../../lib/http/route.ts';
import * as queries from '../../query/addresses.ts';
import { type PlaceDeps, type ReadDeps, required } from '../deps.ts';
import { readRoute } from '../reads.ts';

export function dnsRoutes(deps: ReadDeps & PlaceDeps): Route[] {
  return [
    readRoute(deps, {
      path: ADDRESS_OWNER_PATH,
      rest: 'address',
      right: 'node:read',
      does: 'says which node or service has an address',
      query: ({ rest }) => queries.addressOwner(required(rest, 'address')),
    }),
    readRoute(deps, {
      path: VIRTUAL_ADDRESS_PATH,
      rest: 'service',
      right: 'service:read',
      does: 'says which address a service of the mesh has of its own',
      query: ({ rest }) => queries.virtualAddress(required(rest, 'service name')),
    }),
  ];
}
