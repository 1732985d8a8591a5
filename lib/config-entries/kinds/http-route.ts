import { filters, headerChanges, references } from '../api-gateways.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { list, maybe, namespace, text, texts, whole } from '../fields.ts';
import { firstFault, HEAD, type Kind, META } from '../kind.ts';
import { parentsFault, type RouteParent } from './tcp-route.ts';

interface HttpRoute extends ConfigEntryDefinition {
  readonly Parents?: readonly RouteParent[];
  readonly Rules?: readonly Rule[];
  readonly Hostnames?: readonly string[];
}

interface Rule {
  readonly Matches?: readonly RuleMatch[];
  readonly Services?: readonly { readonly Name?: string; readonly Weight?: number }[];
}

interface RuleMatch {
  readonly Path?: { readonly Match?: string; readonly Value?: string };
  readonly Method?: string;
}

const match = { Match: text, Name: text, Value: text };
const METHODS = ['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'];

export const HTTP_ROUTE: Kind<HttpRoute> = {
  kind: 'http-route',
  says: 'where requests go that come to a listener of an API gateway',
  changedBy: 'mesh',
  seenBy: 'mesh',
  fields: {
    ...HEAD,
    Parents: references,
    Rules: list({
      Filters: filters,
      ResponseFilters: maybe({ Headers: headerChanges }),
      Matches: list({
        Headers: list(match),
        Method: text,
        Path: maybe({ Match: text, Value: text }),
        Query: list(match),
      }),
      Services: list({
        Name: text,
        Weight: whole,
        Filters: filters,
        ResponseFilters: maybe({ Headers: headerChanges }),
        Namespace: namespace,
        Partition: namespace,
      }),
    }),
    Hostnames: texts,
    ...META,
  },
  normal: (entry) =>
    entry.Rules === undefined ? entry : { ...entry, Rules: entry.Rules.map(normalRule) },
  fault: ({ Name, Parents, Rules }) => {
    if (Name === '') return 'Name is required';
    return parentsFault(Parents) ?? firstFault(Rules ?? [], ruleFault);
  },
};

function normalRule(rule: Rule): Rule {
  if (rule.Services === undefined) return rule;
  const weighed = rule.Services.map((each) => ({ ...each, Weight: (each.Weight ?? 0) || 1 }));
  return { ...rule, Services: weighed };
}

function ruleFault({ Matches = [], Services = [] }: Rule, i: number): string | undefined {
  const nameless = Services.some(({ Name = '' }) => Name === '');
  if (nameless) return `Rule[${i}], Service must have a name`;
  return firstFault(Matches, ({ Method, Path }, j) => {
    const at = `Rule[${i}] Match[${j}]`;
    if (Method !== undefined && !METHODS.includes(Method)) {
      return `${at} contains an invalid method ${JSON.stringify(Method)}`;
    }
    const isPath = Path?.Match !== 'exact' && Path?.Match !== 'prefix';
    return isPath || Path.Value?.startsWith('/') ? undefined : `${at} path must begin with '/'`;
  });
}
