/** Intentions as Consul 1.8 has them: each by itself, with an id. They are kept in service-intentions. */
import { createHash } from 'node:crypto';
import { derivedUuid } from '../ids.ts';
import type { ConfigEntry, Intention, IntentionDefinition } from './entry.ts';
import {
  precedenceOf,
  SERVICE_INTENTIONS,
  type ServiceIntentions,
  type SourceIntention,
} from './kinds/service-intentions.ts';

/** Those that an entry holds, as they are written. Calls are judged by `judgedIn`. */
export function intentionsIn(entry: ServiceIntentions & ConfigEntry): Intention[] {
  const { CreateIndex, ModifyIndex } = entry;
  const here = (entry.Sources ?? []).filter(isHere);
  return here.map((source) => ({
    ID: '',
    Meta: {},
    DefaultAddr: '',
    DefaultPort: 0,
    createdAt: 0,
    updatedAt: 0,
    CreateIndex,
    ModifyIndex,
    ...source.legacy,
    SourceName: source.Name,
    DestinationName: entry.Name,
    Action: source.Action ?? '',
    ...(source.Permissions && { Permissions: source.Permissions }),
    ...(entry.JWT !== undefined && { JWT: entry.JWT as object }),
    Description: source.Description ?? '',
  }));
}

/** The same as they count where a call is judged. */
export function judgedIn(entry: ServiceIntentions & ConfigEntry): Intention[] {
  return intentionsIn(entry).map(judged);
}

/** Of callers who are to show a token of a user besides: nobody looks at it here, so nobody is let in. */
function judged({ JWT: token, ...intention }: Intention): Intention {
  if (token === undefined) return intention;
  const { Action, Permissions } = intention;
  const permissions = (Permissions as PermissionsOf | undefined)?.map((each) =>
    each.Action === 'allow' ? { ...each, JWT: each.JWT ?? token } : each,
  );
  return {
    ...intention,
    Action: Action === 'allow' ? 'deny' : Action,
    ...(permissions && { Permissions: permissions }),
  };
}

/** Of another cluster, or of a group of them: nobody here is such a caller, though he has the same name. */
export function isHere({ Peer, SamenessGroup }: SourceIntention): boolean {
  return !Peer && !SamenessGroup;
}

type PermissionsOf = NonNullable<SourceIntention['Permissions']>;

/** The other way: its part of the entry that is named after its destination. */
export function sourceOf(intention: Intention): SourceIntention {
  const { SourceName, DestinationName, Action, Permissions, Description, ...rest } = intention;
  const { JWT: _, ...legacy } = rest;
  return {
    Name: SourceName,
    ...(Action !== '' && { Action }),
    ...(Permissions && { Permissions: Permissions as PermissionsOf }),
    Precedence: precedenceOf(SourceName, DestinationName),
    Type: 'consul',
    ...(Description !== '' && { Description }),
    legacy,
  };
}

/** The entry that all of one destination make. */
export function entryOf(all: readonly Intention[]): ConfigEntry {
  const sorted = [...all].sort(byPrecedence);
  return {
    Kind: SERVICE_INTENTIONS.kind,
    Name: sorted[0]?.DestinationName ?? '',
    Sources: sorted.map(sourceOf),
    CreateIndex: Math.min(...all.map(({ CreateIndex }) => CreateIndex)),
    ModifyIndex: Math.max(...all.map(({ ModifyIndex }) => ModifyIndex)),
  };
}

export function precedenceIn({ SourceName, DestinationName }: IntentionDefinition): number {
  return precedenceOf(SourceName, DestinationName);
}

/** The first one that is about a call decides. */
export function byPrecedence(a: Intention, b: Intention): number {
  return (
    precedenceIn(b) - precedenceIn(a) ||
    order(a.SourceName, b.SourceName) ||
    order(a.DestinationName, b.DestinationName)
  );
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** `ALLOW default/web => default/db (ID: …, Precedence: 9)` */
export function spokenIntention(intention: Intention): string {
  const { SourceName, DestinationName, Action, ID } = intention;
  const what = Action === '' ? 'PERMISSIONS' : Action.toUpperCase();
  const precedence = precedenceIn(intention);
  return `${what} default/${SourceName} => default/${DestinationName} (ID: ${ID}, Precedence: ${precedence})`;
}

const NAMESPACE = 'default';

/** As /v1/connect/intentions writes it. */
export function shownIntention(intention: Intention) {
  const { ID, Description, SourceName, DestinationName, Action, Permissions, JWT } = intention;
  const { DefaultAddr, DefaultPort, Meta, CreateIndex, ModifyIndex } = intention;
  return {
    ID,
    Description,
    SourceNS: NAMESPACE,
    SourceName,
    DestinationNS: NAMESPACE,
    DestinationName,
    SourceType: 'consul',
    Action,
    ...(Permissions !== undefined && { Permissions }),
    ...(JWT !== undefined && { JWT }),
    DefaultAddr,
    DefaultPort,
    Meta,
    Precedence: precedenceIn(intention),
    CreatedAt: timeOf(intention.createdAt),
    UpdatedAt: timeOf(intention.updatedAt),
    Hash: hashOf(intention).toString('base64'),
    CreateIndex,
    ModifyIndex,
  };
}

function timeOf(ms: number): string {
  return ms === 0 ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString();
}

export function hashOf(intention: IntentionDefinition): Buffer {
  const { SourceName, DestinationName, Action, Description, Meta, DefaultAddr, DefaultPort } =
    intention;
  const said = { SourceName, DestinationName, Action, Description, Meta, DefaultAddr, DefaultPort };
  return createHash('sha256').update(JSON.stringify(said)).digest();
}

/** Whether a Consul of 1.8 can know it: it has nothing but an action. */
export function isPlainEntry({ Sources, JWT, Meta }: ServiceIntentions): boolean {
  const isPlain = ({ Permissions, Peer, SamenessGroup, Action }: SourceIntention) =>
    Action !== undefined && [Permissions, Peer, SamenessGroup].every((each) => each === undefined);
  return JWT === undefined && Meta === undefined && (Sources ?? []).every(isPlain);
}

type Named = Pick<IntentionDefinition, 'SourceName' | 'DestinationName'>;

/** An id for one that has none, the same each time. */
export function derivedId({ SourceName, DestinationName }: Named): string {
  return derivedUuid(SourceName, DestinationName);
}
