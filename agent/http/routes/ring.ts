import type { Route } from '../../../lib/http/route.ts';
import { ringKey } from '../../client/ring-key.ts';
import type { ServerList } from '../../client/server-list.ts';

/** GET /v1/agent/ring: how this agent spreads lookups over the servers, and where a key goes. */
export function ringRoutes(servers: ServerList): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/ring',
      right: 'agent:read',
      does: "the ring of servers, and where a key goes (Proconsul's own)",
      handle({ params }) {
        const shares = servers.shares();
        const Servers = servers.all.map(({ ID, Node, Url }) => ({
          ID,
          Node,
          Url,
          Share: shares.get(ID) ?? 0,
        }));
        const key = params.get('key');
        if (key === '') return { json: { Servers } };
        const order = servers.inOrder(ringKey(key)).map(({ Node }) => Node);
        return { json: { Servers, Key: key, Order: order } };
      },
    },
  ];
}
