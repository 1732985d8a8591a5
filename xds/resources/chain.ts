/** What calls to a service come to, as the agent compiles it of config entries. */
import type { HeaderChanges } from '../../lib/config-entries/proxying.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { inPath } from '../../lib/well-formed.ts';
import type { Message } from '../resource.ts';
import type { Know } from '../worked.ts';
import { asked, type Level, levelOf } from './endpoints.ts';

export interface Chain {
  readonly ServiceName: string;
  readonly Protocol: string;
  readonly StartNode: string;
  readonly Nodes: Readonly<Record<string, ChainNode>>;
  readonly Targets: Readonly<Record<string, Target>>;
}

export type ChainNode = RouterNode | SplitterNode | ResolverNode;

interface RouterNode {
  readonly Type: 'router';
  readonly Routes: readonly { readonly Definition: Definition; readonly NextNode: string }[];
}

interface SplitterNode {
  readonly Type: 'splitter';
  readonly Splits: readonly {
    readonly Definition?: Pick<Destination, 'RequestHeaders' | 'ResponseHeaders'>;
    readonly Weight?: number;
    readonly NextNode: string;
  }[];
}

export interface ResolverNode {
  readonly Type: 'resolver';
  readonly Resolver: {
    readonly ConnectTimeout: string;
    readonly RequestTimeout?: string;
    readonly Target: string;
    readonly Failover?: { readonly Targets: readonly string[] };
  };
}

export interface Target {
  readonly ID: string;
  readonly Service: string;
  readonly ServiceSubset?: string;
  readonly Datacenter: string;
  readonly Subset: { readonly Filter?: string; readonly OnlyPassing?: boolean };
  readonly SNI: string;
  readonly Name: string;
}

export interface Definition {
  readonly Match?: { readonly HTTP?: HttpMatch } | null;
  readonly Destination?: Destination | null;
}

export interface HttpMatch {
  readonly PathExact?: string;
  readonly PathPrefix?: string;
  readonly PathRegex?: string;
  /** Of an exact path and of a prefix. */
  readonly CaseInsensitive?: boolean;
  readonly Header?: readonly ParamMatch[];
  readonly QueryParam?: readonly ParamMatch[];
  readonly Methods?: readonly string[];
}

export interface ParamMatch {
  readonly Name: string;
  readonly Present?: boolean;
  readonly Exact?: string;
  readonly Prefix?: string;
  readonly Suffix?: string;
  readonly Contains?: string;
  readonly Regex?: string;
  readonly Invert?: boolean;
  readonly IgnoreCase?: boolean;
}

export interface Destination {
  readonly PrefixRewrite?: string;
  readonly RequestTimeout?: string;
  readonly IdleTimeout?: string;
  readonly NumRetries?: number;
  readonly RetryOnConnectFailure?: boolean;
  readonly RetryOn?: readonly string[];
  readonly RetryOnStatusCodes?: readonly number[];
  readonly RequestHeaders?: HeaderChanges | null;
  readonly ResponseHeaders?: HeaderChanges | null;
}

/** Undefined where there is none that may be seen. */
export function chainOf(know: Know, service: string, datacenter = ''): Chain | undefined {
  const path = `/v1/discovery-chain/${inPath(service)}`;
  const said = know(asked(path, { 'compile-dc': datacenter })) as
    | { readonly Chain?: Chain }
    | undefined;
  return said?.Chain;
}

export function isHttp(protocol: string): boolean {
  return protocol === 'http' || isHttp2(protocol);
}

export function isHttp2(protocol: string): boolean {
  return protocol === 'http2' || protocol === 'grpc';
}

/** Nobody says anything of calls to it: they go to its instances. */
export function isPlain({ StartNode, Nodes, Targets }: Chain, service: string): boolean {
  const node = Nodes[StartNode];
  if (node?.Type !== 'resolver') return false;
  const { Failover, RequestTimeout } = node.Resolver;
  if (Failover !== undefined || RequestTimeout !== undefined) return false;
  const target = Targets[node.Resolver.Target];
  const isOwn = target?.Service.toLowerCase() === service.toLowerCase();
  return isOwn && (target?.ServiceSubset ?? '') === '' && Object.keys(Nodes).length === 1;
}

/** Where calls may end: each of a chain is a cluster. */
export function resolversOf({ Nodes }: Chain): readonly ResolverNode[] {
  return Object.values(Nodes).filter((node) => node.Type === 'resolver');
}

/** The target, and those that calls go to where it has nobody. */
export function targetsOf({ Targets }: Chain, { Resolver }: ResolverNode): readonly Target[] {
  return [Resolver.Target, ...(Resolver.Failover?.Targets ?? [])].flatMap(
    (id) => Targets[id] ?? [],
  );
}

/** Instances themselves, or those that speak for them in the mesh. */
export type Reached = 'health/service' | 'health/connect';

export function targetLevels(
  know: Know,
  targets: readonly Target[],
  by: Reached,
  here: string,
): Level[] {
  return targets.map(({ Service, Datacenter, Subset }) => {
    const { Filter = '', OnlyPassing = false } = Subset;
    const dc = Datacenter === here ? '' : Datacenter;
    const more = { dc, filter: Filter, passing: OnlyPassing ? '1' : '' };
    return levelOf(know, asked(`/v1/${by}/${inPath(Service)}`, more));
  });
}

/** As messages have it; undefined for none. */
export function durationOf(text: string | undefined): Message | undefined {
  const ns = text === undefined ? undefined : parseDuration(text);
  return ns === undefined || ns <= 0 ? undefined : durationOfMs(ns / NS_PER_MS);
}

/** Of how long something may take: less than no time is no limit, which Envoy writes as 0; none where nothing is said. */
export function limitOf(text: string | undefined): Message | undefined {
  const ns = text === undefined ? undefined : parseDuration(text);
  return ns === undefined || ns === 0 ? undefined : durationOfMs(ns / NS_PER_MS);
}

/** About 31 years: Envoy refuses what has no place in nanoseconds of 64 bits, and all else with it. */
const MOST_MS = 1e12;
const MOST_NANOS = 999_999_999;

export function durationOfMs(said: number): Message {
  const ms = Math.min(Math.max(said, 0), MOST_MS);
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * NS_PER_MS);
  return { seconds, nanos: Math.min(nanos, MOST_NANOS) };
}
