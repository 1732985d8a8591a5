/** What a compiled chain says, made ready to be asked of each request. */
import type { PolicyName } from '../../lib/balance/policies.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Random } from '../../lib/random.ts';
import { listIn, msIn, objectIn, type Said, textIn, textsIn } from '../said.ts';
import { type HashRule, hashRulesIn } from './hash-key.ts';
import { type Head, isPathText } from './head.ts';
import { changed, changesIn, type HeaderChanges } from './header-changes.ts';
import { ALWAYS, type Asked, pathnameOf, type Test, testOf } from './matching.ts';
import { NO_RETRIES, type RetryRules, retriesIn } from './retry-rules.ts';

export interface Routing {
  readonly protocol: string;
  /** For which it was compiled. */
  readonly datacenter: string;
  readonly routes: readonly Route[];
  /** Why each of the other routes is none here. */
  readonly leftOut: readonly string[];
  /** By their ids. */
  readonly targets: ReadonlyMap<string, TargetSaid>;
  /** All that routes lead to. */
  readonly ends: readonly End[];
}

export interface Route {
  readonly isMeant: Test;
  /** One of them is drawn, by what part of all is up to it: the last one has 1. */
  readonly parts: readonly Part[];
  /** In place of what the path begins with: a path too. */
  readonly rewrite: { readonly from: string; readonly to: string } | undefined;
  readonly timeoutMs: number | undefined;
  readonly idleMs: number | undefined;
  readonly retries: RetryRules;
  readonly request: HeaderChanges | undefined;
  readonly answer: HeaderChanges | undefined;
}

interface Part {
  readonly upTo: number;
  readonly end: End;
  readonly request: HeaderChanges | undefined;
  readonly answer: HeaderChanges | undefined;
}

/** Whose instances are meant. */
export interface End {
  /** By their ids: the first that has a host takes the call. */
  readonly targets: readonly string[];
  readonly connectMs: number | undefined;
  readonly timeoutMs: number | undefined;
  /** Undefined where nobody says one. */
  readonly policy: PolicyName | undefined;
  readonly hashing: readonly HashRule[];
}

export interface TargetSaid {
  readonly id: string;
  readonly service: string;
  readonly subset: string;
  readonly datacenter: string;
  /** An expression over its instances; '' for all. */
  readonly filter: string;
  readonly onlyPassing: boolean;
}

export interface Way {
  readonly route: Route;
  readonly part: Part;
}

/** In these there is something to route by. */
const HTTP_LIKE: ReadonlySet<string> = new Set(['http', 'http2', 'grpc']);
/** More than any table that people write, and a second for whoever asks for all of them. */
const MAX_ROUTES = 2048;

export function isHttpLike(protocol: string): boolean {
  return HTTP_LIKE.has(protocol);
}

/** Hosts are spoken to by HTTP/2. */
export function isH2(protocol: string): boolean {
  return protocol === 'http2' || protocol === 'grpc';
}

/** Undefined where no route is for it. */
export function wayOf({ routes }: Routing, asked: Asked, random: Pick<Random, 'next'>) {
  const route = routes.find(({ isMeant }) => isMeant(asked));
  return route === undefined ? undefined : { route, part: drawn(route.parts, random) };
}

function drawn(parts: readonly Part[], random: Pick<Random, 'next'>): Part {
  const [first] = parts as readonly [Part];
  if (parts.length === 1) return first;
  const at = random.next();
  return parts.find(({ upTo }) => at < upTo) ?? (parts.at(-1) as Part);
}

/** As it goes on to a host. */
export function sentBy({ route, part }: Way, head: Head): Head {
  return {
    ...head,
    path: rewritten(head.path, route),
    authority: part.request?.host || route.request?.host || head.authority,
    fields: changed(changed(head.fields, part.request), route.request),
  };
}

/** The path with which a route sends it on. */
function rewritten(path: string, { rewrite }: Pick<Route, 'rewrite'>): string {
  if (rewrite === undefined) return path;
  const { from, to } = rewrite;
  const pathname = pathnameOf(path);
  // As long as what it is in place of, in whatever case.
  const rest = pathname.slice(from.length);
  return `${to}${rest}${path.slice(pathname.length)}`;
}

/** Of a service of which no chain says anything. */
export function plainRouting(protocol: string, target: TargetSaid, timeoutMs?: number): Routing {
  const end = { ...endOf({}, [target.id]), timeoutMs };
  return {
    protocol,
    datacenter: target.datacenter,
    routes: [routeOf({}, [{ upTo: 1, end, request: undefined, answer: undefined }])],
    leftOut: [],
    targets: new Map([[target.id, target]]),
    ends: [end],
  };
}

