import type { Route } from '../../lib/http/route.ts';
import type { ServerDeps } from './deps.ts';
import { catalogRoutes } from './routes/catalog.ts';
import { coordinateRoutes } from './routes/coordinate.ts';
import { dnsRoutes } from './routes/dns.ts';
import { eventRoutes } from './routes/event.ts';
import { healthRoutes } from './routes/health.ts';
import { kvRoutes } from './routes/kv.ts';
import { membershipRoutes } from './routes/membership.ts';
import { operatorRoutes } from './routes/operator.ts';
import { preparedQueryRoutes } from './routes/prepared-query.ts';
import { sessionRoutes } from './routes/session.ts';
import { statusRoutes } from './routes/status.ts';
import { txnRoutes } from './routes/txn.ts';
import { uiRoutes } from './routes/ui.ts';

/** Every row that a server answers by itself; an agent's own rows stand beside them. */
export function serverRoutes(deps: ServerDeps): Route[] {
  return [
    ...catalogRoutes(deps),
    ...healthRoutes(deps),
    ...kvRoutes(deps),
    ...sessionRoutes(deps),
    ...txnRoutes(deps),
    ...eventRoutes(deps),
    ...statusRoutes(deps),
    ...coordinateRoutes(deps),
    ...uiRoutes(deps),
    ...preparedQueryRoutes(deps),
    ...dnsRoutes(deps),
    ...operatorRoutes(deps),
    ...membershipRoutes(deps),
  ];
}
