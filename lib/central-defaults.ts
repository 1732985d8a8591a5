/**
 * What config entries say of a proxy (`enable_central_service_config`), and how a registration takes it
 * over: what it says itself goes before, and what it leaves empty is filled in.
 */
import type { ProxyConfig, ServiceDefinition } from './model.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** POST, with whose they are: CentralDefaults. Agents ask servers. */
export const CENTRAL_DEFAULTS_PATH = '/v1/internal/central-defaults';

export interface CentralDefaults {
  /** Of the proxy: parts of it, as a registration says them. */
  readonly Proxy: Fields;
  /** Of those upstreams of which something is said. */
  readonly Upstreams: readonly UpstreamDefaults[];
}

export interface UpstreamDefaults {
  readonly Name: string;
  readonly Config: Fields;
  readonly MeshGateway: Fields;
}

/** Whose defaults a proxy takes over. */
export interface DefaultsOf {
  readonly service: string;
  /** Those that it calls: each once, in order. */
  readonly upstreams: readonly string[];
}

export interface KnownDefaults {
  /** Since when it is so. */
  readonly index: number;
  readonly defaults: CentralDefaults;
}

/** What an agent asks servers for its proxies. */
export interface DefaultsPort {
  /** Once they have another index than the one seen, or the wait is over. */
  defaults(
    of: DefaultsOf,
    token: string,
    wait: { readonly seenIndex: number; readonly waitMs: number },
    signal: AbortSignal,
  ): Promise<KnownDefaults>;
}

/** Proxies that take over the same have one. */
export function defaultsKey({ service, upstreams }: DefaultsOf): string {
  return JSON.stringify([service, ...upstreams]);
}

const GATEWAYS = new Set(['mesh-gateway', 'terminating-gateway', 'ingress-gateway']);

/**
 * Undefined for what takes nothing over: whatever is no proxy and, as in Consul, a proxy that does not
 * say whose sidecar it is.
 */
export function defaultsOf(service: ServiceDefinition): DefaultsOf | undefined {
  const { Kind, Service, Proxy: proxy } = service;
  if (GATEWAYS.has(Kind)) return { service: Service, upstreams: [] };
  const destination = proxy['DestinationServiceName'];
  if (Kind !== 'connect-proxy' || !proxy['DestinationServiceID']) return undefined;
  if (typeof destination !== 'string' || destination === '') return undefined;
  const names = upstreamsOf(proxy).filter(isService).map(nameOf);
  return { service: destination, upstreams: [...new Set(names)].sort() };
}

export function withDefaults<S extends ServiceDefinition>(service: S, from: CentralDefaults): S {
  const own = service.Proxy;
  const proxy = filled(own, from.Proxy) as ProxyConfig;
  const upstreams = upstreamsOf(own);
  if (upstreams.length === 0) return { ...service, Proxy: proxy };
  const said = new Map(from.Upstreams.map((each) => [each.Name.toLowerCase(), each]));
  const Upstreams = upstreams.map((upstream) => {
    if (!isService(upstream)) return upstream;
    const central = said.get(nameOf(upstream).toLowerCase());
    const gateway = filled(upstream['MeshGateway'], central?.MeshGateway);
    return {
      ...upstream,
      ...(central !== undefined && { Config: filled(upstream['Config'], central.Config) }),
      // How the proxy reaches others, unless something is said of this one.
      MeshGateway: filled(gateway, proxy['MeshGateway']) ?? {},
    };
  });
  return { ...service, Proxy: { ...proxy, Upstreams } };
}

function upstreamsOf(proxy: ProxyConfig): readonly Fields[] {
  const upstreams = proxy['Upstreams'];
  return Array.isArray(upstreams) ? upstreams : [];
}

function isService({ DestinationType: type }: Fields): boolean {
  return type === undefined || type === '' || type === 'service';
}

function nameOf({ DestinationName: name }: Fields): string {
  return typeof name === 'string' ? name : '';
}

/** Maps are filled in member by member, at any depth. To Consul a 0, a false and a [] are empty too. */
function filled(own: unknown, central: unknown): unknown {
  if (isEmpty(own)) return isEmpty(central) ? (own ?? central) : central;
  if (!isMap(own) || !isMap(central)) return own;
  const names = new Set([...Object.keys(own), ...Object.keys(central)]);
  // Names are users': __proto__ is one like any other.
  const at = (map: Fields, name: string) => (Object.hasOwn(map, name) ? map[name] : undefined);
  return Object.fromEntries(
    [...names].sort().map((name) => [name, filled(at(own, name), at(central, name))]),
  );
}

function isMap(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !value;
}
