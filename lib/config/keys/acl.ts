/** Access control: whether there is any, what holds where no rule does, and the first tokens. */

import type { Problems } from '../problems.ts';
import { bool, choice, duration, noEffect, optional, type Settled, text } from '../row.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const ONE_DATACENTER = 'there is one data centre, whose servers share one state';

/** The first is the default. */
const DEFAULT_POLICIES = ['allow', 'deny'] as const;
const DOWN_POLICIES = ['extend-cache', 'async-cache', 'allow', 'deny'] as const;

export const ACL_KEYS = {
  acl: {
    enabled: optional(
      bool('Access control: who sends no token may do what the anonymous one may.'),
    ),
    default_policy: choice('What holds where no rule says anything.', DEFAULT_POLICIES, {
      shown: 'ACLDefaultPolicy',
    }),
    enable_key_list_policy: bool('Listing keys needs `list`; reading is not enough.', {
      shown: 'ACLEnableKeyListPolicy',
    }),
    report_filtered: bool(
      'Answers say that something was kept back (X-Consul-Results-Filtered-By-ACLs), as later Consuls do: ' +
        'to who sends a token, who may conclude that it is there.',
    ),
    enable_token_persistence: bool('Keep tokens that were set over HTTP in data_dir.', {
      shown: 'ACLEnableTokenPersistence',
    }),
    tokens: {
      initial_management: text('A token that may do anything, made when access control begins.'),
      master: text('The old name of acl.tokens.initial_management.', {
        shown: 'ACLMasterToken',
        secret: true,
      }),
      default: text('The token for requests that bring none.', {
        shown: 'ACLToken',
        secret: true,
        reloads: true,
      }),
      agent: text('The token for what the agent does by itself; else `default`.', {
        shown: 'ACLAgentToken',
        secret: true,
        reloads: true,
      }),
      replication: text('Kept, and shown to nobody.', {
        shown: 'ACLReplicationToken',
        secret: true,
        reloads: true,
      }),
      agent_master: text('Kept, and shown to nobody.', {
        shown: 'ACLAgentMasterToken',
        secret: true,
        reloads: true,
      }),
      agent_recovery: text('The later name of agent_master.', { reloads: true }),
      config_file_service_registration: text(
        'The token for what files and containers register without one; else `default`.',
        { secret: true, reloads: true },
      ),
      dns: text('The token for questions by DNS; else `default`.', {
        secret: true,
        reloads: true,
      }),
      ...noEffect('it is for the providers of a hosted Consul', {
        managed_service_provider: [{ accessor_id: text(), secret_id: text() }] as const,
      }),
    },
    ...noEffect(ONE_DATACENTER, {
      enable_token_replication: bool('', { shown: 'ACLTokenReplication' }),
      msp_disable_bootstrap: bool(),
    }),
    token_ttl: duration('How long an agent believes what a server has said of a token.', {
      default: 30 * SECOND,
      shown: 'ACLTokenTTL',
    }),
    policy_ttl: duration('The same of its rules: the shortest counts.', {
      default: 30 * SECOND,
      shown: 'ACLPolicyTTL',
    }),
    role_ttl: duration('The same of its roles; 0 is as the others.', { shown: 'ACLRoleTTL' }),
    down_policy: choice('What an agent goes by when no server can be asked.', DOWN_POLICIES, {
      shown: 'ACLDownPolicy',
    }),
    ...noEffect('whether there is access control, each configuration says for itself', {
      disabled_ttl: duration('', { default: 2 * MINUTE, shown: 'ACLDisabledTTL' }),
    }),
  },
  // As they were before Consul 1.4.
  acl_datacenter: text('Switches access control on, unless acl.enabled says otherwise.'),
  acl_default_policy: optional(choice('The old name of acl.default_policy.', DEFAULT_POLICIES)),
  acl_enable_key_list_policy: bool('The old name of acl.enable_key_list_policy.'),
  acl_master_token: text('The old name of acl.tokens.initial_management.'),
  acl_token: text('The old name of acl.tokens.default.', { reloads: true }),
  acl_agent_token: text('The old name of acl.tokens.agent.', { reloads: true }),
  acl_agent_master_token: text('The old name of acl.tokens.agent_master.', { reloads: true }),
  acl_replication_token: text('The old name of acl.tokens.replication.', { reloads: true }),
  acl_enforce_version_8: optional(bool('Nothing.', { effect: 'deprecated' })),
  ...noEffect(ONE_DATACENTER, { enable_acl_replication: bool() }),
  acl_ttl: optional(duration('The old name of acl.token_ttl.')),
  acl_down_policy: optional(choice('The old name of acl.down_policy.', DOWN_POLICIES)),
  ...noEffect('whether there is access control, each configuration says for itself', {
    acl_disabled_ttl: duration(),
  }),
};

export function aclConfig(given: Settled<typeof ACL_KEYS>, problems: Problems) {
  const { acl } = given;
  const { tokens } = acl;
  const enabled = acl.enabled ?? given.acl_datacenter !== '';
  const defaultPolicy = given.acl_default_policy ?? acl.default_policy;
  // Whoever turns it off in so many words believes nothing else.
  if (defaultPolicy === 'deny' && !enabled && acl.enabled === undefined) {
    problems.refuse(
      'acl.default_policy = "deny" forbids nothing without acl.enabled = true: say whether there is ' +
        'to be access control',
    );
  }
  return {
    enabled,
    defaultPolicy,
    keyListPolicy: acl.enable_key_list_policy || given.acl_enable_key_list_policy,
    reportsFiltered: acl.report_filtered,
    enableTokenPersistence: acl.enable_token_persistence,
    downPolicy: given.acl_down_policy ?? acl.down_policy,
    ttlMs: ttlOf(given),
    /** '' where there is none. */
    initialManagement: tokens.initial_management || tokens.master || given.acl_master_token,
    /** '' for each that is not set. */
    tokens: {
      default: tokens.default || given.acl_token,
      agent: tokens.agent || given.acl_agent_token,
      agentMaster: tokens.agent_recovery || tokens.agent_master || given.acl_agent_master_token,
      replication: tokens.replication || given.acl_replication_token,
      registration: tokens.config_file_service_registration,
      dns: tokens.dns,
    },
  };
}

/** A token is asked about with all that it comes to: what is to be newest says how often. */
function ttlOf({ acl, acl_ttl }: Settled<typeof ACL_KEYS>): number {
  const roles = acl.role_ttl || Number.POSITIVE_INFINITY;
  return Math.min(acl_ttl ?? acl.token_ttl, acl.policy_ttl, roles);
}
