/**
 * Access control, TLS (tls.ts) and what is sealed (encrypt.ts). What is not built yet is refused by name where it
 * is asked for: a registry that runs open although its configuration says otherwise is the worst answer.
 */

import {
  bool,
  choice,
  duration,
  isTree,
  noEffect,
  optional,
  refused,
  type Settled,
  strings,
  type Tree,
  text,
  tree,
} from '../row.ts';
import { ENCRYPT_KEYS } from './encrypt.ts';
import { networks } from './http.ts';
import { AUTO_KEYS, TLS_KEYS } from './tls.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const NO_ACL = 'access control is not built yet';
const OPEN = 'access control (anybody may read and write)';

const deny = (value: string, given: Tree) => {
  // Whoever turns it off in so many words believes nothing else.
  const off = isTree(given['acl']) && given['acl']['enabled'] === false;
  return value === 'deny' && !off;
};

const defaultPolicy = (shown: { readonly shown?: string } = {}) =>
  choice(OPEN, ['allow', 'deny'], { effect: 'refused', asks: deny, ...shown });

const ACL_KEYS = {
  acl: {
    ...refused(OPEN, { enabled: bool('', { shown: 'ACLsEnabled' }) }),
    default_policy: defaultPolicy({ shown: 'ACLDefaultPolicy' }),
    enable_token_persistence: bool('Keep tokens that were set over HTTP in data_dir.', {
      shown: 'ACLEnableTokenPersistence',
    }),
    tokens: {
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
      ...noEffect(NO_ACL, {
        master: text('', { shown: 'ACLMasterToken', secret: true }),
        managed_service_provider: [{ accessor_id: text(), secret_id: text() }] as const,
        initial_management: text(),
        config_file_service_registration: text(),
        dns: text(),
      }),
    },
    ...noEffect(NO_ACL, {
      enable_token_replication: bool('', { shown: 'ACLTokenReplication' }),
      policy_ttl: duration('', { default: 30 * SECOND, shown: 'ACLPolicyTTL' }),
      role_ttl: duration('', { shown: 'ACLRoleTTL' }),
      token_ttl: duration('', { default: 30 * SECOND, shown: 'ACLTokenTTL' }),
      disabled_ttl: duration('', { default: 2 * MINUTE, shown: 'ACLDisabledTTL' }),
      down_policy: choice('', ['extend-cache', 'async-cache', 'allow', 'deny'], {
        shown: 'ACLDownPolicy',
      }),
      enable_key_list_policy: bool('', { shown: 'ACLEnableKeyListPolicy' }),
      msp_disable_bootstrap: bool(),
    }),
  },
  // As they were before Consul 1.4, where naming the data centre switched access control on.
  ...refused(OPEN, { acl_datacenter: text() }),
  acl_default_policy: defaultPolicy(),
  acl_token: text('The old name of acl.tokens.default.', { reloads: true }),
  acl_agent_token: text('The old name of acl.tokens.agent.', { reloads: true }),
  acl_agent_master_token: text('The old name of acl.tokens.agent_master.', { reloads: true }),
  acl_replication_token: text('The old name of acl.tokens.replication.', { reloads: true }),
  acl_enforce_version_8: optional(bool('Nothing.', { effect: 'deprecated' })),
  ...noEffect(NO_ACL, {
    acl_disabled_ttl: duration(),
    acl_down_policy: text(),
    acl_enable_key_list_policy: bool(),
    acl_master_token: text(),
    acl_ttl: duration(),
    enable_acl_replication: bool(),
  }),
};

export const SECURITY_KEYS = {
  ...ACL_KEYS,
  ...TLS_KEYS,
  ...AUTO_KEYS,
  ...ENCRYPT_KEYS,
  audit: tree('an audit log', {
    effect: 'refused',
    asks: (value) => value['enabled'] === true,
  }),
  ...refused('a choice of who may join (anybody may)', {
    serf_lan_allowed_cidrs: strings('', {
      flag: 'serf-lan-allowed-cidrs',
      shown: 'SerfAllowedCIDRsLAN',
      rule: (value, path, problems) => networks(path, value, problems),
    }),
    serf_wan_allowed_cidrs: strings('', {
      flag: 'serf-wan-allowed-cidrs',
      shown: 'SerfAllowedCIDRsWAN',
      rule: (value, path, problems) => networks(path, value, problems),
    }),
  }),
};

export function aclConfig(given: Settled<typeof ACL_KEYS>) {
  const { acl } = given;
  const { tokens } = acl;
  return {
    /** Never, until it is built: the row refuses it. */
    enabled: acl.enabled,
    enableTokenPersistence: acl.enable_token_persistence,
    /** '' for each that is not set. */
    tokens: {
      default: tokens.default || given.acl_token,
      agent: tokens.agent || given.acl_agent_token,
      agentMaster: tokens.agent_recovery || tokens.agent_master || given.acl_agent_master_token,
      replication: tokens.replication || given.acl_replication_token,
    },
  };
}
