import { Params } from '../../lib/http/params.ts';
import { splitTarget } from '../../lib/http/path.ts';
import type { HttpRequest, Route } from '../../lib/http/route.ts';
import { Router } from '../../lib/http/router.ts';
import type { ReadRoute } from '../../server/http/reads.ts';
import type { Query } from '../../server/query/query.ts';
import { KEYS, NODES, SERVICES, SESSIONS } from './experiments/commands.ts';

const NODE_PATHS = [
  'catalog/node',
  'catalog/node-services',
  'health/node',
  'session/node',
  'internal/history/node',
];
const SERVICE_PATHS = [
  'catalog/service',
  'catalog/connect',
  'health/service',
  'health/connect',
  'health/ingress',
  'health/checks',
];
const GATEWAYS = ['web', 'A', 'none'];
const below = (path: string, names: readonly string[]) =>
  names.filter((name) => name !== '').map((name) => `/v1/${path}/${encodeURIComponent(name)}`);

const NEAR = ['catalog/nodes', ...SERVICE_PATHS.map((path) => `${path}/web`), 'health/state/any'];
const FILTERED = [
  ['catalog/nodes', 'Meta.k == v'],
  ['catalog/node-services/a', 'Port == 80'],
  ['catalog/service/web', 'NodeMeta.k == v or ServicePort == 81'],
  ['health/service/web', 'Checks.Status == critical'],
  ['health/node/a', 'Status != passing'],
  ['health/checks/web', 'Output == o'],
  ['health/state/any', 'CheckID == serfHealth'],
  ['internal/ui/nodes', 'Meta.k == v'],
  ['internal/ui/services', 'Service.Port == 80'],
  ['internal/prometheus/sd', 'Service.Port == 80'],
] as const;

/** What a client may read of the names that spec/support/experiments/commands.ts writes: every read route. */
export const READ_TARGETS: readonly string[] = [
  '/v1/catalog/nodes',
  '/v1/internal/prometheus/sd',
  '/v1/internal/prometheus/sd?service=web&service=db',
  '/v1/catalog/nodes?node-meta=k:v',
  '/v1/catalog/services',
  '/v1/catalog/services?node-meta=k:v',
  ...NODE_PATHS.flatMap((path) => below(path, NODES)),
  ...SERVICE_PATHS.flatMap((path) => below(path, SERVICES)),
  ...below('internal/history/service', SERVICES),
  '/v1/internal/history/service/web?limit=2',
  '/v1/health/service/web?passing',
  '/v1/health/service/web?tag=t',
  '/v1/health/service/web?node-meta=k:v',
  '/v1/health/checks/web?node-meta=k:v',
  ...below('health/state', ['any', 'passing', 'warning', 'critical']),
  '/v1/health/state/any?node-meta=k:v',
  ...below('kv', KEYS),
  '/v1/kv/k?raw',
  ...['', 'k', 'k/', 'k/2/', 'none'].flatMap((p) => [`/v1/kv/${p}?recurse`, `/v1/kv/${p}?keys`]),
  '/v1/kv/?keys&separator=/',
  ...below('session/info', SESSIONS),
  '/v1/session/list',
  '/v1/query',
  '/v1/coordinate/nodes',
  ...below('coordinate/node', NODES),
  '/v1/internal/ui/nodes',
  '/v1/internal/ui/nodes?near=b',
  ...NEAR.map((path) => `/v1/${path}?near=a`),
  ...FILTERED.map(([path, filter]) => `/v1/${path}?filter=${encodeURIComponent(filter)}`),
  '/v1/health/service/web?near=b&filter=Checks.Status%20!=%20critical&passing',
  '/v1/internal/ui/services',
  ...below('internal/ui/node', NODES),
  ...below('catalog/gateway-services', GATEWAYS),
  ...below('internal/ui/gateway-services-nodes', GATEWAYS),
];

/** The queries that the read routes make of these targets. */
export function readQueries(routes: readonly Route[]): Query[] {
  const router = new Router(routes);
  return READ_TARGETS.map((target) => {
    const { path, query } = splitTarget(target);
    const match = router.match(path);
    const row = match?.methods.get('GET') as ReadRoute | undefined;
    if (match === undefined || row?.read === undefined) throw new Error(`no read route: ${target}`);
    const request = { rest: match.rest, params: new Params(query), headers: {}, target };
    return row.read.query(request as unknown as HttpRequest);
  });
}
