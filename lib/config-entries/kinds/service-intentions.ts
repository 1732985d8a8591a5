import { quote } from '../../go-literals.ts';
import type { StringMap } from '../../model.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, flag, list, map, maybe, namespace, text, texts, whole } from '../fields.ts';
import { firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';

/** Who may call the service that it is named after. */
export interface ServiceIntentions extends ConfigEntryDefinition {
  readonly Sources: readonly SourceIntention[] | null;
}

export interface SourceIntention {
  readonly Name: string;
  /** '' where permissions say it. */
  readonly Action?: string;
  readonly Permissions?: readonly Permission[];
  readonly Precedence: number;
  readonly Type: string;
  readonly Description?: string;
  readonly Peer?: string;
  readonly SamenessGroup?: string;
  /** What clients of 1.8 know of it, for whom each stands by itself. It is not shown in the entry. */
  readonly legacy?: Legacy;
}

interface Legacy {
  readonly ID: string;
  readonly Meta: StringMap;
  readonly DefaultAddr: string;
  readonly DefaultPort: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

interface Permission {
  readonly Action?: string;
  readonly HTTP?: PermissionMatch;
  readonly JWT?: object;
}

interface PermissionMatch {
  readonly PathExact?: string;
  readonly PathPrefix?: string;
  readonly PathRegex?: string;
  readonly Methods?: readonly string[];
  readonly Header?: readonly HeaderMatch[];
}

interface HeaderMatch {
  readonly Name?: string;
  readonly [how: string]: unknown;
}

const ANY = '*';

const jwt = maybe({
  Providers: list({ Name: text, VerifyClaims: list({ Path: texts, Value: text }) }),
});

export const SERVICE_INTENTIONS: Kind<ServiceIntentions> = {
  kind: 'service-intentions',
  says: 'who may call a service, and with which requests',
  changedBy: 'intention',
  seenBy: 'intention',
  fields: {
    ...HEAD,
    Sources: always(
      list({
        Name: always(text),
        Action: text,
        Permissions: list({
          Action: always(text),
          HTTP: maybe({
            PathExact: text,
            PathPrefix: text,
            PathRegex: text,
            Header: list({
              Name: always(text),
              Present: flag,
              Exact: text,
              Prefix: text,
              Suffix: text,
              Contains: text,
              Regex: text,
              Invert: flag,
              IgnoreCase: flag,
            }),
            Methods: texts,
          }),
          JWT: jwt,
        }),
        Precedence: always(whole),
        LegacyID: text,
        Type: always(text),
        Description: text,
        LegacyMeta: map(text),
        LegacyCreateTime: text,
        LegacyUpdateTime: text,
        Namespace: namespace,
        Partition: namespace,
        Peer: text,
        SamenessGroup: text,
      }),
    ),
    JWT: jwt,
    ...META,
  },
  normal: normalIntentions,
  fault: faultOf,
};

/** The more exact it is, the earlier it counts: the destination before the source. */
export function precedenceOf(source: string, destination: string): number {
  if (destination !== ANY) return source === ANY ? 8 : 9;
  return source === ANY ? 5 : 6;
}

function normalIntentions(entry: ServiceIntentions): ServiceIntentions {
  if (entry.Sources === null) return entry;
  const Sources = entry.Sources.map((source) => ({
    ...withoutLegacy(source),
    ...(source.Permissions && { Permissions: source.Permissions.map(normalPermission) }),
    Type: source.Type === '' ? 'consul' : source.Type,
    Precedence: precedenceOf(source.Name, entry.Name),
  }));
  return { ...entry, Sources: Sources.sort(byPrecedence) };
}

/** Those are made here alone. */
function withoutLegacy(source: SourceIntention): SourceIntention {
  const own = Object.entries(source).filter(([name]) => !name.startsWith('Legacy'));
  return Object.fromEntries(own) as unknown as SourceIntention;
}

function byPrecedence(a: SourceIntention, b: SourceIntention): number {
  if (a.Precedence !== b.Precedence) return b.Precedence - a.Precedence;
  return a.Name < b.Name ? -1 : Number(a.Name > b.Name);
}

function normalPermission(permission: Permission): Permission {
  const methods = permission.HTTP?.Methods;
  if (methods === undefined) return permission;
  return {
    ...permission,
    HTTP: { ...permission.HTTP, Methods: methods.map((each) => each.toUpperCase()) },
  };
}

function faultOf({ Name, Sources }: ServiceIntentions): string | undefined {
  if (Name === '') return 'Name is required';
  if (Name.includes(ANY) && Name !== ANY) return partialFault('Name');
  const sources = Sources ?? [];
  if (sources.length === 0) return 'At least one source is required';
  const twice = firstTwice(
    sources.map((each) => JSON.stringify([each.Name, each.Peer ?? '', each.SamenessGroup ?? ''])),
  );
  const fault = firstFault(sources, sourceFault);
  if (fault !== undefined || twice === undefined) return fault;
  const [name = ''] = JSON.parse(twice) as string[];
  return `Sources[].Name: ${quote(name)} is defined more than once`;
}

function partialFault(at: string): string {
  return `${at}: wildcard character '*' cannot be used with partial values`;
}

const MAX_DESCRIPTION = 512;

function sourceFault(source: SourceIntention, i: number): string | undefined {
  const at = `Sources[${i}]`;
  const { Name, Action, Permissions = [], Type, Description = '' } = source;
  if (Name === '') return `${at}.Name is required`;
  if (Name.includes(ANY) && Name !== ANY) return partialFault(`${at}.Name`);
  if (Type !== 'consul') return `${at}.Type must be set to 'consul'`;
  if (Description.length > MAX_DESCRIPTION) {
    return `${at}.Description exceeds maximum length ${MAX_DESCRIPTION}`;
  }
  if (Permissions.length > 0) {
    if (Action !== undefined) return `${at}.Action must be omitted if Permissions are specified`;
    return firstFault(Permissions, (each, j) => permissionFault(each, `${at}.Permissions[${j}]`));
  }
  if (Action === 'allow' || Action === 'deny') return undefined;
  return `${at}.Action must be set to 'allow' or 'deny'`;
}

const WAYS = ['Present', 'Exact', 'Prefix', 'Suffix', 'Contains', 'Regex'];

function permissionFault({ Action, HTTP, JWT }: Permission, at: string): string | undefined {
  if (Action !== 'allow' && Action !== 'deny')
    return `${at}.Action must be set to 'allow' or 'deny'`;
  if (HTTP === undefined) {
    return JWT === undefined ? `${at}.HTTP is required` : undefined;
  }
  const { PathExact, PathPrefix, PathRegex, Methods = [], Header = [] } = HTTP;
  const paths = Object.entries({ PathExact, PathPrefix, PathRegex }).filter(([, path]) => path);
  if (paths.length > 1) {
    return `${at}.HTTP should only contain at most one of PathExact, PathPrefix, or PathRegex`;
  }
  const [name = '', path = ''] = paths[0] ?? [];
  if (name !== '' && name !== 'PathRegex' && !path.startsWith('/')) {
    return `${at}.${name} doesn't start with '/': ${quote(path)}`;
  }
  const twice = firstTwice(Methods);
  if (twice !== undefined) return `${at}.HTTP.Methods contains ${quote(twice)} more than once`;
  if (paths.length === 0 && Methods.length === 0 && Header.length === 0 && JWT === undefined) {
    return `${at}.HTTP should not be empty`;
  }
  return firstFault(Header, (each, i) => headerFault(each, `${at}.HTTP.Header[${i}]`));
}

function headerFault(header: HeaderMatch, at: string): string | undefined {
  if (header.Name === '') return `${at} missing required Name field`;
  if (WAYS.filter((way) => header[way] !== undefined).length === 1) return undefined;
  return `${at} should only contain one of Present, Exact, Prefix, Suffix, Contains, or Regex`;
}
