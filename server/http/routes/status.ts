/** /v1/status: who leads, and who else is there. */
import { anyone } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import type { ClusterDeps } from '../deps.ts';

export function statusRoutes({ cluster }: ClusterDeps): Route[] {
  const row = { method: 'GET', right: anyone } as const;
  return [
    {
      ...row,
      path: '/v1/status/leader',
      does: "says the leader's address, '' when there is none",
      handle: () => ({ json: cluster.peers().find(({ leader }) => leader)?.address ?? '' }),
    },
    {
      ...row,
      path: '/v1/status/peers',
      does: "lists the servers' addresses",
      handle: () => ({ json: cluster.peers().map(({ address }) => address) }),
    },
  ];
}
