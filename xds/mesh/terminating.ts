/** A terminating gateway: stands in the mesh for services outside of it, each with its own certificate. */
import { isIP } from 'node:net';
import { inPath } from '../../lib/well-formed.ts';
import { listIn, objectIn, type Said, textIn } from '../../sidecar/said.ts';
import type { Message, Resource } from '../resource.ts';
import { isHost } from '../resources/acceptable.ts';
import { chainOf, isHttp, isHttp2 } from '../resources/chain.ts';
import { cluster, namedCluster } from '../resources/clusters.ts';
import { asked, assignment, type Level, levelOf } from '../resources/endpoints.ts';
import { type FilterChain, listener } from '../resources/listeners.ts';
import { identityOf, outsideTls } from './identity.ts';
import type { MeshProxy, Seen } from './proxy.ts';
import { inboundIn, inboundName, routesOfWay, type WayIn, wayIn } from './public.ts';
import { bindings, isOf, nameIn } from './registration.ts';
import { nameInMesh, servicesNamed, subsetsOf } from './subsets.ts';

export const TERMINATING: MeshProxy = {
  clusters: (seen) => endsIn(seen, linked(seen)).map((each) => clusterOf(seen, each)),
  endpoints: (seen, wanted) => {
    const { datacenter: region } = seen.identity;
    return endsNamed(seen, wanted)
      .filter(isFound)
      .map(({ name, level }) => assignment(name, { region, levels: [level] }));
  },
  routes: (seen, wanted) =>
    endsNamed(seen, wanted === '*' ? wanted : (inboundIn(wanted) ?? '')).flatMap((end) => {
      const way = wayTo(seen, end);
      return way === undefined ? [] : routesOfWay(seen.know, way);
    }),
  listeners: (seen) => {
    const ways = endsIn(seen, linked(seen)).flatMap((each) => wayTo(seen, each) ?? []);
    const chains = ways.map((way) => chainFor(seen, way));
    const uses = ways
      .filter(({ protocol }) => isHttp(protocol))
      .map(({ name }) => inboundName(name));
    if (chains.length === 0) return [];
    return bindings(seen.registration).map(({ host, port }) => {
      const name = `terminating:${host}:${port}`;
      return listener({ name, host, port, direction: 'INBOUND', chains, uses });
    });
  },
  names: {
    endpoints: (seen) =>
      endsNamed(seen, '*')
        .filter(isFound)
        .map(({ name }) => name),
    routes: (seen) => endsNamed(seen, '*').map(({ name }) => inboundName(name)),
  },
};

/** Each has a certificate of its own, and half a dozen questions that are followed for it. */
const MAX_SERVICES = 1000;
const TOO_MANY = `it stands for more than ${MAX_SERVICES}`;

/** A service that the gateway stands for. */
interface Linked {
  readonly service: string;
  readonly said: Said;
}

/** As the catalog lists them: it knows what services `*` means. */
function linked({ know, registration: { service } }: Seen): readonly Linked[] {
  const rows = listIn(know(asked(`/v1/catalog/gateway-services/${inPath(service)}`)));
  const all = rows.map((said) => ({ service: nameIn(objectIn(said['Service'])['Name']), said }));
  const linked = all.filter(
    ({ service: name, said }) => name !== '' && isOf(said, 'terminating-gateway'),
  );
  for (const { service: name } of linked.splice(MAX_SERVICES)) {
    know.omit(`${JSON.stringify(name)}, which a gateway stands for,`, TOO_MANY);
  }
  return linked;
}

/** Where calls to it, or to a subset of it, end. */
interface End extends Linked {
  /** By which they ask for it in the mesh. */
  readonly name: string;
  readonly level: Level;
  readonly speaksHttp2: boolean;
}

/** Two of one name, `v1` of `web` and a service `v1.web`, would have all refused: the first is meant. */
function endsIn(seen: Seen, services: readonly Linked[]): readonly End[] {
  const byName = new Map<string, End>();
  for (const end of services.flatMap((each) => endsOf(seen, each))) {
    // In TLS names have no case.
    const key = end.name.toLowerCase();
    const fault = !isHost(key)
      ? 'TLS asks for no such name'
      : byName.has(key) && 'another one has that name in TLS';
    if (fault) seen.know.omit(`${JSON.stringify(end.name)}, which a gateway stands for,`, fault);
    else byName.set(key, end);
  }
  return [...byName.values()];
}

/** Of that name, or all (`*`). */
function endsNamed(seen: Seen, wanted: string): readonly End[] {
  if (wanted === '*') return endsIn(seen, linked(seen));
  const meant = servicesNamed(seen.identity, wanted);
  const services = linked(seen).filter(({ service }) => meant.includes(service));
  return endsIn(seen, services).filter(({ name }) => name === wanted);
}

function endsOf(seen: Seen, { service, said }: Linked): readonly End[] {
  const { know, identity } = seen;
  const speaksHttp2 = isHttp2(chainOf(know, service)?.Protocol ?? '');
  return subsetsOf(know, service).map(({ subset, filter, passing }) => {
    const path = `/v1/health/service/${inPath(service)}`;
    const level = levelOf(know, asked(path, { filter, passing }));
    return { service, said, name: nameInMesh(identity, service, subset), level, speaksHttp2 };
  });
}

/** Services outside have names as often as addresses. */
function isNamed(level: Level): boolean {
  return level.some(({ address }) => isIP(address) === 0);
}

/** By endpoint discovery, and not by Envoy itself. */
function isFound({ level }: End): boolean {
  return !isNamed(level);
}

function clusterOf({ registration }: Seen, { name, said, level, speaksHttp2 }: End): Resource {
  const { connectTimeout } = registration;
  const authorities = textIn(said['CAFile']);
  const more: Message =
    authorities === ''
      ? {}
      : {
          transport_socket: outsideTls({
            ...{ authorities, sni: textIn(said['SNI']) },
            ...{ certificate: textIn(said['CertFile']), key: textIn(said['KeyFile']) },
          }),
        };
  if (isNamed(level)) return namedCluster({ name, level, connectTimeout, speaksHttp2, more });
  return cluster({ name, endpoints: name, connectTimeout, speaksHttp2, more });
}

function keepsHost({ know, registration }: Seen, service: string): boolean {
  const path = `/v1/config/terminating-gateway/${inPath(registration.service)}`;
  const all = listIn(objectIn(know(asked(path)))['Services']);
  const named = (wanted: string) => all.find(({ Name }) => textIn(Name) === wanted);
  return (named(service) ?? named('*'))?.['DisableAutoHostRewrite'] === true;
}

/** Without its certificate, which the token may not have, nobody can be that service. */
function wayTo(seen: Seen, { service, name, level }: End): WayIn | undefined {
  const { know, callsByDefault, takesLongPatterns } = seen;
  const identity = identityOf(know, service);
  if (identity === undefined) return undefined;
  const protocol = chainOf(know, service)?.Protocol ?? '';
  // Whoever is called by a name expects to be asked for by it.
  const isRewritten = isNamed(level) && !keepsHost(seen, service);
  const more = isRewritten ? { auto_host_rewrite: { value: true } } : {};
  const how = { identity, callsByDefault, takesLongPatterns };
  return { name, service, protocol, cluster: name, more, ...how };
}

function chainFor({ know }: Seen, way: WayIn): FilterChain {
  return {
    filter_chain_match: { server_names: [way.name.toLowerCase()] },
    ...wayIn(know, way),
  };
}