/** Of what /v1/discovery-chain says. Throws ProconsulError 'unavailable' for what is no chain. */
export function routingIn(json: unknown, protocolAsked: string): Routing {
  const chain = objectIn(objectIn(json)['Chain']);
  const nodes = objectIn(chain['Nodes']);
  const said = Object.entries(objectIn(chain['Targets'])).map(([id, target]) =>
    targetIn(id, objectIn(target)),
  );
  const targets = new Map(said.map((each) => [each.id, each]));
  const ends = new Map<string, End>();
  const partsOf = (key: string): readonly Part[] => {
    const node = nodeIn(nodes, key);
    if (node['Type'] === 'splitter') return splitsOf(node, endFor);
    return [{ upTo: 1, end: endFor(key), request: undefined, answer: undefined }];
  };
  const endFor = (key: string): End => {
    const known = ends.get(key);
    if (known !== undefined) return known;
    const end = endIn(nodeIn(nodes, key), targets);
    ends.set(key, end);
    return end;
  };
  const start = textIn(chain['StartNode']);
  const node = nodeIn(nodes, start);
  const leftOut: string[] = [];
  const routes =
    node['Type'] === 'router'
      ? listIn(node['Routes'])
          .slice(0, MAX_ROUTES)
          .flatMap((each) => {
            const definition = objectIn(each['Definition']);
            const isMeant = rewriteFault(definition) ?? meantBy(definition);
            if (typeof isMeant !== 'string')
              return [routeOf(definition, partsOf(textIn(each['NextNode'])), isMeant)];
            leftOut.push(isMeant);
            return [];
          })
      : [routeOf({}, partsOf(start))];
  const protocol = protocolAsked || textIn(chain['Protocol']) || 'tcp';
  const datacenter = textIn(chain['Datacenter']);
  return { protocol, datacenter, routes, leftOut, targets, ends: [...ends.values()] };
}

function nodeIn(nodes: Said, key: string): Said {
  if (!Object.hasOwn(nodes, key)) throw noChain(`it has no node ${JSON.stringify(key)}`);
  return objectIn(nodes[key]);
}

function noChain(why: string): ProconsulError {
  return new ProconsulError('unavailable', `what the agent says is no discovery chain: ${why}`);
}

function targetIn(id: string, said: Said): TargetSaid {
  const subset = objectIn(said['Subset']);
  return {
    id,
    service: textIn(said['Service']),
    subset: textIn(said['ServiceSubset']),
    datacenter: textIn(said['Datacenter']),
    filter: textIn(subset['Filter']),
    onlyPassing: subset['OnlyPassing'] === true,
  };
}

function splitsOf(node: Said, endFor: (key: string) => End): readonly Part[] {
  const splits = listIn(node['Splits']).map((each) => ({ each, weight: weightIn(each) }));
  const all = splits.reduce((sum, { weight }) => sum + weight, 0);
  let so = 0;
  return splits.map(({ each, weight }) => {
    so += weight;
    const definition = objectIn(each['Definition']);
    return {
      upTo: all === 0 ? 1 : so / all,
      end: endFor(textIn(each['NextNode'])),
      request: changesIn(definition['RequestHeaders']),
      answer: changesIn(definition['ResponseHeaders']),
    };
  });
}

function weightIn({ Weight }: Said): number {
  const weight = Number(Weight ?? 0);
  return weight > 0 && weight <= 100 ? weight : 0;
}

function endIn(node: Said, targets: ReadonlyMap<string, TargetSaid>): End {
  if (node['Type'] !== 'resolver') throw noChain('a route ends in what resolves nothing');
  const resolver = objectIn(node['Resolver']);
  const failover = textsIn(objectIn(resolver['Failover'])['Targets']);
  const ids = [textIn(resolver['Target']), ...failover].filter((id) => targets.has(id));
  if (ids.length === 0) throw noChain('a route ends nowhere');
  return endOf({ ...resolver, LoadBalancer: node['LoadBalancer'] }, ids);
}

function endOf(resolver: Said, targets: readonly string[]): End {
  const balancer = objectIn(resolver['LoadBalancer']);
  const isDefault = resolver['Default'] === true;
  return {
    targets,
    connectMs: isDefault ? undefined : msIn(resolver['ConnectTimeout']),
    timeoutMs: msIn(resolver['RequestTimeout']),
    policy: POLICIES.get(textIn(balancer['Policy'])),
    hashing: hashRulesIn(balancer['HashPolicies']),
  };
}

/** By Consul's names. */
const POLICIES: ReadonlyMap<string, PolicyName> = new Map([
  ['round_robin', 'round-robin'],
  ['random', 'random'],
  ['least_request', 'least-requests'],
  ['ring_hash', 'ring-hash'],
  ['maglev', 'maglev'],
]);

/** Why not, for a route that cannot be had: the others are none the worse for it. */
function meantBy(definition: Said): Test | string {
  const match = objectIn(definition['Match']);
  if (match['HTTP'] === undefined) return ALWAYS;
  try {
    return testOf(objectIn(match['HTTP']));
  } catch (error) {
    if (error instanceof ProconsulError) return error.message;
    throw error;
  }
}

/** A path with a line end would write the rest of the request, and others behind it, to a service that another may call. */
function rewriteFault(definition: Said): string | undefined {
  const { to = '/' } = rewriteIn(definition) ?? {};
  return isPathText(to) ? undefined : `PrefixRewrite ${JSON.stringify(to)} is no path`;
}

function rewriteIn(definition: Said): Route['rewrite'] {
  const http = objectIn(objectIn(definition['Match'])['HTTP']);
  const prefix = textIn(objectIn(definition['Destination'])['PrefixRewrite']);
  const from = textIn(http['PathExact']) || textIn(http['PathPrefix']);
  if (prefix === '' || from === '') return undefined;
  return { from, to: prefix.startsWith('/') ? prefix : `/${prefix}` };
}

function routeOf(definition: Said, parts: readonly Part[], isMeant = ALWAYS): Route {
  if (parts.length === 0) throw noChain('a route leads nowhere');
  const to = objectIn(definition['Destination']);
  const retries = retriesIn(to);
  return {
    isMeant,
    parts,
    rewrite: rewriteIn(definition),
    timeoutMs: msIn(to['RequestTimeout']),
    idleMs: msIn(to['IdleTimeout']),
    retries: retries.times === 0 ? NO_RETRIES : retries,
    request: changesIn(to['RequestHeaders']),
    answer: changesIn(to['ResponseHeaders']),
  };
}
