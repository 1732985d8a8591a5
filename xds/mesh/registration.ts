/** How a proxy or a gateway is registered with its agent. */
import { MAX_UPSTREAMS } from '../../lib/limits.ts';
import { addressIn, listIn, objectIn, portIn, type Said, textIn } from '../../sidecar/said.ts';
import type { Know } from '../derived.ts';
import { inPath, isWellFormed } from '../well-formed.ts';

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
  /** Behind a proxy. */
  readonly program: Place;
  readonly config: Said;
  readonly upstreams: readonly Upstream[];
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

/** Of a service; '' for what nobody can be called by. */
export function nameIn(said: unknown): string {
  const name = textIn(said);
  return isWellFormed(name) ? name : '';
}

const LOCAL = '127.0.0.1';
const EVERYWHERE = '0.0.0.0';

/** Undefined while nothing that Envoy could be is registered by this id. */
export function registeredAs(know: Know, id: string): Registration | undefined {
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
    listens: {
      host: addressIn(config['bind_address']) || addressIn(said['Address']) || EVERYWHERE,
      port: portIn(config['bind_port']) || portIn(said['Port']),
    },
    program: {
      host: addressIn(proxy['LocalServiceAddress']) || LOCAL,
      port: portIn(proxy['LocalServicePort']),
    },
    upstreams: listIn(proxy['Upstreams']).slice(0, MAX_UPSTREAMS).flatMap(upstreamIn),
  };
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
export function bindings({ listens, config }: Registration): readonly Place[] {
  const more = Object.values(objectIn(config['envoy_gateway_bind_addresses'])).flatMap((each) => {
    const { Address, address, Port, port } = objectIn(each);
    const host = addressIn(address ?? Address);
    return host === '' ? [] : [{ host, port: portIn(port ?? Port) || listens.port }];
  });
  const isOwn = config['envoy_gateway_no_default_bind'] !== true;
  const all = [...(isOwn ? [listens] : []), ...more];
  // Two listeners at one place: the second would have all refused.
  return [...new Map(all.map((each) => [`${each.host} ${each.port}`, each])).values()];
}

const MOST = 0xffff_ffff;

/** A whole number above 0, as large as Envoy can count; else 0. Counts are written as texts too. */
export function numberIn(said: unknown): number {
  const number = Number(said);
  return Number.isSafeInteger(number) && number > 0 ? Math.min(number, MOST) : 0;
}
