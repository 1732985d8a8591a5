import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import {
  always,
  duration,
  flag,
  list,
  maybe,
  namespace,
  natural,
  naturals,
  type Table,
  text,
  texts,
} from '../fields.ts';
import { eachOf, firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';
import { headers } from '../proxying.ts';

export interface ServiceRouter extends ConfigEntryDefinition {
  readonly Routes: readonly ServiceRoute[] | null;
}

export interface ServiceRoute {
  readonly Match?: { readonly HTTP?: HttpMatch };
  readonly Destination?: RouteDestination;
}

interface RouteDestination {
  readonly Service?: string;
  readonly ServiceSubset?: string;
  readonly Namespace?: string;
  readonly PrefixRewrite?: string;
}

interface HttpMatch {
  readonly PathExact?: string;
  readonly PathPrefix?: string;
  readonly PathRegex?: string;
  readonly Methods?: readonly string[];
  readonly Header?: readonly ParamMatch[];
  readonly QueryParam?: readonly ParamMatch[];
}

interface ParamMatch {
  readonly Name?: string;
  readonly [how: string]: unknown;
}

export const ROUTE: Table = {
  Match: maybe({
    HTTP: maybe({
      PathExact: text,
      PathPrefix: text,
      PathRegex: text,
      CaseInsensitive: flag,
      Header: list({
        Name: always(text),
        Present: flag,
        Exact: text,
        Prefix: text,
        Suffix: text,
        Regex: text,
        Invert: flag,
      }),
      QueryParam: list({ Name: always(text), Present: flag, Exact: text, Regex: text }),
      Methods: texts,
    }),
  }),
  Destination: maybe({
    RequestTimeout: duration,
    IdleTimeout: duration,
    Service: text,
    ServiceSubset: text,
    Namespace: namespace,
    Partition: namespace,
    PrefixRewrite: text,
    NumRetries: natural,
    RetryOnConnectFailure: flag,
    RetryOn: texts,
    RetryOnStatusCodes: naturals,
    RequestHeaders: headers,
    ResponseHeaders: headers,
  }),
};

export const SERVICE_ROUTER: Kind<ServiceRouter> = {
  kind: 'service-router',
  says: 'where calls to a service go, by their path, headers, parameters and method',
  changedBy: 'service',
  seenBy: 'service',
  fields: { ...HEAD, Routes: always(list(ROUTE)), ...META },
  normal: (entry) => ({ ...entry, Routes: eachOf(entry.Routes, normalRoute) }),
  fault: ({ Name, Routes }) =>
    Name === '' ? 'Name is required' : firstFault(Routes ?? [], routeFault),
  refersTo: ({ Routes }) => (Routes ?? []).flatMap(({ Destination }) => Destination?.Service ?? []),
};

/** Methods are in capitals; with them Consul says the namespace of where the route goes. */
function normalRoute(route: ServiceRoute): ServiceRoute {
  const { Match, Destination } = route;
  if (Match?.HTTP?.Methods === undefined) return route;
  const Methods = Match.HTTP.Methods.map((each) => each.toUpperCase());
  const HTTP = { ...Match.HTTP, Methods };
  if (Destination === undefined) return { Match: { ...Match, HTTP } };
  return { Match: { ...Match, HTTP }, Destination: { ...Destination, Namespace: 'default' } };
}

const HEADER_WAYS = ['Present', 'Exact', 'Prefix', 'Suffix', 'Regex'];
const QUERY_WAYS = ['Present', 'Exact', 'Regex'];

function routeFault({ Match, Destination }: ServiceRoute, i: number): string | undefined {
  const at = `Route[${i}]`;
  const http = Match?.HTTP ?? {};
  return (
    pathFault(http, at) ??
    firstFault(http.Header ?? [], (each, j) =>
      paramFault(each, `${at} Header[${j}]`, HEADER_WAYS),
    ) ??
    firstFault(http.QueryParam ?? [], (each, j) =>
      paramFault(each, `${at} QueryParam[${j}]`, QUERY_WAYS),
    ) ??
    methodsFault(http.Methods ?? [], at) ??
    rewriteFault(http, Destination, at)
  );
}

function pathFault({ PathExact, PathPrefix, PathRegex }: HttpMatch, at: string) {
  const ways = [PathExact, PathPrefix, PathRegex].filter((each) => each !== undefined);
  if (ways.length > 1) {
    return `${at} should only contain at most one of PathExact, PathPrefix, or PathRegex`;
  }
  for (const [name, path] of Object.entries({ PathExact, PathPrefix })) {
    if (path?.startsWith('/') === false)
      return `${at} ${name} doesn't start with '/': ${quote(path)}`;
  }
  return undefined;
}

function paramFault(param: ParamMatch, at: string, ways: readonly string[]): string | undefined {
  if (param.Name === '') return `${at} missing required Name field`;
  if (ways.filter((way) => param[way] !== undefined).length === 1) return undefined;
  return `${at} should only contain one of ${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}`;
}

function methodsFault(methods: readonly string[], at: string): string | undefined {
  const twice = firstTwice(methods);
  return twice && `${at} Methods contains ${quote(twice)} more than once`;
}

function rewriteFault(http: HttpMatch, to: RouteDestination | undefined, at: string) {
  const isPlain = http.PathExact === undefined && http.PathPrefix === undefined;
  if (to?.PrefixRewrite === undefined || !isPlain) return undefined;
  return `${at} cannot make use of PrefixRewrite without configuring either PathExact or PathPrefix`;
}
