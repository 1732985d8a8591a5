/** Tokens: what may be done with them, and with one's own. */
import {
  filled,
  flagsOf,
  type GrantTexts,
  grantsIn,
  grantsOf,
  pathOf,
  type TokenInFull,
  type TokenRow,
} from './access.ts';
import type { Action } from './action.ts';

export interface TokenDraft extends GrantTexts {
  readonly description: string;
  readonly isLocal: boolean;
  /** `1h30m`; '' for one that stays. */
  readonly ttl: string;
}

export function makeToken(draft: TokenDraft, datacenter: string): Action {
  const { description, isLocal, ttl } = draft;
  const flags = flagsOf(draft, datacenter);
  return {
    method: 'PUT',
    path: '/v1/acl/token',
    body: {
      Description: description,
      ...filled(grantsOf(draft, {}, datacenter)),
      ...(isLocal && { Local: true }),
      ...(ttl !== '' && { ExpirationTTL: ttl }),
    },
    command: flags && {
      words: [
        ...['acl', 'token', 'create', `-description=${description}`],
        ...flags,
        ...(isLocal ? ['-local'] : []),
        ...(ttl === '' ? [] : [`-expires-ttl=${ttl}`]),
      ],
    },
  };
}

export function changeToken(token: TokenRow, draft: TokenDraft, datacenter: string): Action {
  const { AccessorID, Local, AuthMethod, ExpirationTime } = token;
  const flags = flagsOf(draft, datacenter);
  return {
    method: 'PUT',
    path: pathOf('token', AccessorID),
    body: {
      Description: draft.description,
      ...filled(grantsOf(draft, token, datacenter)),
      Local,
      ...(AuthMethod !== undefined && { AuthMethod }),
      ...(ExpirationTime !== undefined && { ExpirationTime }),
    },
    // It leaves a description as it is where it is given none.
    command:
      draft.description === ''
        ? undefined
        : flags && {
            words: [
              ...['acl', 'token', 'update', `-id=${AccessorID}`],
              `-description=${draft.description}`,
              ...flags,
            ],
          },
  };
}

export function deleteToken({ AccessorID }: TokenRow): Action {
  return {
    method: 'DELETE',
    path: pathOf('token', AccessorID),
    command: { words: ['acl', 'token', 'delete', `-id=${AccessorID}`] },
  };
}

/** With both of its ids, so that whoever has it can go on. */
export function restoreToken({
  AccessorID,
  SecretID,
  Description,
  Local,
  ...rest
}: TokenInFull): Action {
  const { ExpirationTime } = rest;
  return {
    method: 'PUT',
    path: '/v1/acl/token',
    body: {
      AccessorID,
      SecretID,
      Description,
      Local,
      ...grantsIn(rest),
      ...(ExpirationTime !== undefined && { ExpirationTime }),
    },
  };
}

export function cloneToken({ AccessorID, Description }: TokenRow): Action {
  return {
    method: 'PUT',
    path: `${pathOf('token', AccessorID)}/clone`,
    body: { Description },
    command: {
      words: ['acl', 'token', 'clone', `-id=${AccessorID}`, `-description=${Description}`],
    },
  };
}

/** The first token, where there is none yet. */
export function bootstrap(): Action {
  return { method: 'PUT', path: '/v1/acl/bootstrap', command: { words: ['acl', 'bootstrap'] } };
}

/** Ends a token that a login gave; any other is forgotten by the page, and goes on. */
export function logOut(): Action {
  return { method: 'POST', path: '/v1/acl/logout', command: { words: ['logout'] } };
}
