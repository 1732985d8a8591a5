/** What config entries say of the proxies of a service, for agents and for answers that are filled in. */

import {
  type CentralDefaults,
  type DefaultsOf,
  defaultsKey,
  defaultsOf,
  type Fields,
  type UpstreamDefaults,
  withDefaults,
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
import type { Instance } from '../../lib/model.ts';
import { LATER_PROXY_FIELDS } from '../../lib/proxy-schema.ts';
import type { ChainEntries } from '../chain/chain.ts';
import { destinationOf } from '../state/catalog.ts';
import type { ConfigReader } from './config-reader.ts';
import { keyOf, type Query } from './query.ts';
import type { Reader } from './reader.ts';

/** Beyond so many names, of all of its proxies, an answer is made anew whichever entry of defaults changes. */
const MAX_BY_NAME = 64;

export function centralDefaults(of: DefaultsOf): Query {
  return {
    key: keyOf('central-defaults', of.service, ...of.upstreams),
    run: (reader) => {
      const byName = of.upstreams.length <= MAX_BY_NAME;
      return { json: defaultsIn(reader.config.proxyEntries(of.service, byName), of) };
    },
  };
}

/** What an instance is filled in with. */
export interface Filled {
  readonly defaults: CentralDefaults | undefined;
  /** The address that its service has of its own. */
  readonly virtual: string | undefined;
}

/**
 * What the instances of an answer are filled in with, each kind of proxy once: all of them where that is
 * asked for (`?merge-central-config`), else those of a proxy that is transparent, which no Consul of before
 * virtual addresses knows, with the address alone.
 */
export class Filling {
  readonly #reader: Reader;
  readonly #config: ConfigReader;
  readonly #isAsked: boolean;
  readonly #known = new Map<string, CentralDefaults>();
  #names = 0;

  constructor(reader: Reader, isAsked: boolean) {
    this.#reader = reader;
    this.#config = reader.config;
    this.#isAsked = isAsked;
  }

  /** Undefined where the instance stays as it was registered: also where its service may not be seen. */
  of(instance: Instance): Filled | undefined {
    if (!this.#isAsked && instance.Proxy['Mode'] !== 'transparent') return undefined;
    const destination = destinationOf(instance) ?? '';
    const virtual = destination === '' ? undefined : this.#reader.virtualAddressOf(destination);
    const of = this.#isAsked ? defaultsOf(instance) : undefined;
    const sees = of !== undefined && this.#config.sees(of.service);
    const defaults = sees ? this.#defaults(of) : undefined;
    return virtual === undefined && defaults === undefined ? undefined : { virtual, defaults };
  }

  #defaults(of: DefaultsOf): CentralDefaults {
    const key = defaultsKey(of);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#names += 1 + of.upstreams.length;
    const byName = this.#names <= MAX_BY_NAME;
    const made = defaultsIn(this.#config.proxyEntries(of.service, byName), of);
    this.#known.set(key, made);
    return made;
  }
}

const VIRTUAL = 'consul-virtual';

export function filledWith(instance: Instance, filled: Filled | undefined): Instance {
  if (filled === undefined) return instance;
  const { virtual, defaults } = filled;
  const whole = defaults === undefined ? instance : withDefaults(instance, defaults);
  if (virtual === undefined) return whole;
  const own = { Address: virtual, Port: instance.Port };
  return { ...whole, TaggedAddresses: { ...whole.TaggedAddresses, [VIRTUAL]: own } };
}

function defaultsIn(entries: ChainEntries, of: DefaultsOf): CentralDefaults {
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
  const override = byNameOf(Overrides).get(Name.toLowerCase());
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

type Named = Readonly<{ Name?: string }>;
const BY_NAME = new WeakMap<readonly Named[], ReadonlyMap<string, Named>>();

/** Put together once an entry, not for each of the upstreams of all of the proxies. The first of a name counts. */
function byNameOf(overrides: readonly Named[]): ReadonlyMap<string, Named> {
  const known = BY_NAME.get(overrides);
  if (known !== undefined) return known;
  const named = overrides.filter(({ Name }) => Name !== undefined);
  const pairs = named.map((each) => [(each.Name as string).toLowerCase(), each] as const);
  const made = new Map(pairs.reverse());
  BY_NAME.set(overrides, made);
  return made;
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
