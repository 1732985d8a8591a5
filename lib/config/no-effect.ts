/** Which keys of Consul's are taken and then left lying, and what their user should know. */

import { isTree } from './decode.ts';
import { FOREIGN_KEYS } from './keys-foreign.ts';
import type { Problems } from './problems.ts';
import type { Keys, Kind, Tree } from './schema.ts';

/** Of use, or without meaning for how the program runs, though they stand among the foreign keys. */
const NOT_REPORTED = new Set([
  'config_entries',
  'connect',
  'telemetry',
  'version',
  'version_prerelease',
  'revision',
]);

const WITHOUT_EFFECT: readonly string[] = [
  ...Object.keys(FOREIGN_KEYS).filter((key) => !NOT_REPORTED.has(key)),
  'acl.disabled_ttl',
  'acl.msp_disable_bootstrap',
  'acl.tokens.managed_service_provider',
  'acl_disabled_ttl',
  'connect.ca_config',
  'connect.ca_provider',
  'connect.enable_mesh_gateway_wan_federation',
  'default_query_time',
  'disable_keyring_file',
  'discovery_max_stale',
  'enable_central_service_config',
  'enable_syslog',
  'encrypt',
  'encrypt_verify_incoming',
  'encrypt_verify_outgoing',
  'limits.kv_max_value_size',
  'limits.rpc_handshake_timeout',
  'limits.rpc_max_burst',
  'limits.rpc_max_conns_per_client',
  'limits.rpc_rate',
  'limits.txn_max_req_len',
  'log_rotate_bytes',
  'log_rotate_duration',
  'log_rotate_max_files',
  'max_query_time',
  'non_voting_server',
  'performance.raft_multiplier',
  'performance.rpc_hold_timeout',
  'ports.proxy_max_port',
  'ports.proxy_min_port',
  'ports.serf_wan',
  'reconnect_timeout_wan',
  'retry_interval_wan',
  'retry_join_wan',
  'retry_max_wan',
  'serf_lan_allowed_cidrs',
  'serf_wan',
  'serf_wan_allowed_cidrs',
  'start_join_wan',
  'syslog_facility',
  'translate_wan_addrs',
  'unix_sockets',
  'watches',
];

/** `given` is what flags and files say, without defaults. */
export function reportNoEffect(given: Tree, problems: Problems): void {
  const idle = WITHOUT_EFFECT.filter((path) => at(given, path) !== undefined).sort();
  if (idle.length > 0) {
    problems.warn(`these keys are Consul's, and have no effect here: ${idle.join(', ')}`);
  }
  if (at(given, 'encrypt') !== undefined) {
    problems.warn(
      'encrypt does not protect anything here, for there is no gossip: agents and servers speak ' +
        'HTTP, which TLS protects',
    );
  }
  if (at(given, 'acl_datacenter') !== undefined) {
    problems.warn(
      "The 'acl_datacenter' field is deprecated. Use the 'primary_datacenter' field instead.",
    );
  }
}

function at(tree: Tree, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (isTree(value) ? value[key] : undefined), tree);
}

/** Keys that nothing resolves must still have the form that Consul asks for. */
export function refuseBadForeign(given: Tree, problems: Problems): void {
  walk(given, FOREIGN_KEYS, '', problems);
}

function walk(value: unknown, kind: Kind, path: string, problems: Problems): void {
  if (kind === 'duration' && typeof value === 'string') {
    problems.durationMs(path, value, 0);
  } else if (typeof kind === 'object' && !Array.isArray(kind) && isTree(value)) {
    for (const [key, inner] of Object.entries(kind as Keys)) {
      walk(value[key], inner, path === '' ? key : `${path}.${key}`, problems);
    }
  }
}
