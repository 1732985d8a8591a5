/** Where a service is reached, as ClusterLoadAssignments. */
import { isIP } from 'node:net';
import type { Endpoint } from '../../lib/balance/host.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { inPath, wellFormed } from '../../lib/well-formed.ts';
import { instancesIn } from '../../sidecar/endpoints.ts';
import { listIn, objectIn, textsIn } from '../../sidecar/said.ts';
import type { Named } from '../names.ts';
import type { Question } from '../questions.ts';
import { type Message, Resource } from '../resource.ts';
import type { Fact, Know } from '../worked.ts';

/** Those of one priority: a client goes on to the next where these are not there. */
export type Level = readonly Endpoint[];

interface Located {
  readonly region: string;
  readonly levels: readonly Level[];
}

/** One that is not known is there all the same, and empty: without it a client would wait for it. */
export function assignment(name: string, { region, levels }: Located): Resource {
  // One bad endpoint would have all refused: a name for an address, or the same twice.
  const seen = new Set<string>();
  const isNew = ({ address, port }: Endpoint) => {
    const at = `${address} ${port}`;
    return !seen.has(at) && seen.add(at) !== undefined;
  };
  const told = levels
    .map((level) => level.filter(isCalled).sort(healthyFirst).filter(isNew))
    .filter((level) => level.length > 0);
  const endpoints = told.flatMap((level, priority) => localities(level, region, priority));
  return new Resource('endpoints', name, { cluster_name: name, endpoints });
}

/** What is critical is left out: with too few healthy ones Envoy would send to all that it knows. */
function isCalled({ address, health }: Endpoint): boolean {
  return health !== 'unhealthy' && isIP(address) !== 0 && !address.includes('%');
}

function healthyFirst(a: Endpoint, b: Endpoint): number {
  return Number(b.health === 'healthy') - Number(a.health === 'healthy');
}

function localities(level: Level, region: string, priority: number): Message[] {
  const byZone = new Map<string, Endpoint[]>();
  for (const endpoint of level) {
    const there = byZone.get(endpoint.zone);
    if (there === undefined) byZone.set(endpoint.zone, [endpoint]);
    else there.push(endpoint);
  }
  return [...byZone].map(([zone, endpoints]) => ({
    locality: { region, zone },
    priority,
    // Clients of gRPC leave out a place without a weight.
    load_balancing_weight: { value: endpoints.reduce((sum, { weight }) => sum + weight, 0) },
    lb_endpoints: endpoints.map(shown),
  }));
}

function shown({ address, port, weight, health }: Endpoint): Message {
  return {
    health_status: health === 'draining' ? 'DRAINING' : 'HEALTHY',
    load_balancing_weight: { value: weight },
    endpoint: { address: addressOf(address, port) },
  };
}

export function addressOf(address: string, port: number): Message {
  return { socket_address: { address, port_value: port } };
}

/** What an agent lists of a service's instances; none where it lists none. */
export function levelOf(know: Know, question: Question): Level {
  return instances(know(question));
}

function instances(json: unknown): Level {
  if (json === undefined) return [];
  try {
    return instancesIn(json).endpoints;
  } catch (error) {
    if (error instanceof ProconsulError) return [];
    throw error;
  }
}

const STALE: readonly [string, string] = ['stale', ''];

/** What this server knows will do: it goes on answering where no leader is known. */
export function asked(path: string, more: Readonly<Record<string, string>> = {}): Question {
  const given = Object.entries(more).filter(([, value]) => value !== '');
  return {
    path,
    query: [STALE, ...given.map(([name, value]) => [name, wellFormed(value)] as const)],
  };
}

/** By the name alone, as DNS finds them: nothing is routed, and no failover but a query's. */
export function namedLevel(know: Know, named: Named): Level {
  const { kind, name, datacenter: dc } = named;
  if (name === '') return [];
  if (kind === 'service') {
    return levelOf(know, asked(`/v1/health/service/${inPath(name)}`, { dc, tag: named.tag }));
  }
  const execute = `/v1/query/${inPath(name)}/execute`;
  return executed(know, { ...asked(execute, { dc }), unindexed: true }).level;
}

/** What an agent lists of the instances that have a tag, by that in small letters. */
export type Tagged = ReadonlyMap<string, readonly unknown[]>;

/** All tags of a service follow from one question: whoever likes may name thousands of them. */
export function taggedOf(service: string): Fact<Tagged> {
  const name = service.toLowerCase();
  return {
    key: ['tagged', name],
    of: (know) => byTag(know(asked(`/v1/health/service/${inPath(name)}`))),
  };
}

function byTag(json: unknown): Tagged {
  const tagged = new Map<string, unknown[]>();
  for (const each of listIn(json)) {
    const tags = textsIn(objectIn(each['Service'])['Tags']).map((tag) => tag.toLowerCase());
    for (const tag of new Set(tags)) {
      const there = tagged.get(tag);
      if (there === undefined) tagged.set(tag, [each]);
      else there.push(each);
    }
  }
  return tagged;
}

export function taggedLevel(tagged: Tagged, tag: string): Level {
  return instances(tagged.get(tag.toLowerCase()) ?? []);
}

interface Executed {
  readonly Service?: unknown;
  readonly Nodes?: unknown;
}

/**
 * Of whom a query finds instances, and which. Its answer has no index: it is asked again when the service that
 * it finds has changed.
 */
export function executed(know: Know, question: Question) {
  const first = know(question) as Executed | undefined;
  const service = typeof first?.Service === 'string' ? first.Service : '';
  if (service === '') return { service, level: [] };
  const after = asked(`/v1/health/service/${inPath(service)}`);
  const { Nodes } = (know({ ...question, after }) ?? first) as Executed;
  return { service, level: instances(Nodes) };
}
