/**
 * For whoever is no proxy of the mesh: each name is a service's, and there is something for each. Clients of gRPC
 * dial `xds:///web`, and come from its listener by its routes to clusters and their endpoints.
 */
import type { Compute } from './derived.ts';
import { isUsual, oneName, type Place, serviceNamed } from './names.ts';
import type { Kind, Message, Resource } from './resource.ts';
import { balancingOf, policiesOf } from './resources/balancing.ts';
import {
  type Chain,
  chainOf,
  durationOf,
  isHttp2,
  isPlain,
  type ResolverNode,
  resolversOf,
  targetLevels,
  targetsOf,
} from './resources/chain.ts';
import { cluster } from './resources/clusters.ts';
import { asked, assignment, namedLevel, taggedLevel, taggedOf } from './resources/endpoints.ts';
import { apiListener } from './resources/listeners.ts';
import { plainRoutes, type RoutedTo, routeConfiguration, routesOf } from './resources/routes.ts';
import type { Know } from './worked.ts';
import type { Apart, Named, Wanted, World } from './world.ts';

/** Who asks for all clusters gets so many. */
const MAX_CLUSTERS = 10_000;
/** Between a target of a chain and whose chain it is: a cluster that differs from the service's own. */
const OF = '@';

export class OpenWorld implements World {
  /** Whoever knows a service by its name asks for its endpoints alone. */
  readonly isUsedAlone = false;
  readonly #place: Place;
  readonly #policies: ReadonlyMap<string, string>;

  /** `program`: which the client is, as it says. */
  constructor(place: Place, program: string) {
    this.#place = place;
    this.#policies = policiesOf(program);
  }

