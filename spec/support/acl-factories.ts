/** Objects of access control in which only what a case is about stands out. */
import type { PolicyDefinition, RoleDefinition, TokenDefinition } from '../../lib/acl/model.ts';

const NO_GRANTS = {
  Policies: [],
  ServiceIdentities: [],
  NodeIdentities: [],
  TemplatedPolicies: [],
};

export function policyNamed(Name: string, over: Partial<PolicyDefinition> = {}): PolicyDefinition {
  const base = { ID: `policy-${Name}`, Description: '', Rules: '', Datacenters: null, Hash: 'h' };
  return { ...base, Name, ...over };
}

export function roleNamed(Name: string, over: Partial<RoleDefinition> = {}): RoleDefinition {
  return { ID: `role-${Name}`, Description: '', Hash: 'h', ...NO_GRANTS, Name, ...over };
}

export function tokenNamed(SecretID: string, over: Partial<TokenDefinition> = {}): TokenDefinition {
  return {
    AccessorID: `accessor-${SecretID}`,
    Description: '',
    Roles: [],
    Local: false,
    AuthMethod: '',
    Type: '',
    Rules: '',
    Hash: 'h',
    ...NO_GRANTS,
    SecretID,
    ...over,
  };
}
