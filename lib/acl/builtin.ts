/** What is always there under access control, and the first token that may do anything. */
import { createHash } from 'node:crypto';
import {
  ANONYMOUS_ACCESSOR_ID,
  ANONYMOUS_SECRET,
  MANAGEMENT_POLICY_ID,
  type PolicyDefinition,
  type RoleDefinition,
  type TokenDefinition,
} from './model.ts';

/** Consul's words, down to the line break that they begin with. */
const MANAGEMENT_RULES = `
acl = "write"
agent_prefix "" {
	policy = "write"
}
event_prefix "" {
	policy = "write"
}
key_prefix "" {
	policy = "write"
}
keyring = "write"
node_prefix "" {
	policy = "write"
}
operator = "write"
query_prefix "" {
	policy = "write"
}
service_prefix "" {
	policy = "write"
	intentions = "write"
}
session_prefix "" {
	policy = "write"
}`;

export const MANAGEMENT_POLICY: PolicyDefinition = withHash({
  ID: MANAGEMENT_POLICY_ID,
  Name: 'global-management',
  Description: 'Builtin Policy that grants unlimited access',
  Rules: MANAGEMENT_RULES,
  Datacenters: null,
});

export const ANONYMOUS_TOKEN: TokenDefinition = tokenOf({
  AccessorID: ANONYMOUS_ACCESSOR_ID,
  SecretID: ANONYMOUS_SECRET,
  Description: 'Anonymous Token',
});

export function managementToken(
  ids: Pick<TokenDefinition, 'AccessorID' | 'SecretID'>,
  Description: string,
): TokenDefinition {
  const Policies = [MANAGEMENT_POLICY_ID];
  return tokenOf({ ...ids, Description, Policies, Type: 'management' });
}

/** A token of which no more is said has no rights. */
export function tokenOf(
  said: Partial<TokenDefinition> & Pick<TokenDefinition, 'AccessorID' | 'SecretID'>,
): TokenDefinition {
  return withHash({
    Description: '',
    Policies: [],
    Roles: [],
    ServiceIdentities: [],
    NodeIdentities: [],
    TemplatedPolicies: [],
    Local: false,
    AuthMethod: '',
    Type: '',
    Rules: '',
    ...said,
  });
}

type Definition = PolicyDefinition | RoleDefinition | TokenDefinition;

/** Two that say the same have the same hash, whatever their ids. */
export function withHash<T extends Omit<Definition, 'Hash'>>(said: T): T & { Hash: string } {
  const {
    ID: _,
    AccessorID: _a,
    SecretID: _s,
    Hash: _h,
    ...rest
  } = said as Record<string, unknown>;
  const Hash = createHash('sha256').update(JSON.stringify(rest)).digest('base64');
  return { ...said, Hash };
}
