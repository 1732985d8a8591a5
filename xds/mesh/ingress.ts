/** An ingress gateway: lets calls from outside into the mesh, port by port, as its config entry says. */
import { createHash } from 'node:crypto';
import { type IngressSaid, ingressNames } from '../../lib/config-entries/ingress-names.ts';
import { inPath } from '../../lib/well-formed.ts';
import { listIn, objectIn, portIn, type Said, textIn, textsIn } from '../../sidecar/said.ts';
import type { LeaveOut } from '../omissions.ts';
import type { Message, Resource } from '../resource.ts';
import { isHost } from '../resources/acceptable.ts';
import { isHttp } from '../resources/chain.ts';
import { asked } from '../resources/endpoints.ts';
import {
  type FilterChain,
  httpConnections,
  httpFilter,
  listener,
  tcpFilter,
} from '../resources/listeners.ts';
import { headerChanges, routeConfiguration, type VirtualHost } from '../resources/routes.ts';
import { gatewayTls, type Identity, identityOf, type Secret } from './identity.ts';
import type { MeshProxy, Registered, Seen } from './proxy.ts';
import { bindings, isOf, nameIn, type Registration } from './registration.ts';
import { tlsParams } from './tls-params.ts';
import {
  type Called,
  called,
  clustersOf,
  endNames,
  endOf,
  endpointsOf,
  routesIn,
  unique,
} from './upstreams.ts';

export const INGRESS: MeshProxy = {
  clusters: (seen) => unique(behind(seen).flatMap((each) => clustersOf(seen, each.called))),
  endpoints: (seen, name) => endpointsOf(seen, calledBy, name),
  routes: (seen, name) =>
    ports(seen, name).flatMap(({ port, isRouted, behind: all }) => {
      if (!isRouted) return [];
      return [routeConfiguration(routeName(port), hostsOf(seen, port, all))];
    }),
  listeners: (seen) => ports(seen).flatMap((each) => listenersOf(seen, each)),
  names: {
    endpoints: (seen) => endNames(seen, calledBy),
    routes: (seen) =>
      ports(seen)
        .filter(({ isRouted }) => isRouted)
        .map(({ port }) => routeName(port)),
  },
};

/** A service that is called through the gateway, at one of its ports. */
interface Behind {
  readonly port: number;
  readonly isRouted: boolean;
  /** Of requests; those that it has by its name where nobody says others. */
  readonly hosts: readonly string[];
  readonly called: Called;
  /** What the entry says of it there. */
  readonly said: Said;
}

interface Port {
  readonly port: number;
  readonly isRouted: boolean;
  readonly behind: readonly Behind[];
}

function entryOf({ know, registration: { service } }: Registered): Said {
  return objectIn(know(asked(`/v1/config/ingress-gateway/${inPath(service)}`)));
}

/** At all ports together: for each some questions are followed. */
const MAX_SERVICES = 2000;
const TOO_MANY = `it leads to more than ${MAX_SERVICES}`;

/** As the catalog lists them: it knows what services `*` means. `at`: whose routes are told by that name, or `*`. */
function behind(seen: Registered, at = '*'): readonly Behind[] {
  const { know, registration } = seen;
  const path = `/v1/catalog/gateway-services/${inPath(registration.service)}`;
  const [rows, entry] = [listIn(know(asked(path))), entryOf(seen)];
  for (const row of rows.slice(MAX_SERVICES)) {
    know.omit(`${JSON.stringify(row['Service'])}, which an ingress leads to,`, TOO_MANY);
  }
  return rows.slice(0, MAX_SERVICES).flatMap((row) => {
    const [name, port] = [nameIn(objectIn(row['Service'])['Name']), portIn(row['Port'])];
    // A port of which the entry says nothing, not yet or not any more, would be open in the clear.
    const isSaid = listenerIn(entry, port) !== undefined;
    const isMeant = isSaid && (at === '*' || at === routeName(port));
    if (name === '' || !isMeant || !isOf(row, 'ingress-gateway')) return [];
    const said = saidOf(entry, port, name);
    const upstream = {
      name,
      isQuery: false,
      datacenter: '',
      config: limitsIn(entry, said, registration),
    };
    return [
      {
        ...{ port, said, hosts: textsIn(row['Hosts']) },
        isRouted: isHttp(textIn(row['Protocol'])),
        called: called(know, upstream),
      },
    ];
  });
}

