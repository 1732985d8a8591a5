/** Who may call whom, as the API has it: intentions, and what may be done with them. */

import type { StringMap } from '../../lib/model.ts';
import type { Action } from './action.ts';
import { withQuery } from './asked-path.ts';
import { readJson, writeJson } from './exact-json.ts';
import { holds } from './holds.ts';

export const INTENTIONS = '/v1/connect/intentions';

/** In bytes: the server takes no longer one. */
const MAX_FILTER = 4096;

/** Those of which it holds, and perhaps others: names may be longer than a filter. */
export function intentionsBy(filter: string): string {
  const { length } = new TextEncoder().encode(filter);
  return length > MAX_FILTER ? INTENTIONS : withQuery(INTENTIONS, { filter });
}

export interface PermissionRow {
  readonly Action: string;
  readonly HTTP?: {
    readonly PathExact?: string;
    readonly PathPrefix?: string;
    readonly PathRegex?: string;
    readonly Methods?: readonly string[] | null;
    readonly Header?: readonly HeaderRow[] | null;
  };
  /** The token of a user that a caller is to show besides. */
  readonly JWT?: object;
}

export interface HeaderRow {
  readonly Name: string;
  readonly Present?: boolean;
  readonly Exact?: string;
  readonly Prefix?: string;
  readonly Suffix?: string;
  readonly Contains?: string;
  readonly Regex?: string;
  readonly Invert?: boolean;
}

export interface IntentionRow {
  readonly SourceName: string;
  readonly DestinationName: string;
  /** '' where its permissions say it, request by request. */
  readonly Action: string;
  readonly Permissions?: readonly PermissionRow[];
  /** Of all callers of the one that is called: it is not this one's own. */
  readonly JWT?: object;
  readonly Description: string;
  readonly Meta: StringMap | null;
  readonly UpdatedAt: string;
  readonly ModifyIndex: number;
}

/** Stands for every service. */
export const ANY = '*';

export const DECISIONS = ['allow', 'deny', 'requests'] as const;
/** `requests`: it is decided request by request. */
export type Decision = (typeof DECISIONS)[number];

/** What comes of it. Nobody looks at the tokens of users here, so who is to show one is not let in. */
export function decisionOf(row: Pick<IntentionRow, 'Action' | 'JWT'>): Decision {
  const said = saidOf(row);
  return said === 'allow' && row.JWT !== undefined ? 'deny' : said;
}

/** As it is written. */
export function saidOf({ Action }: Pick<IntentionRow, 'Action'>): Decision {
  if (Action === '') return 'requests';
  return Action === 'allow' ? 'allow' : 'deny';
}

/** How exact it is: the more exact one counts. 0 is of both ends. */
export function rankOf({ SourceName, DestinationName }: IntentionRow): 0 | 1 | 2 | 3 {
  if (DestinationName === ANY) return SourceName === ANY ? 3 : 2;
  return SourceName === ANY ? 1 : 0;
}

type Deciding = (source: string, destination: string) => IntentionRow | undefined;

/** Which one decides, of a list with the one that counts first in front; undefined where nobody says anything. */
export function decidingIn(all: readonly IntentionRow[]): Deciding {
  const keyOf = (source: string, destination: string) => `${source}\0${destination}`;
  const byEnds = new Map<string, { readonly row: IntentionRow; readonly turn: number }>();
  for (const [turn, row] of all.entries()) {
    const key = keyOf(row.SourceName, row.DestinationName);
    if (!byEnds.has(key)) byEnds.set(key, { row, turn });
  }
  return (source, destination) => {
    const said = [source, ANY].flatMap((from) =>
      [destination, ANY].flatMap((to) => byEnds.get(keyOf(from, to)) ?? []),
    );
    return said.sort((a, b) => a.turn - b.turn)[0]?.row;
  };
}

export interface IntentionDraft {
  readonly source: string;
  readonly destination: string;
  readonly decision: Decision;
  readonly description: string;
  /** As JSON. */
  readonly permissions: string;
}

