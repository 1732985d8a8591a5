/** How a proxy or a gateway is registered with its agent. */
import { ipBytes } from '../../lib/ip.ts';
import { MAX_UPSTREAMS } from '../../lib/limits.ts';
import { inPath, isWellFormed } from '../../lib/well-formed.ts';
import { addressIn, listIn, objectIn, portIn, type Said, textIn } from '../../sidecar/said.ts';
import { callRulesIn, ownRulesIn } from '../../sidecar/upstream-config.ts';
import type { Message } from '../resource.ts';
import { durationOfMs } from '../resources/chain.ts';
import type { Know } from '../worked.ts';

const PROXY_KINDS = [
  'connect-proxy',
  'ingress-gateway',
  'terminating-gateway',
  'mesh-gateway',
] as const;
export type ProxyKind = (typeof PROXY_KINDS)[number];

export interface Registration {
  readonly kind: ProxyKind;
  /** That it speaks for: a gateway for itself. */
  readonly service: string;
  readonly listens: Place;
  /** '' where it says none. */
  readonly zone: string;
  /** By which others know it beside its address. */
  readonly tagged: readonly Place[];
  /** Behind a proxy. */
  readonly program: Place;
  readonly config: Said;
  /** To whom a gateway calls. */
  readonly connectTimeout: Message | undefined;
  readonly upstreams: readonly Upstream[];
  readonly exposed: readonly Exposed[];
  /** What else is said of it, and an Envoy is not told. */
  readonly unheeded: readonly string[];
}

/** A path of the program's that anybody may ask for, without TLS. */
export interface Exposed {
  readonly path: string;
  readonly at: number;
  readonly program: number;
  readonly speaksHttp2: boolean;
}

export interface Place {
  readonly host: string;
  readonly port: number;
}

export interface Upstream {
  readonly name: string;
  readonly isQuery: boolean;
  /** '' for the agent's own. */
  readonly datacenter: string;
  readonly at: Place;
  readonly config: Said;
}

/** Two entries may be of one name: whether a row of what gateways stand for is of this kind. */
export function isOf(row: Said, kind: ProxyKind): boolean {
  return (textIn(row['GatewayKind']) || kind) === kind;
}

/** Of a service; '' for what nobody can be called by. */
export function nameIn(said: unknown): string {
  const name = textIn(said);
  return isWellFormed(name) ? name : '';
}

const LOCAL = '127.0.0.1';
const EVERYWHERE = '0.0.0.0';

/** Undefined while nothing that Envoy could be is registered by this id. It is read once for all that is told of it. */
export function registrationOf(know: Know, id: string): Registration | undefined {
  return know.shared({ key: ['registration', id], of: (knowing) => registeredAs(knowing, id) });
}

function registeredAs(know: Know, id: string): Registration | undefined {
  const path = `/v1/agent/service/${inPath(id)}`;
  const said = objectIn(know({ path, query: [], by: 'hash' }));
  const kind = PROXY_KINDS.find((each) => each === said['Kind']);
  if (kind === undefined) return undefined;
  const proxy = objectIn(said['Proxy']);
  const service = nameIn(
    kind === 'connect-proxy' ? proxy['DestinationServiceName'] : said['Service'],
  );
  if (service === '') return undefined;
  const config = objectIn(proxy['Config']);
  return {
    ...{ kind, service, config },
    connectTimeout: msOf(config['connect_timeout_ms']),
    zone: textIn(objectIn(said['Meta'])['zone']),
    listens: {
      host: addressIn(config['bind_address']) || addressIn(said['Address']) || EVERYWHERE,
      port: portIn(config['bind_port']) || portIn(said['Port']),
    },
    tagged: Object.values(objectIn(said['TaggedAddresses'])).flatMap((each) => {
      const { Address, Port } = objectIn(each);
      const host = addressIn(Address);
      return host === '' ? [] : [{ host, port: portIn(Port) || portIn(said['Port']) }];
    }),
    program: {
      host: addressIn(proxy['LocalServiceAddress']) || LOCAL,
      port: portIn(proxy['LocalServicePort']),
    },
    upstreams: listIn(proxy['Upstreams']).slice(0, MAX_UPSTREAMS).flatMap(upstreamIn),
    exposed: exposedIn(proxy),
    unheeded: unheededIn(kind, proxy),
  };
}

function exposedIn(proxy: Said): Exposed[] {
  const { Paths } = objectIn(proxy['Expose']);
  return listIn(Paths)
    .slice(0, MAX_UPSTREAMS)
    .flatMap((said) => {
      const [path, at] = [textIn(said['Path']), portIn(said['ListenerPort'])];
      const program = portIn(said['LocalPathPort']) || portIn(proxy['LocalServicePort']);
      if (path === '' || at === 0 || program === 0) return [];
      return [{ path, at, program, speaksHttp2: said['Protocol'] === 'http2' }];
    });
}

