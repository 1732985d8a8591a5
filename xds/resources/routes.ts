/** A chain's routes and splits, as a RouteConfiguration. */
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import type { LeaveOut } from '../omissions.ts';
import { faultIn } from '../refusable.ts';
import { type Message, Resource } from '../resource.ts';
import { changeFault, literal, matchFault } from './acceptable.ts';
import {
  type Chain,
  type Definition,
  type Destination,
  durationOfMs,
  type HttpMatch,
  limitOf,
  type ParamMatch,
  type ResolverNode,
} from './chain.ts';
import { quoted } from './text-patterns.ts';

export interface RoutedTo {
  readonly cluster: string;
  readonly hashPolicy: readonly Message[];
}

/** Of where calls may end, which cluster it is. */
export type ClusterOf = (node: ResolverNode) => RoutedTo;

export interface VirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly Message[];
  /** What is done to headers. */
  readonly [more: string]: unknown;
}

export function routeConfiguration(name: string, hosts: readonly VirtualHost[]): Resource {
  return new Resource('routes', name, { name, virtual_hosts: hosts });
}

const EVERYTHING = { prefix: '/' };
const ROUTE = 'envoy.config.route.v3.Route';
const HEADER = 'envoy.config.core.v3.HeaderValueOption';

/** To one cluster, whatever is asked. */
export function plainRoutes(to: RoutedTo): readonly Message[] {
  return [{ match: EVERYTHING, route: toCluster(to) }];
}

/** What cannot be told is left out: requests that it is about are the next one's then. */
export function routesOf(chain: Chain, clusterOf: ClusterOf, omit: LeaveOut): readonly Message[] {
  const start = chain.Nodes[chain.StartNode];
  if (start?.Type !== 'router') {
    const route = actionOf(chain, chain.StartNode, clusterOf, omit);
    return route === undefined ? [] : [{ match: EVERYTHING, route }];
  }
  return start.Routes.flatMap(({ Definition, NextNode }, i) => {
    const action = actionOf(chain, NextNode, clusterOf, omit);
    if (action === undefined) return [];
    const what = `route ${i + 1} of ${JSON.stringify(chain.ServiceName)}`;
    const route = routeOf(Definition, action, (part, why) => omit(`${part} of ${what}`, why));
    const fault = matchFault(Definition.Match?.HTTP ?? {}) ?? faultIn(ROUTE, route);
    if (fault === undefined) return [route];
    omit(what, fault);
    return [];
  });
}

/** Of a share of the calls, as small as a splitter says it. */
const PARTS = 100;

function actionOf(
  chain: Chain,
  name: string,
  clusterOf: ClusterOf,
  omit: LeaveOut,
): Message | undefined {
  const node = chain.Nodes[name];
  if (node?.Type === 'resolver') return { ...toCluster(clusterOf(node)), ...timeoutOf([node]) };
  if (node?.Type !== 'splitter') return undefined;
  const parts = node.Splits.flatMap(({ Definition = {}, Weight = 0, NextNode }, i) => {
    const to = chain.Nodes[NextNode];
    if (to?.Type !== 'resolver') return [];
    const what = `split ${i + 1} of ${JSON.stringify(name)}`;
    const headers = headerChanges(Definition, (part, why) => omit(`${part} of ${what}`, why));
    return [{ ...clusterOf(to), to, parts: Math.round(Weight * PARTS), headers }];
  });
  const clusters = parts.map((each) => ({
    ...{ name: each.cluster, weight: { value: each.parts } },
    ...each.headers,
  }));
  return {
    weighted_clusters: { clusters },
    ...hashed(parts.flatMap((each) => each.hashPolicy)),
    ...timeoutOf(parts.map(({ to }) => to)),
  };
}

/** A route has one, and none of those behind it is cut off before its own. */
function timeoutOf(nodes: readonly ResolverNode[]): Message {
  const said = nodes.map(({ Resolver }) => parseDuration(Resolver.RequestTimeout ?? '') ?? 0);
  const most = Math.max(0, ...said);
  return most > 0 ? { timeout: durationOfMs(most / NS_PER_MS) } : {};
}

function toCluster({ cluster, hashPolicy }: RoutedTo): Message {
  return { cluster, ...hashed(hashPolicy) };
}

function hashed(policies: readonly Message[]): Message {
  return policies.length > 0 ? { hash_policy: policies } : {};
}

function routeOf({ Match, Destination: to }: Definition, action: Message, omit: LeaveOut): Message {
  return {
    match: matchOf(Match?.HTTP ?? {}),
    route: { ...action, ...actionMore(to ?? {}) },
    ...headerChanges(to ?? {}, omit),
  };
}

/** Of a route, or of all of a host's. */
export function headerChanges(
  { RequestHeaders, ResponseHeaders }: Pick<Destination, 'RequestHeaders' | 'ResponseHeaders'>,
  omit: LeaveOut,
): Message {
  return {
    ...changes('request', RequestHeaders, omit),
    ...changes('response', ResponseHeaders, omit),
  };
}