function calledBy(seen: Registered): readonly Called[] {
  return behind(seen).map((each) => each.called);
}

function ports(seen: Seen, at = '*'): readonly Port[] {
  const byPort = new Map<number, Behind[]>();
  for (const each of behind(seen, at)) {
    byPort.set(each.port, [...(byPort.get(each.port) ?? []), each]);
  }
  return [...byPort].map(([port, all]) => ({
    ...{ port, behind: all },
    isRouted: all[0]?.isRouted === true,
  }));
}

function listenerIn(entry: Said, port: number): Said | undefined {
  if (port === 0) return undefined;
  return listIn(entry['Listeners']).find((each) => portIn(each['Port']) === port);
}

function saidOf(entry: Said, port: number, name: string): Said {
  const all = listIn(listenerIn(entry, port)?.['Services']);
  const named = (wanted: string) => all.find((each) => textIn(each['Name']) === wanted);
  return named(name) ?? named('*') ?? {};
}

/** By the names that upstreams of proxies have for them. */
function limitsIn(entry: Said, said: Said, { config }: Registration): Said {
  const byDefault = objectIn(entry['Defaults']);
  const limit = (name: string) => said[name] ?? byDefault[name];
  return {
    connect_timeout_ms: config['connect_timeout_ms'],
    limits: {
      max_connections: limit('MaxConnections'),
      max_pending_requests: limit('MaxPendingRequests'),
      max_concurrent_requests: limit('MaxConcurrentRequests'),
    },
    passive_health_check: limit('PassiveHealthCheck'),
  };
}

const routeName = (port: number) => String(port);

function listenersOf(seen: Seen, { port, isRouted, behind: all }: Port): Resource[] {
  const { registration } = seen;
  const [first] = all;
  if (first === undefined) return [];
  const id = isRouted ? routeName(port) : first.called.id;
  const filters = isRouted
    ? [httpFilter(httpConnections({ name: id, routing: { routes: id } }))]
    : [tcpFilter(id, endOf(first.called))];
  const chains = chainsFor(seen, port, all, filters);
  // Envoy refuses a listener that takes nothing.
  if (chains.length === 0) return [];
  const hosts = new Set(bindings(registration).map(({ host }) => host));
  return [...hosts].map((host) =>
    listener({
      ...{ name: `${id}:${host}:${port}`, host, port, direction: 'OUTBOUND' },
      chains,
      uses: isRouted ? [id] : [],
    }),
  );
}

/**
 * One for each service that has a certificate of its own, by the names that TLS asks for, and one for all others:
 * where the entry names a certificate of anybody's there, nobody is answered in the clear, though none can be shown.
 */
function chainsFor(
  seen: Seen,
  port: number,
  all: readonly Behind[],
  filters: readonly Message[],
): readonly FilterChain[] {
  const { know } = seen;
  const entry = entryOf(seen);
  const identity = shownOutside(seen, entry);
  const at = listenerIn(entry, port);
  const tls = [at?.['TLS'], entry['TLS']].map(objectIn);
  const omit: LeaveOut = (what, why) => know.omit(`${what} at ${port}`, why);
  const params = tlsParams(tls, omit);
  const named = ownCertificates(all, tls, omit).map(
    ({ secret, names }): FilterChain => ({
      filter_chain_match: { server_names: names },
      filters,
      transport_socket: gatewayTls(identity, params, secret),
    }),
  );
  const secret = secretIn(tls);
  if (secret !== undefined || tls.some((each) => each['Enabled'] === true)) {
    return [...named, { filters, transport_socket: gatewayTls(identity, params, secret) }];
  }
  const services = listIn(at?.['Services']).map((each) => objectIn(each['TLS']));
  if (![...tls, ...services].some(saysSecret)) return [...named, { filters }];
  if (named.length < all.length) omit('what is called without a certificate of its own', BY_TLS);
  return named;
}

