/** What bodies of /v1/acl/token say. */
import type { Token, TokenDefinition } from '../../../../lib/acl/model.ts';
import { decoder } from '../../../../lib/decode.ts';
import { formatDuration, NS_PER_MS } from '../../../../lib/duration.ts';
import type { Expiry } from '../../../acl-commands.ts';
import type { Acl } from '../../../state/acl.ts';
import { badRequest, rejected } from './deps.ts';
import { type GrantsBody, grantsSchema, type Link, links, roleIds, toGrants } from './grants.ts';

export interface TokenBody extends GrantsBody {
  readonly AccessorID: string;
  readonly SecretID: string;
  readonly Description: string;
  readonly Roles: readonly Link[];
  readonly Local: boolean;
  readonly AuthMethod: string;
  readonly ExpirationTTL: number;
  readonly ExpirationTime: string;
  readonly Rules: string;
}

const text = { type: 'string', default: '' } as const;

export const tokenBody = decoder<TokenBody>(
  {
    type: 'object',
    properties: {
      AccessorID: text,
      SecretID: text,
      Description: text,
      ...grantsSchema,
      Roles: links,
      Local: { type: 'boolean', default: false },
      AuthMethod: text,
      ExpirationTTL: { duration: true, default: 0 },
      ExpirationTime: text,
      Rules: text,
    },
    unheeded: [
      ...['AuthMethodNamespace', 'CreateIndex', 'CreateTime', 'Hash', 'Legacy', 'ModifyIndex'],
      ...['Name', 'Type'],
    ],
  },
  'Bad request: Token decoding failed',
);

export type Said = Omit<TokenDefinition, 'AccessorID' | 'SecretID' | 'Hash'>;

export function toToken(acl: Acl, body: TokenBody): Said {
  if (body.Rules !== '') throw rejected('Rules cannot be specified for this token');
  const { Description, Local, AuthMethod } = body;
  return {
    Description,
    ...toGrants(acl, body, 'token', Local),
    Roles: roleIds(acl, body.Roles),
    Local,
    AuthMethod,
    Type: '',
    Rules: '',
  };
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Of a new token. */
export function expiryOf(body: TokenBody, now: number): Expiry {
  const { atMs, ttlMs } = saidExpiry(body);
  if (atMs !== 0 && ttlMs !== 0) {
    throw rejected('Token Expiration TTL and Expiration Time cannot both be set');
  }
  if (atMs === 0 && ttlMs === 0) return { atMs, ttlMs };
  const livesMs = ttlMs === 0 ? atMs - now : ttlMs;
  const was = `in the future (was ${formatDuration(Math.round(livesMs * NS_PER_MS))})`;
  if (livesMs < 0) throw rejected('ExpirationTime cannot be before CreateTime');
  if (livesMs < MINUTE_MS) throw rejected(`ExpirationTime cannot be less than 1m0s ${was}`);
  if (livesMs > DAY_MS) throw rejected(`ExpirationTime cannot be more than 24h0m0s ${was}`);
  return { atMs, ttlMs };
}

/** Of a token that is there: it is read back and written again by those who change it. */
export function saidExpiry({ ExpirationTTL: ns, ExpirationTime: at }: TokenBody): Expiry {
  if (ns < 0) throw rejected(`Token Expiration TTL '${formatDuration(ns)}' should be > 0`);
  const atMs = RFC_3339.test(at) ? Date.parse(at) : Number.NaN;
  if (at !== '' && Number.isNaN(atMs)) {
    throw badRequest(`Token decoding failed: parsing time ${JSON.stringify(at)}: no such time`);
  }
  return { atMs: at === '' ? 0 : atMs, ttlMs: ns / NS_PER_MS };
}

/** What a copy takes over. */
export function copied(row: Token, Description: string): Said {
  const { Policies, Roles, ServiceIdentities, NodeIdentities, TemplatedPolicies, Local } = row;
  return {
    Description: Description === '' ? row.Description : Description,
    Policies,
    Roles,
    ServiceIdentities,
    NodeIdentities,
    TemplatedPolicies,
    Local,
    AuthMethod: '',
    Type: '',
    Rules: '',
  };
}