  /** There are as many targets and tags of a service as anybody likes to name: of those that it does not have nothing is followed. */
  resources(kind: Kind, name: string): Wanted {
    const of = targetIn(name);
    if (of !== undefined && (kind === 'clusters' || kind === 'endpoints')) {
      return { name, among: this.#targets(kind, of.service) };
    }
    const tagged = kind === 'endpoints' ? this.#tagged(name) : undefined;
    return tagged === undefined
      ? this.#named(kind, name)
      : { name, among: this.#tags(tagged.name) };
  }

  #named(kind: Kind, name: string, compute = this.#computes[kind](name)): Named {
    const key = ['open', kind, name, ...this.#sort(kind)] as const;
    const what = `${kind} ${this.#whatIs(name)}`;
    return { key, compute, of: { what, name } };
  }

  #sort(kind: Kind): readonly string[] {
    const isBySort = kind === 'clusters' || kind === 'routes';
    return isBySort ? [...this.#policies].flat() : [];
  }

  #targets(kind: 'clusters' | 'endpoints', service: string): Apart {
    const region = this.#place.datacenter;
    const names = (know: Know) => {
      const chain = chainOf(know, service);
      const nodes = chain === undefined ? [] : resolversOf(chain);
      return nodes.map((node) => targetNamed(node, service));
    };
    return {
      key: ['open targets', kind, service, ...this.#sort(kind)],
      of: { what: `${kind} of ${oneCase(service)}`, name: service },
      names,
      each: (name) => this.#named(kind, name),
      absent: (name) =>
        kind === 'clusters' ? bareCluster(name) : assignment(name, { region, levels: [] }),
    };
  }

  /** The catalog knows services and tags in whatever case. */
  #tags(service: string): Apart {
    const region = this.#place.datacenter;
    const fact = taggedOf(service);
    const tagOf = (name: string) => this.#tagged(name)?.tag ?? '';
    const located = (know: Know, name: string) => {
      const tagged = know.shared(fact);
      const level = tagged && taggedLevel(tagged, tagOf(name));
      return level && [assignment(name, { region, levels: [level] })];
    };
    return {
      key: ['open tags', ...fact.key],
      names: (know) => know.shared(fact)?.keys(),
      is: (name) => tagOf(name).toLowerCase(),
      each: (name) => this.#named('endpoints', name, (know) => located(know, name)),
      absent: (name) => assignment(name, { region, levels: [] }),
    };
  }

  /** What is narrowed by a tag, of this data centre. */
  #tagged(name: string): { readonly name: string; readonly tag: string } | undefined {
    const named = serviceNamed(name, this.#place);
    const isTagged = named.kind === 'service' && named.tag !== '' && named.datacenter === '';
    return isTagged && named.name !== '' ? named : undefined;
  }

  /** The usual name counts by itself: whoever comes with it is not refused for what others of his address write. */
  #whatIs(name: string): string {
    if (targetIn(name) !== undefined) return oneCase(name);
    const named = serviceNamed(name, this.#place);
    return isUsual(name, named) ? `usually ${oneName(named)}` : oneName(named);
  }

  readonly #computes: Readonly<Record<Kind, (name: string) => Compute>> = {
    // Nobody can listen for all services at once.
    listeners: (name) => () => (name === '*' ? [] : [apiListener(name)]),
    routes: (name) => (know) => [this.#routes(know, name)],
    clusters: (name) => (know) => (name === '*' ? allClusters(know) : [this.#cluster(know, name)]),
    endpoints: (name) => (know) => [this.#endpoints(know, name)],
  };

  #routes(know: Know, name: string): Resource {
    const service = this.#routedService(name);
    const chain = service === undefined ? undefined : chainOf(know, service);
    const routes =
      service === undefined || chain === undefined || isPlain(chain, service)
        ? plainRoutes({ cluster: name, hashPolicy: hashPolicy(know, service) })
        : routesOf(chain, (node) => routedTo(know, chain, node, service), know.omit);
    const told = this.#policies.size === 0 ? routes : routes.map(limitedForGrpc);
    return routeConfiguration(name, [{ name, domains: ['*'], routes: told }]);
  }

  #cluster(know: Know, name: string): Resource {
    const of = targetIn(name);
    const service = of?.service ?? this.#routedService(name);
    const chain = service === undefined ? undefined : chainOf(know, service);
    const start = chain?.Nodes[chain.StartNode];
    const whole = start?.Type === 'resolver' ? start : undefined;
    const node = of && chain ? resolverTo(chain, of.id) : whole;
    const target = of && node && chain ? targetsOf(chain, node)[0] : undefined;
    const balanced = target?.Service ?? service;
    return cluster({
      name,
      endpoints: name,
      connectTimeout: durationOf(node?.Resolver.ConnectTimeout),
      speaksHttp2: isHttp2(chain?.Protocol ?? ''),
      more: balanced === undefined ? {} : this.#balancing(know, balanced),
    });
  }

  #endpoints(know: Know, name: string): Resource {
    const here = this.#place.datacenter;
    const of = targetIn(name);
    if (of === undefined) {
      const named = serviceNamed(name, this.#place);
      const region = named.datacenter || here;
      return assignment(name, { region, levels: [namedLevel(know, named)] });
    }
    const chain = chainOf(know, of.service);
    const node = chain && resolverTo(chain, of.id);
    const targets = chain && node ? targetsOf(chain, node) : [];
    const levels = targetLevels(know, targets, 'health/service', here);
    return assignment(name, { region: here, levels });
  }

  #balancing(know: Know, service: string): Message {
    const { cluster: balancing } = balancingOf(know, service);
    const policy = this.#policies.get(String(balancing['lb_policy']));
    return policy === undefined ? balancing : { ...balancing, lb_policy: policy };
  }

  /** Whose chain it is; undefined for what is narrowed by a tag, elsewhere, or a query's. */
  #routedService(name: string): string | undefined {
    const named = serviceNamed(name, this.#place);
    const isWhole = named.kind === 'service' && named.tag === '' && named.datacenter === '';
    return isWhole && named.name !== '' ? named.name : undefined;
  }
}

/** Clients of gRPC heed no `timeout`, and this where Envoys have that. */
function limitedForGrpc(each: Message): Message {
  const route = each['route'] as Message;
  const { timeout: max_stream_duration } = route;
  if (max_stream_duration === undefined) return each;
  return { ...each, route: { ...route, max_stream_duration: { max_stream_duration } } };
}

function targetIn(name: string): { readonly id: string; readonly service: string } | undefined {
  const at = name.lastIndexOf(OF);
  return at < 1 ? undefined : { id: name.slice(0, at), service: name.slice(at + 1) };
}

function resolverTo(chain: Chain, id: string): ResolverNode | undefined {
  return resolversOf(chain).find(({ Resolver }) => Resolver.Target === id);
}

function routedTo(know: Know, chain: Chain, node: ResolverNode, service: string): RoutedTo {
  const target = chain.Targets[node.Resolver.Target];
  const name = targetNamed(node, service);
  return { cluster: name, hashPolicy: hashPolicy(know, target?.Service) };
}

function hashPolicy(know: Know, service: string | undefined) {
  return service === undefined ? [] : balancingOf(know, service).hashPolicy;
}

/** Without looking at the chain of each: whoever wants that names it. */
function allClusters(know: Know): Resource[] {
  const services = know(asked('/v1/catalog/services'));
  const names = Object.keys(services ?? {})
    .sort()
    .slice(0, MAX_CLUSTERS);
  return names.map(bareCluster);
}

function targetNamed({ Resolver }: ResolverNode, service: string): string {
  return `${Resolver.Target}${OF}${service}`;
}

/** Of which nothing is known but its name. */
function bareCluster(name: string): Resource {
  return cluster({
    ...{ name, endpoints: name, connectTimeout: undefined, speaksHttp2: false },
    more: {},
  });
}

/** The usual one counts by itself. */
function oneCase(name: string): string {
  const lower = name.toLowerCase();
  return name === lower ? `usually ${lower}` : lower;
}