/** With names of DNS. Among others of the mesh the gateway shows the one that says no more than who it is. */
function shownOutside({ identity, know, registration, domain }: Seen, entry: Said): Identity {
  const { datacenter } = identity;
  const names = ingressNames(entry as unknown as IngressSaid, { datacenter, domain });
  if (names.length === 0) return identity;
  const tag = createHash('sha1').update(JSON.stringify(names)).digest('base64url');
  return identityOf(know, registration.service, tag) ?? identity;
}

const BY_TLS = 'the entry names a certificate there, so nobody is answered in the clear';

function saysSecret(tls: Said): boolean {
  return Object.values(objectIn(tls['SDS'])).some((each) => textIn(each) !== '');
}

interface OwnCertificate {
  readonly secret: Secret;
  readonly names: readonly string[];
}

function ownCertificates(
  all: readonly Behind[],
  tls: readonly Said[],
  omit: LeaveOut,
): readonly OwnCertificate[] {
  // A name that two chains have would have the listener refused.
  const taken = new Set<string>();
  return all.flatMap(({ said, hosts, called: { id } }) => {
    const own = objectIn(said['TLS']);
    if (!saysSecret(own)) return [];
    const what = `the certificate of ${JSON.stringify(id)}`;
    const secret = secretIn([own, ...tls]);
    if (secret === undefined || textIn(objectIn(own['SDS'])['CertResource']) === '') {
      omit(what, 'its SDS has no ClusterName, or no CertResource');
      return [];
    }
    const asked = hosts.map((each) => each.toLowerCase());
    const names = [...new Set(asked)].filter((each) => {
      if (each === '*' || !isHost(each)) return false;
      if (!taken.has(each)) return taken.add(each) !== undefined;
      omit(`${what} for ${JSON.stringify(each)}`, 'another one is shown by that name');
      return false;
    });
    if (names.length > 0) return [{ secret, names }];
    omit(what, 'it has no host whose name TLS could ask for');
    return [];
  });
}

/** Each field as the nearest says it. */
function secretIn(tls: readonly Said[]): Secret | undefined {
  const said = tls.map((each) => objectIn(each['SDS']));
  const field = (name: string) =>
    said.map((each) => textIn(each[name])).find((each) => each !== '');
  const [cluster, name] = [field('ClusterName'), field('CertResource')];
  return cluster === undefined || name === undefined ? undefined : { cluster, name };
}

function hostsOf({ know }: Seen, port: number, all: readonly Behind[]): VirtualHost[] {
  const taken = new Set<string>();
  // A name that two hosts have would have all refused.
  const isFree = (domain: string) => !taken.has(domain) && taken.add(domain) !== undefined;
  return all.flatMap(({ called: { id, chain }, hosts, said }) => {
    const omit: LeaveOut = (what, why) =>
      know.omit(`${what} of ${JSON.stringify(id)} at ${port}`, why);
    const isTold = (domain: string) => {
      const isName = isHost(domain.replace(/\.\*$/, ''));
      if (isName && isFree(domain)) return true;
      const why = isName ? 'it is there already' : 'it is no name of a host';
      omit(`the host ${JSON.stringify(domain)}`, why);
      return false;
    };
    const domains = domainsOf(id, hosts, port).filter(isTold);
    if (chain === undefined || domains.length === 0) return [];
    const more: Message = headerChanges(said, omit);
    return [{ name: id, domains, routes: routesIn(know, chain), ...more }];
  });
}

/** A port may stand behind the name of a host; behind the star at the end of one it stands already. */
function domainsOf(service: string, hosts: readonly string[], port: number): readonly string[] {
  if (hosts.length === 0) return [`${service.toLowerCase()}.ingress.*`];
  return hosts.flatMap((host) => {
    const name = host.toLowerCase();
    return name === '*' ? [name] : [name, `${name}:${port}`];
  });
}
