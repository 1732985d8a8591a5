/** /v1/status: who leads, and who else is there. */
import { anyone } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { STREAM, Tellings } from '../../../lib/http/tellings.ts';
import type { ClusterDeps } from '../deps.ts';

export function statusRoutes({ cluster, clock }: ClusterDeps): Route[] {
  const row = { method: 'GET', right: anyone } as const;
  const tellings = new Tellings(clock);
  const leader = () => cluster.peers().find(({ leader: leads }) => leads)?.address ?? '';
  return [
    {
      ...row,
      path: '/v1/status/leader',
      does: "says the leader's address, '' when there is none",
      params: STREAM,
      endless: 'stream',
      handle: (request) =>
        request.params.has('stream')
          ? tellings.open(request, { right: anyone, look: leader, isForAll: true })
          : { json: leader() },
    },
    {
      ...row,
      path: '/v1/status/peers',
      does: "lists the servers' addresses",
      handle: () => ({ json: cluster.peers().map(({ address }) => address) }),
    },
  ];
}