/** As many as Envoy adds. */
const MAX_ADDED = 1000;

function changes(what: string, said: Destination['RequestHeaders'], omit: LeaveOut): Message {
  const { Add, Set: set, Remove } = said ?? {};
  const isTold = (name: string, fault: string | undefined) => {
    if (fault === undefined) return true;
    omit(`the header ${JSON.stringify(name)} of each ${what}`, fault);
    return false;
  };
  const put = (pairs: object | null | undefined, append_action: string) =>
    Object.entries(pairs ?? {}).flatMap(([key, value]) => {
      const added = { header: { key, value: literal(value) }, append_action };
      return isTold(key, changeFault(key, value) ?? faultIn(HEADER, added)) ? [added] : [];
    });
  const added = [...put(Add, 'APPEND_IF_EXISTS_OR_ADD'), ...put(set, 'OVERWRITE_IF_EXISTS_OR_ADD')];
  for (const { header } of added.splice(MAX_ADDED)) {
    isTold(header.key, `more than ${MAX_ADDED} are added`);
  }
  const removed = (Remove ?? []).filter((name) => isTold(name, changeFault(name, '')));
  return {
    ...(added.length > 0 && { [`${what}_headers_to_add`]: added }),
    ...(removed.length > 0 && { [`${what}_headers_to_remove`]: removed }),
  };
}

function actionMore({
  PrefixRewrite,
  RequestTimeout,
  IdleTimeout,
  ...retries
}: Destination): Message {
  const timeout = limitOf(RequestTimeout);
  const idle_timeout = limitOf(IdleTimeout);
  const retry_policy = retryOf(retries);
  return {
    ...(PrefixRewrite !== undefined && PrefixRewrite !== '' && { prefix_rewrite: PrefixRewrite }),
    ...(timeout && { timeout }),
    ...(idle_timeout && { idle_timeout }),
    ...(retry_policy && { retry_policy }),
  };
}

const PREDICATE =
  'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate';

/** Another host each time: the one that failed is the least likely to answer. */
function retryOf(said: Destination): Message | undefined {
  const { NumRetries = 0, RetryOnConnectFailure = false } = said;
  const [codes, kinds] = [said.RetryOnStatusCodes ?? [], said.RetryOn ?? []];
  const isSaid = RetryOnConnectFailure || codes.length + kinds.length > 0;
  if (NumRetries === 0 && !isSaid) return undefined;
  const on = [
    ...kinds,
    ...(RetryOnConnectFailure ? ['connect-failure'] : []),
    ...(codes.length > 0 ? ['retriable-status-codes'] : []),
  ];
  return {
    retry_on: on.join(','),
    ...(NumRetries > 0 && { num_retries: { value: NumRetries } }),
    ...(codes.length > 0 && { retriable_status_codes: codes }),
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: { '@type': PREDICATE },
      },
    ],
    host_selection_retry_max_attempts: 3,
  };
}

function matchOf({
  PathExact,
  PathPrefix,
  PathRegex,
  CaseInsensitive,
  ...http
}: HttpMatch): Message {
  const methods = http.Methods ?? [];
  const headers = (http.Header ?? []).map(headerOf);
  const byMethod = { name: ':method', string_match: regex(methods.map(quoted).join('|')) };
  const query = (http.QueryParam ?? []).map(queryOf);
  return {
    ...pathOf({ PathExact, PathPrefix, PathRegex }),
    ...(CaseInsensitive === true && { case_sensitive: { value: false } }),
    ...(headers.length + methods.length > 0 && {
      headers: [...headers, ...(methods.length > 0 ? [byMethod] : [])],
    }),
    ...(query.length > 0 && { query_parameters: query }),
  };
}

interface Paths {
  readonly PathExact: string | undefined;
  readonly PathPrefix: string | undefined;
  readonly PathRegex: string | undefined;
}

function pathOf({ PathExact, PathPrefix, PathRegex }: Paths): Message {
  if (PathExact) return { path: PathExact };
  if (PathRegex) return { safe_regex: { regex: PathRegex } };
  return { prefix: PathPrefix || '/' };
}

export function headerOf({ Name, Invert, ...how }: ParamMatch): Message {
  const match = how.Present === true ? { present_match: true } : { string_match: stringOf(how) };
  return { name: Name, ...match, ...(Invert === true && { invert_match: true }) };
}

function queryOf({ Name, ...how }: ParamMatch): Message {
  if (how.Present === true) return { name: Name, present_match: true };
  return { name: Name, string_match: stringOf(how) };
}

function stringOf(how: Omit<ParamMatch, 'Name'>): Message {
  const { Exact, Prefix, Suffix, Contains, Regex } = how;
  if (Regex) return regex(Regex);
  const ignore = how.IgnoreCase === true && { ignore_case: true };
  if (Prefix) return { prefix: Prefix, ...ignore };
  if (Suffix) return { suffix: Suffix, ...ignore };
  return Contains ? { contains: Contains, ...ignore } : { exact: Exact ?? '', ...ignore };
}

export function regex(text: string): Message {
  return { safe_regex: { regex: text } };
}
