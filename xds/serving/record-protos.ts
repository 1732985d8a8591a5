/**
 * Makes protos.json of the files that Envoy and gRPC publish (Apache-2.0, see protos.md): what the services that
 * are served say and hear, and nothing else; and ../rules.json, by which Envoy refuses what it is told.
 *
 *   node --import tsx xds/serving/record-protos.ts FOLDER_OF_GRPC_JS_XDS FOLDER_OF_GRPC_HEALTH_CHECK
 */
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Json {
  [name: string]: Json | string | number | boolean | undefined | readonly unknown[];
}

interface Root {
  resolvePath: (origin: string, target: string) => string | null;
  loadSync(files: readonly string[], options: { readonly keepCase: true }): Root;
  toJSON(): Json;
}

const [xds = '', health = ''] = process.argv.slice(2);
// It comes with the loader, whose form of JSON this makes.
const require = createRequire(createRequire(import.meta.url).resolve('@grpc/proto-loader'));
const FOLDERS = [
  ...readdirSync(join(xds, 'deps')).map((each) => join(xds, 'deps', each)),
  ...[health, dirname(require.resolve('protobufjs/package.json'))],
];
const TARGET = fileURLToPath(new URL('protos.json', import.meta.url));
const RULES = fileURLToPath(new URL('../rules.json', import.meta.url));

const V3 = 'envoy/extensions';
const FILES = [
  'envoy/service/discovery/v3/ads.proto',
  ...['endpoint/v3/eds', 'cluster/v3/cds', 'listener/v3/lds', 'route/v3/rds'].map(
    (each) => `envoy/service/${each}.proto`,
  ),
  ...['endpoint/v3/endpoint', 'cluster/v3/cluster', 'listener/v3/listener', 'route/v3/route'].map(
    (each) => `envoy/config/${each}.proto`,
  ),
  `${V3}/filters/network/http_connection_manager/v3/http_connection_manager.proto`,
  `${V3}/filters/network/tcp_proxy/v3/tcp_proxy.proto`,
  `${V3}/filters/network/rbac/v3/rbac.proto`,
  `${V3}/filters/http/router/v3/router.proto`,
  `${V3}/filters/http/rbac/v3/rbac.proto`,
  `${V3}/filters/listener/tls_inspector/v3/tls_inspector.proto`,
  `${V3}/filters/network/sni_cluster/v3/sni_cluster.proto`,
  `${V3}/transport_sockets/tls/v3/tls.proto`,
  `${V3}/upstreams/http/v3/http_protocol_options.proto`,
  `${V3}/retry/host/previous_hosts/v3/previous_hosts.proto`,
  'health/v1/health.proto',
];

/** Whoever is named by none of these, directly or by others, is left out. */
const WANTED = [
  'envoy.service.discovery.v3.AggregatedDiscoveryService',
  'envoy.service.endpoint.v3.EndpointDiscoveryService',
  'envoy.service.cluster.v3.ClusterDiscoveryService',
  'envoy.service.listener.v3.ListenerDiscoveryService',
  'envoy.service.route.v3.RouteDiscoveryService',
  'envoy.config.endpoint.v3.ClusterLoadAssignment',
  'envoy.config.cluster.v3.Cluster',
  'envoy.config.listener.v3.Listener',
  'envoy.config.route.v3.RouteConfiguration',
  'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  'envoy.extensions.filters.network.rbac.v3.RBAC',
  'envoy.extensions.filters.network.sni_cluster.v3.SniCluster',
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  'envoy.extensions.filters.http.router.v3.Router',
  'envoy.extensions.filters.http.rbac.v3.RBAC',
  'envoy.extensions.filters.http.rbac.v3.RBACPerRoute',
  'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
  'google.protobuf.Any',
  'google.protobuf.Struct',
  'grpc.health.v1.Health',
];

const SCALARS = new Set(
  'double float int32 uint32 sint32 fixed32 sfixed32 int64 uint64 sint64 fixed64 sfixed64 string bool bytes'.split(
    ' ',
  ),
);

function load(): Json {
  // biome-ignore lint/correctness/noUndeclaredDependencies: it comes with the loader.
  const protobuf = require('protobufjs') as { readonly Root: new () => Root };
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    FOLDERS.map((folder) => join(folder, target)).find((path) => existsSync(path)) ?? target;
  return root.loadSync(FILES, { keepCase: true }).toJSON();
}

function nestedOf(json: Json | undefined): Json {
  return (json?.['nested'] ?? {}) as Json;
}

/** Each type by its full name. */
const types = new Map<string, Json>();

function index(json: Json, at: string): void {
  for (const [name, inner] of Object.entries(nestedOf(json))) {
    const full = at === '' ? name : `${at}.${name}`;
    types.set(full, inner as Json);
    index(inner as Json, full);
  }
}