/** With these an Envoy begins: `connect envoy` has written them into its configuration. */
const BEGUN_WITH =
  /^envoy_(?:statsd_url|dogstatsd_url|stats_\w+|prometheus_bind_addr|tracing_json|extra_\w+_json)$/;
const OF_GATEWAYS: ReadonlySet<string> = new Set([
  ...['bind_address', 'bind_port', 'connect_timeout_ms'],
  ...['envoy_gateway_bind_addresses', 'envoy_gateway_bind_tagged_addresses'],
  'envoy_gateway_no_default_bind',
]);

function unheededIn(kind: ProxyKind, proxy: Said): readonly string[] {
  const isSidecar = kind === 'connect-proxy';
  const config = objectIn(proxy['Config']);
  const names = isSidecar
    ? ownRulesIn(config).unheeded
    : Object.keys(config).filter((name) => !OF_GATEWAYS.has(name) && isSaid(config[name]));
  const upstreams = listIn(proxy['Upstreams']);
  return [
    ...names.filter((name) => !BEGUN_WITH.test(name)).map((name) => `Config.${name}`),
    ...MODES.flatMap(([name, isSaidIn]) => (isSaidIn(proxy) ? [name] : [])),
    ...(isSidecar ? upstreams.flatMap(unheededOf) : upstreams.slice(0, 1).map(() => 'Upstreams')),
  ];
}

/** What stands beside the configuration, and when it says something. */
const MODES: readonly (readonly [name: string, isSaidIn: (proxy: Said) => boolean])[] = [
  ['Mode', ({ Mode }) => Mode === 'transparent'],
  ['MutualTLSMode', ({ MutualTLSMode }) => MutualTLSMode === 'permissive'],
  ['MeshGateway', ({ MeshGateway }) => isByGateway(MeshGateway)],
  ['Expose.Checks', ({ Expose }) => objectIn(Expose)['Checks'] === true],
  ['AccessLogs', ({ AccessLogs }) => objectIn(AccessLogs)['Enabled'] === true],
  ['EnvoyExtensions', ({ EnvoyExtensions }) => listIn(EnvoyExtensions).length > 0],
];

function unheededOf(upstream: Said): readonly string[] {
  const of = `of the upstream ${textIn(upstream['DestinationName'])}`;
  const { unheeded } = callRulesIn(upstream['Config']);
  return [
    ...unheeded.map((name) => `Config.${name} ${of}`),
    ...(isByGateway(upstream['MeshGateway']) ? [`MeshGateway ${of}`] : []),
    ...(upstreamIn(upstream).length === 0 ? [`all ${of}, which has no name or no port`] : []),
  ];
}

/** Those lead through a gateway; hosts are called by themselves here. */
function isByGateway(said: unknown): boolean {
  return ['local', 'remote'].includes(textIn(objectIn(said)['Mode']));
}

function isSaid(value: unknown): boolean {
  const isObject = typeof value === 'object' && value !== null;
  return isObject ? Object.keys(value).length > 0 : Boolean(value);
}

function upstreamIn(said: Said): Upstream[] {
  const name = nameIn(said['DestinationName']);
  const port = portIn(said['LocalBindPort']);
  if (name === '' || port === 0) return [];
  const host = addressIn(said['LocalBindAddress']) || LOCAL;
  const isQuery = said['DestinationType'] === 'prepared_query';
  const datacenter = textIn(said['Datacenter']);
  return [{ name, isQuery, datacenter, at: { host, port }, config: objectIn(said['Config']) }];
}

/** Where a gateway listens beside its own address, or instead of it: as `-bind-address` registers it. */
export function bindings({ listens, tagged, config }: Registration): readonly Place[] {
  const more = Object.values(objectIn(config['envoy_gateway_bind_addresses'])).flatMap((each) => {
    const { Address, address, Port, port } = objectIn(each);
    const host = addressIn(address ?? Address);
    return host === '' ? [] : [{ host, port: portIn(port ?? Port) || listens.port }];
  });
  const isOwn = config['envoy_gateway_no_default_bind'] !== true;
  const isTagged = config['envoy_gateway_bind_tagged_addresses'] === true;
  const all = [...(isOwn ? [listens] : []), ...(isTagged ? tagged : []), ...more];
  // Two listeners at one place: the second would be refused.
  return [...new Map(all.map((each) => [placeKey(each), each])).values()];
}

/** One address may be written in several ways. */
function placeKey({ host, port }: Place): string {
  return `${ipBytes(host)?.toString('hex')} ${port}`;
}

/** As far as Envoy can count. */
export const MOST = 0xffff_ffff;

/** A whole number above 0, as large as Envoy can count; else 0. Counts are written as texts too. */
export function numberIn(said: unknown): number {
  const number = Number(said);
  return Number.isSafeInteger(number) && number > 0 ? Math.min(number, MOST) : 0;
}

function msOf(said: unknown): Message | undefined {
  const ms = numberIn(said);
  return ms === 0 ? undefined : durationOfMs(ms);
}
