/** Consul's objects of access control, with its own field names, as the log and the state have them. */
import type { Indexed } from '../model.ts';

export interface ServiceIdentity {
  readonly ServiceName: string;
  /** Where it counts; everywhere if there are none. */
  readonly Datacenters: readonly string[] | null;
}

export interface NodeIdentity {
  readonly NodeName: string;
  readonly Datacenter: string;
}

export interface TemplatedPolicy {
  readonly TemplateName: string;
  readonly TemplateVariables: { readonly Name: string } | null;
  readonly Datacenters: readonly string[] | null;
}

/** What gives rights: to a token, or to a role. */
export interface Grants {
  /** Ids. What is gone from its table meanwhile gives nothing. */
  readonly Policies: readonly string[];
  readonly ServiceIdentities: readonly ServiceIdentity[];
  readonly NodeIdentities: readonly NodeIdentity[];
  readonly TemplatedPolicies: readonly TemplatedPolicy[];
}

export interface PolicyDefinition {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
  readonly Rules: string;
  readonly Datacenters: readonly string[] | null;
  readonly Hash: string;
}

export interface Policy extends PolicyDefinition, Indexed {}

export interface RoleDefinition extends Grants {
  readonly ID: string;
  readonly Name: string;
  readonly Description: string;
  readonly Hash: string;
}

export interface Role extends RoleDefinition, Indexed {}

export interface TokenDefinition extends Grants {
  /** '' of tokens of the API before Consul 1.4, which have the secret alone. */
  readonly AccessorID: string;
  readonly SecretID: string;
  readonly Description: string;
  /** Ids, as those of policies. */
  readonly Roles: readonly string[];
  readonly Local: boolean;
  /** '' unless somebody logged in by it. */
  readonly AuthMethod: string;
  /** Both of the API before Consul 1.4, else ''. */
  readonly Type: '' | 'client' | 'management';
  readonly Rules: string;
  readonly Hash: string;
}

export interface Token extends TokenDefinition, Indexed {
  /** By the log's clock, milliseconds since 1970; 0 where nobody knows. */
  readonly createdAt: number;
  /** The same; 0 for one that does not expire. */
  readonly expiresAt: number;
}

/** How people and programs that somebody else knows come to a token. */
export interface AuthMethodDefinition {
  readonly Name: string;
  readonly Type: string;
  readonly DisplayName: string;
  readonly Description: string;
  /** Nanoseconds; 0 where tokens stay until somebody ends them. */
  readonly MaxTokenTTL: number;
  readonly TokenLocality: '' | 'local' | 'global';
  /** As it was sent, with whatever names its type takes. May hold secrets. */
  readonly Config: Readonly<Record<string, unknown>>;
}

export interface AuthMethod extends AuthMethodDefinition, Indexed {}

/** What somebody gets whom an auth method knows. */
export interface BindingRuleDefinition {
  readonly ID: string;
  readonly Description: string;
  /** The method's name. */
  readonly AuthMethod: string;
  /** A filter over what the method tells of them; '' is everybody. */
  readonly Selector: string;
  readonly BindType: string;
  /** What it is the name of; `${...}` stands for what the method tells. */
  readonly BindName: string;
  /** Of a templated policy. */
  readonly BindVars: { readonly Name: string } | null;
}

export interface BindingRule extends BindingRuleDefinition, Indexed {}

export const MANAGEMENT_POLICY_ID = '00000000-0000-0000-0000-000000000001';
export const ANONYMOUS_ACCESSOR_ID = '00000000-0000-0000-0000-000000000002';
/** What whoever sends no token has. */
export const ANONYMOUS_SECRET = 'anonymous';
