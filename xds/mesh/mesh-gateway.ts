/** A mesh gateway: passes on what it cannot read, to the service that a connection's TLS asks for. */

import { inPath, isWellFormed } from '../../lib/well-formed.ts';
import { objectIn } from '../../sidecar/said.ts';
import type { Resource } from '../resource.ts';
import { isHost } from '../resources/acceptable.ts';
import { cluster } from '../resources/clusters.ts';
import { asked, assignment, levelOf } from '../resources/endpoints.ts';
import { listener, sniFilters } from '../resources/listeners.ts';
import type { Know } from '../worked.ts';
import type { MeshProxy, Seen } from './proxy.ts';
import { bindings } from './registration.ts';
import { nameInMesh, type Subset, servicesNamed, subsetsOf } from './subsets.ts';

/** Each has a cluster, and questions that are followed for it. */
const MAX_SERVICES = 2000;

export const MESH_GATEWAY: MeshProxy = {
  clusters: clustersFor,
  endpoints: (seen, wanted) => {
    const services = wanted === '*' ? servicesIn(seen.know) : servicesNamed(seen.identity, wanted);
    return endsOf(seen, services)
      .filter(({ name }) => wanted === '*' || wanted === name)
      .map((each) => endpointsOf(seen, each));
  },
  routes: () => [],
  listeners: ({ registration, identity }) => {
    const { datacenter, trustDomain } = identity;
    // Of other data centres nobody here knows anything, nor of what else there is in this Envoy.
    const filter_chain_match = { server_names: [`*.${datacenter}.internal.${trustDomain}`] };
    return bindings(registration).map(({ host, port }) => {
      const name = `mesh:${host}:${port}`;
      const chains = [{ filter_chain_match, filters: sniFilters(name) }];
      return listener({ name, host, port, direction: 'INBOUND', chains });
    });
  },
  names: {
    endpoints: (seen) => endsOf(seen, servicesIn(seen.know)).map(({ name }) => name),
    routes: () => [],
  },
};

interface End {
  readonly name: string;
  readonly service: string;
  readonly subset: Subset;
}

function endsOf({ know, identity }: Seen, services: readonly string[]): readonly End[] {
  return services.flatMap((service) =>
    subsetsOf(know, service).map((subset) => {
      const name = nameInMesh(identity, service, subset.subset);
      return { name, service, subset };
    }),
  );
}

/** In TLS names have no case: of two that differ by it alone the first is meant, and what is no name there nobody asks for. */
function clustersFor(seen: Seen): readonly Resource[] {
  const byName = new Map<string, Resource>();
  const { connectTimeout } = seen.registration;
  for (const { name: endpoints } of endsOf(seen, servicesIn(seen.know))) {
    const name = endpoints.toLowerCase();
    const fault = !isHost(name)
      ? 'TLS asks for no such name'
      : byName.has(name) && 'another one has that name in TLS';
    if (fault)
      seen.know.omit(`${JSON.stringify(endpoints)}, which a mesh gateway passes on,`, fault);
    else byName.set(name, cluster({ name, endpoints, connectTimeout, ...UNREAD }));
  }
  return [...byName.values()];
}

function servicesIn(know: Know): readonly string[] {
  return Object.keys(objectIn(know(asked('/v1/catalog/services'))))
    .filter(isWellFormed)
    .sort()
    .slice(0, MAX_SERVICES);
}

/** TLS is between those who speak: here nothing of it is known. */
const UNREAD = { speaksHttp2: false, more: {} };

function endpointsOf({ know, identity }: Seen, { name, service, subset }: End): Resource {
  const { filter, passing } = subset;
  const path = `/v1/health/connect/${inPath(service)}`;
  const level = levelOf(know, asked(path, { filter, passing }));
  return assignment(name, { region: identity.datacenter, levels: [level] });
}
