/** What config entries say of the proxies of a service, for agents and for answers that are filled in. */

import type {
  CentralDefaults,
  DefaultsOf,
  Fields,
  UpstreamDefaults,
} from '../../lib/central-defaults.ts';
import {
  GLOBAL,
  PROXY_DEFAULTS,
  type ProxyDefaults,
} from '../../lib/config-entries/kinds/proxy-defaults.ts';
import {
  SERVICE_DEFAULTS,
  type ServiceDefaults,
} from '../../lib/config-entries/kinds/service-defaults.ts';
import { upstreamFields } from '../../lib/config-entries/proxying.ts';
import { asShown } from '../../lib/config-entries/shown.ts';
import { LATER_PROXY_FIELDS } from '../../lib/proxy-schema.ts';
import type { ChainEntries } from '../chain/chain.ts';
import { keyOf, type Query } from './query.ts';

export function centralDefaults(of: DefaultsOf): Query {
  return {
    key: keyOf('central-defaults', of.service, ...of.upstreams),
    run: (reader) => ({ json: defaultsIn(reader.config.chainEntries(of.service), of) }),
  };
}

export function defaultsIn(entries: ChainEntries, of: DefaultsOf): CentralDefaults {
  const everywhere = entries.entryOf(PROXY_DEFAULTS, GLOBAL);
  const own = entries.entryOf(SERVICE_DEFAULTS, of.service);
  return {
    Proxy: proxyOf(everywhere, own),
    Upstreams: of.upstreams.flatMap((name) => {
      const upstream = entries.entryOf(SERVICE_DEFAULTS, name);
      const said = upstreamOf(name, { everywhere, own, upstream });
      return isEmpty(said.Config) && isEmpty(said.MeshGateway) ? [] : [said];
    }),
  };
}

/** As a proxy's own configuration calls what a service says once of all of its instances. */
const CONFIG_OF_SERVICE: Readonly<Record<string, string>> = {
  Protocol: 'protocol',
  MaxInboundConnections: 'max_inbound_connections',
  LocalConnectTimeoutMs: 'local_connect_timeout_ms',
  LocalRequestTimeoutMs: 'local_request_timeout_ms',
  BalanceInboundConnections: 'balance_inbound_connections',
};

function proxyOf(everywhere: ProxyDefaults | undefined, own: ServiceDefaults | undefined): Fields {
  const config = { ...everywhere?.Config, ...renamed(own, CONFIG_OF_SERVICE) };
  const layers: readonly Fields[] = [{ ...everywhere }, { ...own }];
  const inLayers = (name: string) => Object.assign({}, ...layers.map((each) => said(each[name])));
  const saidLast = (name: string) => layers.map((each) => each[name]).findLast(isSaid);
  const later = LATER_PROXY_FIELDS.map((name) => [name, saidLast(name)] as const);
  return {
    ...(!isEmpty(config) && { Config: config }),
    MeshGateway: inLayers('MeshGateway'),
    Expose: inLayers('Expose'),
    ...Object.fromEntries(later.filter(([, value]) => value !== undefined)),
  };
}

interface Layers {
  readonly everywhere: ProxyDefaults | undefined;
  /** Of the service whose proxy it is. */
  readonly own: ServiceDefaults | undefined;
  /** Of the one that it calls. */
  readonly upstream: ServiceDefaults | undefined;
}

const CONFIG_OF_UPSTREAM: Readonly<Record<string, string>> = {
  Protocol: 'protocol',
  ConnectTimeoutMs: 'connect_timeout_ms',
  EnvoyListenerJSON: 'envoy_listener_json',
  EnvoyClusterJSON: 'envoy_cluster_json',
  BalanceOutboundConnections: 'balance_outbound_connections',
  Limits: 'limits',
  PassiveHealthCheck: 'passive_health_check',
};

function upstreamOf(Name: string, { everywhere, own, upstream }: Layers): UpstreamDefaults {
  const { Defaults, Overrides = [] } = own?.UpstreamConfig ?? {};
  const override = Overrides.find((each) => each.Name?.toLowerCase() === Name.toLowerCase());
  const layers = [Defaults, override].map((each) => asShown(upstreamFields, { ...each }));
  const protocol = everywhere?.Config?.['protocol'] ?? null;
  const gateways = layers.map((each) => said(each['MeshGateway']));
  return {
    Name,
    Config: Object.assign(
      { ...(protocol !== null && { protocol }) },
      renamed(upstream, { Protocol: 'protocol' }),
      ...layers.map((each) => renamed(each, CONFIG_OF_UPSTREAM)),
    ),
    MeshGateway: Object.assign({}, ...gateways),
  };
}

function renamed(from: object | undefined, names: Readonly<Record<string, string>>): Fields {
  const fields: Fields = { ...from };
  const there = Object.entries(names).filter(([name]) => isSaid(fields[name]));
  return Object.fromEntries(there.map(([name, to]) => [to, fields[name]]));
}

/** The members of a struct that say something. */
function said(struct: unknown): Fields {
  return Object.fromEntries(Object.entries(struct ?? {}).filter(([, value]) => isSaid(value)));
}

function isSaid(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? !isEmpty(value) : Boolean(value);
}

function isEmpty(map: object): boolean {
  return Object.keys(map).length === 0;
}