export const PERMISSIONS_START = writeJson(
  [
    { Action: 'allow', HTTP: { PathPrefix: '/', Methods: ['GET'] } },
    { Action: 'deny', HTTP: { PathPrefix: '/' } },
  ],
  2,
);

export function draftOfIntention(row: IntentionRow): IntentionDraft {
  const { SourceName, DestinationName, Description, Permissions } = row;
  return {
    source: SourceName,
    destination: DestinationName,
    decision: saidOf(row),
    description: Description,
    permissions: Permissions === undefined ? PERMISSIONS_START : writeJson(Permissions, 2),
  };
}

/** Where there is none yet: one that is there is not overwritten. Undefined where it cannot be sent. */
export function makeIntention(draft: IntentionDraft): Action | undefined {
  const body = bodyOf(draft, null);
  return (
    body && {
      method: 'POST',
      path: INTENTIONS,
      body,
      command: { words: ['intention', 'create', '-file', '-'] },
      input: writeJson(body),
    }
  );
}

/** In the place of the one that is there, if it is. */
export function writeIntention(draft: IntentionDraft, meta: StringMap | null): Action | undefined {
  const body = bodyOf(draft, meta);
  return (
    body && {
      method: 'PUT',
      path: exactPath(draft.source, draft.destination),
      body,
      command: { words: ['intention', 'create', '-replace', '-file', '-'] },
      input: writeJson(body),
    }
  );
}

function bodyOf(
  { source, destination, decision, description, permissions }: IntentionDraft,
  meta: StringMap | null,
): object | undefined {
  const Permissions = decision === 'requests' ? listIn(permissions) : undefined;
  if (source === '' || destination === '') return undefined;
  if (decision === 'requests' && Permissions === undefined) return undefined;
  return {
    SourceName: source,
    DestinationName: destination,
    ...(decision === 'requests' ? { Permissions } : { Action: decision }),
    ...(description !== '' && { Description: description }),
    ...(meta !== null && Object.keys(meta).length > 0 && { Meta: meta }),
  };
}

/** Only while it says what was seen: its index is that of all intentions for its destination. */
export function whileItSays(action: Action, row: IntentionRow): Action {
  const { SourceName, DestinationName, Action: said, Permissions, JWT, Description, Meta } = row;
  const seen = { Action: said, Permissions, JWT, Description, Meta };
  const isStill = (there: unknown) => holds(there, seen);
  return { ...action, upon: { at: exactPath(SourceName, DestinationName), isStill } };
}

/** As it is, over what stands there. */
export function restoreIntention(row: IntentionRow): Action | undefined {
  return writeIntention(draftOfIntention(row), row.Meta);
}

/**
 * After it was deleted, where nobody has made another since. With the last one what the entry asks for besides is gone,
 * and it would let in more: then there is no way back.
 */
export function remakeIntention(row: IntentionRow): Action | undefined {
  if (row.JWT !== undefined) return undefined;
  const body = bodyOf(draftOfIntention(row), row.Meta);
  return body && { method: 'POST', path: INTENTIONS, body };
}

export function deleteIntention(row: Pick<IntentionRow, 'SourceName' | 'DestinationName'>): Action {
  const { SourceName, DestinationName } = row;
  return {
    method: 'DELETE',
    path: exactPath(SourceName, DestinationName),
    command: { words: ['intention', 'delete'], args: [SourceName, DestinationName] },
  };
}

export function checkPath(source: string, destination: string): string {
  return `${INTENTIONS}/check?${new URLSearchParams({ source, destination })}`;
}

export function exactPath(source: string, destination: string): string {
  return `${INTENTIONS}/exact?${new URLSearchParams({ source, destination })}`;
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = readJson(text);
    return Array.isArray(value) && value.length > 0 ? value : undefined;
  } catch {
    return undefined;
  }
}
