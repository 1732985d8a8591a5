import type { RingState } from '../../../lib/answers.ts';
import { needs } from '../../../lib/http/right.ts';
import type { Route } from '../../../lib/http/route.ts';
import { param } from '../../../lib/http/takes.ts';
import type { ServerList } from '../../servers/server-list.ts';

/**
 * GET /v1/agent/ring: how agents spread lookups over the servers, and where a key goes. A key is a
 * service's name or, of what concerns no service, the path.
 */
export function ringRoutes(node: string, current: () => ServerList): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/agent/ring',
      params: { key: param.text('says where the lookups of this service go') },
      right: needs('agent:read', () => node),
      does: "the ring of servers, and where a key goes (Proconsul's own)",
      handle({ params }) {
        const servers = current();
        const shares = servers.shares();
        const Servers = servers.all.map(({ ID, Node, Url }) => ({
          ID,
          Node,
          Url,
          Share: shares.get(ID) ?? 0,
          Failing: servers.breaker.isFailing(ID),
        }));
        const key = params.get('key');
        if (key === '') return { json: { Servers } satisfies RingState };
        const [Server = '', ...Then] = servers.placed(key).map(({ Node }) => Node);
        return { json: { Servers, Key: key, Server, Then } satisfies RingState };
      },
    },
  ];
}