/** As protobuf looks names up: from the inside out. */
function resolve(name: string, from: string): string {
  if (name.startsWith('.')) return name.slice(1);
  const scope = from.split('.');
  for (let depth = scope.length; depth >= 0; depth--) {
    const full = [...scope.slice(0, depth), name].join('.');
    if (types.has(full)) return full;
  }
  throw new Error(`${name}, which ${from} names, is nowhere`);
}

function namesIn(json: Json): string[] {
  const fields = Object.values((json['fields'] ?? {}) as Readonly<Record<string, Json>>);
  const methods = Object.values((json['methods'] ?? {}) as Readonly<Record<string, Json>>);
  return [
    ...fields.map(({ type }) => String(type)).filter((type) => !SCALARS.has(type)),
    ...methods.flatMap(({ requestType, responseType }) => [
      String(requestType),
      String(responseType),
    ]),
  ];
}

function reached(): Set<string> {
  const found = new Set<string>();
  const todo = [...WANTED];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const json = types.get(name);
    if (json === undefined) throw new Error(`there is no ${name}`);
    todo.push(...namesIn(json).map((each) => resolve(each, name ?? '')));
  }
  return found;
}

/** Options are of no use to whoever encodes, but these. */
const OPTIONS = new Set(['packed', 'proto3_optional']);

function trimmed(json: Json, at: string, wanted: ReadonlySet<string>): Json | undefined {
  const nested = Object.entries(nestedOf(json)).flatMap(([name, inner]) => {
    const kept = trimmed(inner as Json, at === '' ? name : `${at}.${name}`, wanted);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  if (!wanted.has(at) && nested.length === 0) return undefined;
  const own = wanted.has(at) ? withoutOptions(json) : {};
  // To stand between is to be a package, where it is nothing else.
  return { ...own, ...(nested.length > 0 && { nested: Object.fromEntries(nested) }) };
}

function withoutOptions({ nested: _, ...json }: Json): Json {
  const text = JSON.stringify(json, (name, value) => {
    if (name === 'comment' || name === 'reserved' || name === 'edition') return undefined;
    if (name !== 'options') return value;
    const kept = Object.entries(value as Json).filter(([option]) => OPTIONS.has(option));
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  });
  return JSON.parse(text);
}

interface Told {
  readonly fields: Readonly<Record<string, Json>>;
  /** Of each of these one has to be there. */
  readonly oneOf: readonly (readonly string[])[];
}

const RULE = '(validate.rules).';

/** What is asked of a message's fields, and of what type they are where that has rules too. */
function ruledOf(name: string): Told {
  const { fields = {}, oneofs = {} } = types.get(name) as { fields?: Json; oneofs?: Json };
  const groups = Object.values(oneofs as Readonly<Record<string, Json>>);
  const optional = new Set(groups.flatMap(({ oneof }) => oneof as readonly string[]));
  const oneOf = groups
    .filter(({ options }) => (options as Json | undefined)?.['(validate.required)'] === true)
    .map(({ oneof }) => oneof as readonly string[]);
  const told = Object.entries(fields as Readonly<Record<string, Json>>).map(([field, said]) => {
    const type = String(said['type']);
    const rules = Object.entries((said['options'] ?? {}) as Json).flatMap(([option, value]) =>
      option.startsWith(RULE) ? [[option.slice(RULE.length), value]] : [],
    );
    const shown = {
      ...(!SCALARS.has(type) && { type: resolve(type, name) }),
      ...(optional.has(field) && { optional: true }),
      ...(said['keyType'] !== undefined && { map: true }),
      ...(rules.length > 0 && { rules: Object.fromEntries(rules) }),
    };
    return [field, shown] as const;
  });
  return { fields: Object.fromEntries(told), oneOf };
}

/** Those by which anything may be refused. */
function ruled(names: ReadonlySet<string>): Readonly<Record<string, Told>> {
  const all = new Map([...names].map((name) => [name, ruledOf(name)]));
  const isKept = (field: Json, kept: ReadonlySet<string>) =>
    field['rules'] !== undefined || kept.has(String(field['type']));
  const kept = new Set<string>(['google.protobuf.Any']);
  for (let before = -1; before < kept.size; ) {
    before = kept.size;
    for (const [name, { fields, oneOf }] of all) {
      if (oneOf.length > 0 || Object.values(fields).some((each) => isKept(each, kept)))
        kept.add(name);
    }
  }
  const shown = [...kept].sort().map((name) => {
    const { fields, oneOf } = all.get(name) as Told;
    const left = Object.entries(fields).filter(([, field]) => isKept(field, kept));
    return [name, { fields: Object.fromEntries(left), oneOf }] as const;
  });
  return Object.fromEntries(shown);
}

const all = load();
index(all, '');
const json = trimmed(all, '', reached());
writeFileSync(TARGET, `${JSON.stringify(json, null, 1)}\n`);
const rules = ruled(
  new Set([...reached()].filter((name) => types.get(name)?.['fields'] !== undefined)),
);
writeFileSync(RULES, `${JSON.stringify(rules, null, 1)}\n`);
process.stdout.write(`${TARGET}: ${JSON.stringify(json).length} bytes\n`);
