/** Config entries as the API has them: what is said once of a service, and which services it leads on to. */
import type { Action } from './action.ts';
import { readJson, writeJson } from './exact-json.ts';
import { several } from './order.ts';
import type { Right } from './right.ts';
import { hasHidden, textWithoutSecrets, textWithSecrets } from './secrets.ts';

export interface ConfigEntryRow {
  readonly Kind: string;
  readonly Name: string;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
  readonly [field: string]: unknown;
}

/** What each kind is of: its entries are named after services, or there is one of them. */
export const KINDS = {
  'service-defaults': 'service',
  'service-resolver': 'service',
  'service-splitter': 'service',
  'service-router': 'service',
  'service-intentions': 'service',
  'service-scaling': 'service',
  'proxy-defaults': 'global',
  mesh: 'global',
  'ingress-gateway': 'service',
  'terminating-gateway': 'service',
  'api-gateway': 'named',
  'http-route': 'named',
  'tcp-route': 'named',
  'inline-certificate': 'named',
  'exported-services': 'named',
  'sameness-group': 'named',
  'jwt-provider': 'named',
} as const;
export type EntryKind = keyof typeof KINDS;

export function isKind(text: string): text is EntryKind {
  return Object.hasOwn(KINDS, text);
}

export function isOfService({ Kind }: Pick<ConfigEntryRow, 'Kind'>): boolean {
  return isKind(Kind) && KINDS[Kind] === 'service';
}

/** What an entry of a kind begins with. */
const STARTS: Readonly<Partial<Record<EntryKind, object>>> = {
  'service-defaults': { Protocol: 'http' },
  'service-resolver': { DefaultSubset: '', Subsets: {} },
  'service-splitter': { Splits: [{ Weight: 100, ServiceSubset: '' }] },
  'service-router': {
    Routes: [{ Match: { HTTP: { PathPrefix: '/' } }, Destination: { Service: '' } }],
  },
  'service-intentions': { Sources: [{ Name: '*', Action: 'deny' }] },
  'service-scaling': { Min: 1, Max: 10, CPUPercent: 60 },
  'proxy-defaults': { Config: { protocol: 'http' } },
  'ingress-gateway': { Listeners: [{ Port: 8080, Protocol: 'tcp', Services: [{ Name: '' }] }] },
  'terminating-gateway': { Services: [{ Name: '' }] },
};

export function startOf(kind: EntryKind, name: string): string {
  const only = kind === 'mesh' ? 'mesh' : 'global';
  return laidOut({
    Kind: kind,
    Name: KINDS[kind] === 'global' ? only : name,
    ...STARTS[kind],
  });
}

/** Without what the server alone says of it. */
export function textOf({ CreateIndex: _, ModifyIndex: __, ...own }: ConfigEntryRow): string {
  return laidOut(own);
}

/** As it is shown, and changed in a form: what is secret in it is hidden. */
export function shownTextOf(entry: ConfigEntryRow): string {
  return textWithoutSecrets(textOf(entry));
}

/** What was hidden in the one that it was is sent as it stands there; undefined where that is not known of all of it. */
export function changeEntry(text: string, before: ConfigEntryRow): Action | undefined {
  const whole = textWithSecrets(text, before);
  return hasHidden(whole) ? undefined : writeEntry(whole, before.ModifyIndex);
}

function laidOut(value: object): string {
  return writeJson(value, 2);
}

export interface Said {
  readonly Kind: string;
  readonly Name: string;
}

/** What a text is, as far as it is an entry; undefined where it is none. */
export function saidIn(text: string): Said | undefined {
  try {
    const value: unknown = readJson(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { Kind, Name } = value as Partial<Said>;
    return typeof Kind === 'string' && typeof Name === 'string' ? { Kind, Name } : undefined;
  } catch {
    return undefined;
  }
}

/** Upon what stands there: 0 where there is none. */
export function writeEntry(text: string, index: number): Action | undefined {
  if (saidIn(text) === undefined) return undefined;
  return {
    method: 'PUT',
    path: `/v1/config?cas=${index}`,
    body: text,
    command: { words: ['config', 'write', '-cas', `-modify-index=${index}`, '-'] },
    input: text,
  };
}

export function deleteEntry({
  Kind,
  Name,
  ModifyIndex,
}: Pick<ConfigEntryRow, 'Kind' | 'Name' | 'ModifyIndex'>): Action {
  return {
    method: 'DELETE',
    path: `${entryPath(Kind, Name)}?cas=${ModifyIndex}`,
    command: {
      words: [
        ...['config', 'delete', `-kind=${Kind}`, `-name=${Name}`],
        ...['-cas', `-modify-index=${ModifyIndex}`],
      ],
    },
  };
}

export function entryPath(kind: string, name: string): string {
  return `/v1/config/${encodeURIComponent(kind)}/${encodeURIComponent(name)}`;
}

/** By what it may be written. */
export function rightOf({ Kind, Name }: Said): Right {
  if (Kind === 'service-intentions') {
    return { Resource: 'intention', Access: 'write', Segment: Name };
  }
  return isOfService({ Kind }) && !Kind.endsWith('-gateway')
    ? { Resource: 'service', Access: 'write', Segment: Name }
    : { Resource: 'mesh', Access: 'write' };
}

/** Where a name stands that is a service's, by the field that it is in. */
const SERVICE_FIELDS: ReadonlySet<string> = new Set(['Service', 'ServiceName']);
/** Lists of which each has a service for its name. */
const SERVICE_LISTS: ReadonlySet<string> = new Set(['Services', 'Sources']);

/** The services that it names, but for its own. */
export function leadsTo(entry: ConfigEntryRow): readonly string[] {
  const found: string[] = [];
  collect(entry, found);
  const own = isOfService(entry) ? entry.Name : '';
  return several(found.filter((name) => name !== '' && name !== '*' && name !== own));
}

function collect(value: unknown, found: string[], list = ''): void {
  if (Array.isArray(value)) {
    for (const each of value) collect(each, found, list);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, each] of Object.entries(value)) {
      const isName = SERVICE_FIELDS.has(name) || (name === 'Name' && SERVICE_LISTS.has(list));
      if (typeof each === 'string' && isName) found.push(each);
      else collect(each, found, name);
    }
  }
}

/** Those that name a service: they are of it, or lead to it. */
export function entriesAbout(
  all: readonly ConfigEntryRow[],
  service: string,
): readonly ConfigEntryRow[] {
  return all.filter(
    (entry) => (isOfService(entry) && entry.Name === service) || leadsTo(entry).includes(service),
  );
}
