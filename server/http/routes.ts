import type { HttpRequest, Route } from '../../lib/http/route.ts';
import { checkDatacenter, type ServerDeps } from './deps.ts';
import { refuseReadOptions } from './reads.ts';
import { aclRoutes } from './routes/acl.ts';
import { catalogRoutes } from './routes/catalog.ts';
import { centralDefaultsRoutes } from './routes/central-defaults.ts';
import { configRoutes } from './routes/config.ts';
import { connectCaRoutes } from './routes/connect-ca.ts';
import { coordinateRoutes } from './routes/coordinate.ts';
import { discoveryChainRoutes } from './routes/discovery-chain.ts';
import { dnsRoutes } from './routes/dns.ts';
import { eventRoutes } from './routes/event.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { intentionRoutes } from './routes/intentions.ts';
import { kvRoutes } from './routes/kv.ts';
import { membershipRoutes } from './routes/membership.ts';
import { operatorRoutes } from './routes/operator.ts';
import { overviewRoutes } from './routes/overview.ts';
import { peeringRoutes } from './routes/peering.ts';
import { preparedQueryRoutes } from './routes/prepared-query.ts';
import { prometheusRoutes } from './routes/prometheus.ts';
import { scaleRoutes } from './routes/scale.ts';
import { sessionRoutes } from './routes/session.ts';
import { snapshotRoutes } from './routes/snapshot.ts';
import { statusRoutes } from './routes/status.ts';
import { txnRoutes } from './routes/txn.ts';
import { uiRoutes } from './routes/ui.ts';

/** Every row that a server answers by itself; an agent's own rows stand beside them. */
export function serverRoutes(deps: ServerDeps): Route[] {
  return rows(deps).map((row) => inDatacenter(deps, row));
}

/** They write, and are told how to read all the same. */
const WRITES_WITH_READ_OPTIONS: ReadonlySet<string> = new Set(['/v1/kv/', '/v1/session/renew/']);

/** What is asked of another data centre is refused, before anything else of it is looked at. */
function inDatacenter<T extends Route>(deps: ServerDeps, row: T): T {
  const { anyDatacenter, handle } = row;
  const readLike = row.method === 'GET' || WRITES_WITH_READ_OPTIONS.has(row.path);
  const checked = (request: HttpRequest) => {
    if (anyDatacenter !== true) {
      if (readLike) refuseReadOptions(request.params);
      checkDatacenter(deps, request.params.get('dc'));
    }
    return handle(request);
  };
  return { ...row, handle: checked };
}

function rows(deps: ServerDeps): Route[] {
  return [
    ...aclRoutes(deps),
    ...catalogRoutes(deps),
    ...healthRoutes(deps),
    ...kvRoutes(deps),
    ...sessionRoutes(deps),
    ...txnRoutes(deps),
    ...eventRoutes(deps),
    ...snapshotRoutes(deps),
    ...statusRoutes(deps),
    ...connectCaRoutes(deps),
    ...coordinateRoutes(deps),
    ...overviewRoutes(deps),
    ...uiRoutes(deps),
    ...prometheusRoutes(deps),
    ...preparedQueryRoutes(deps),
    ...configRoutes(deps),
    ...centralDefaultsRoutes(deps),
    ...discoveryChainRoutes(deps),
    ...intentionRoutes(deps),
    ...dnsRoutes(deps),
    ...operatorRoutes(deps),
    ...peeringRoutes(),
    ...membershipRoutes(deps),
    ...historyRoutes(deps),
    ...scaleRoutes(deps),
  ];
}
