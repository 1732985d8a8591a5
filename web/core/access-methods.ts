/** How people come to a token whom somebody else knows: auth methods, and what their rules give. */
import type { BindingRuleRow, MethodRow } from './access.ts';
import type { Action } from './action.ts';
import { readJson, writeJson } from './exact-json.ts';
import { hasHidden, withSecrets } from './secrets.ts';

export const METHOD_TYPES = ['oidc', 'jwt', 'kubernetes'] as const;
export type MethodType = (typeof METHOD_TYPES)[number];

export interface MethodDraft {
  readonly name: string;
  readonly type: MethodType;
  readonly displayName: string;
  readonly description: string;
  readonly ttl: string;
  /** As JSON. */
  readonly config: string;
}

/** What a configuration begins with: the fields without which it is refused. */
export const CONFIG_STARTS: Readonly<Record<MethodType, object>> = {
  oidc: {
    OIDCDiscoveryURL: '',
    OIDCClientID: '',
    OIDCClientSecret: '',
    AllowedRedirectURIs: [],
    ClaimMappings: {},
  },
  jwt: { JWKSURL: '', BoundIssuer: '', BoundAudiences: [], ClaimMappings: {} },
  kubernetes: { Host: 'https://', CACert: '', ServiceAccountJWT: '' },
};

/** Undefined where its configuration is no object of JSON, or something in it is hidden of which nobody knows what it is. */
export function writeMethod(before: MethodRow | undefined, draft: MethodDraft): Action | undefined {
  const { name, type, displayName, description, ttl } = draft;
  const said = objectIn(draft.config);
  if (said === undefined || name === '') return undefined;
  const config = withSecrets(said, before?.Config ?? {});
  if (hasHidden(writeJson(config))) return undefined;
  const path = '/v1/acl/auth-method';
  const flags = [
    ...(displayName === '' ? [] : [`-display-name=${displayName}`]),
    ...(description === '' ? [] : [`-description=${description}`]),
    ...(ttl === '' ? [] : [`-max-token-ttl=${ttl}`]),
    '-config=-',
  ];
  return {
    method: 'PUT',
    path: before === undefined ? path : `${path}/${encodeURIComponent(before.Name)}`,
    body: {
      Name: name,
      Type: type,
      ...(displayName !== '' && { DisplayName: displayName }),
      ...(description !== '' && { Description: description }),
      ...(ttl !== '' && { MaxTokenTTL: ttl }),
      ...(before?.TokenLocality !== undefined && { TokenLocality: before.TokenLocality }),
      Config: config,
    },
    // Who updates by a command leaves empty what it is not given.
    ...(before === undefined && {
      command: {
        words: ['acl', 'auth-method', 'create', `-name=${name}`, `-type=${type}`, ...flags],
      },
      input: writeJson(config),
    }),
  };
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = readJson(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

export function deleteMethod({ Name }: MethodRow): Action {
  return {
    method: 'DELETE',
    path: `/v1/acl/auth-method/${encodeURIComponent(Name)}`,
    command: { words: ['acl', 'auth-method', 'delete', `-name=${Name}`] },
  };
}

export const BIND_TYPES = ['service', 'node', 'role', 'policy', 'templated-policy'] as const;
export type BindType = (typeof BIND_TYPES)[number];

export interface RuleDraft {
  readonly description: string;
  readonly selector: string;
  readonly bindType: BindType;
  readonly bindName: string;
  /** Of a templated policy. */
  readonly variable: string;
}

export function writeBindingRule(method: string, id: string, draft: RuleDraft): Action {
  const { description, selector, bindType, bindName, variable } = draft;
  const path = '/v1/acl/binding-rule';
  const of = id === '' ? ['create', `-method=${method}`] : ['update', `-id=${id}`, '-no-merge'];
  const isTemplate = bindType === 'templated-policy';
  return {
    method: 'PUT',
    path: id === '' ? path : `${path}/${id}`,
    body: {
      ...(id !== '' && { ID: id }),
      AuthMethod: method,
      Description: description,
      Selector: selector,
      BindType: bindType,
      BindName: bindName,
      ...(isTemplate && variable !== '' && { BindVars: { Name: variable } }),
    },
    ...(!isTemplate && {
      command: {
        words: [
          ...['acl', 'binding-rule', ...of, `-bind-type=${bindType}`, `-bind-name=${bindName}`],
          ...(selector === '' ? [] : [`-selector=${selector}`]),
          ...(description === '' ? [] : [`-description=${description}`]),
        ],
      },
    }),
  };
}

export function ruleDraftOf(row: BindingRuleRow): RuleDraft {
  const { Description, Selector, BindName } = row;
  return {
    description: Description,
    selector: Selector,
    bindType: BIND_TYPES.find((each) => each === row.BindType) ?? 'service',
    bindName: BindName,
    variable: row.BindVars?.Name ?? '',
  };
}

export function deleteBindingRule({ ID }: BindingRuleRow): Action {
  return {
    method: 'DELETE',
    path: `/v1/acl/binding-rule/${ID}`,
    command: { words: ['acl', 'binding-rule', 'delete', `-id=${ID}`] },
  };
}
