/** The one table of configuration keys; docs/configuration.md is made from it. */
import { ACL_KEYS } from './keys/acl.ts';
import { ADDRESS_KEYS } from './keys/addresses.ts';
import { CHECK_POLICY_KEYS } from './keys/checks.ts';
import { CONNECT_KEYS } from './keys/connect.ts';
import { DEFINITION_KEYS } from './keys/definitions.ts';
import { DNS_KEYS } from './keys/dns.ts';
import { EUREKA_KEYS } from './keys/eureka.ts';
import { FOREIGN_KEYS } from './keys/foreign.ts';
import { HISTORY_KEYS } from './keys/history.ts';
import { HTTP_KEYS } from './keys/http.ts';
import { JOIN_KEYS } from './keys/joining.ts';
import { LOG_KEYS, TELEMETRY_KEYS } from './keys/log.ts';
import { MESH_KEYS } from './keys/mesh.ts';
import { NODE_KEYS } from './keys/node.ts';
import { NOTIFY_KEYS } from './keys/notify.ts';
import { OWN_KEYS } from './keys/own.ts';
import { SECURITY_KEYS } from './keys/security.ts';
import { SIDECAR_KEYS } from './keys/sidecar.ts';
import { WATCH_KEYS } from './keys/watches.ts';
import type { Decoded, Keys, Settled } from './row.ts';

export const CONFIG_KEYS = {
  ...NODE_KEYS,
  ...ADDRESS_KEYS,
  ...JOIN_KEYS,
  ...OWN_KEYS,
  ...HISTORY_KEYS,
  ...EUREKA_KEYS,
  ...HTTP_KEYS,
  ...DNS_KEYS,
  ...LOG_KEYS,
  ...TELEMETRY_KEYS,
  ...CHECK_POLICY_KEYS,
  ...WATCH_KEYS,
  ...SIDECAR_KEYS,
  ...NOTIFY_KEYS,
  ...DEFINITION_KEYS,
  ...ACL_KEYS,
  ...SECURITY_KEYS,
  ...CONNECT_KEYS,
  ...MESH_KEYS,
  ...FOREIGN_KEYS,
};

/** The same keys as docs/configuration.md groups them. */
export const KEY_GROUPS: readonly (readonly [title: string, keys: Keys])[] = [
  ['The node', NODE_KEYS],
  ['Addresses and ports', ADDRESS_KEYS],
  ['Joining', JOIN_KEYS],
  ["Redis and Docker (Proconsul's own)", OWN_KEYS],
  ["History (Proconsul's own)", HISTORY_KEYS],
  ["Eureka (Proconsul's own)", EUREKA_KEYS],
  ['HTTP', HTTP_KEYS],
  ['DNS', DNS_KEYS],
  ['Log', LOG_KEYS],
  ['Figures', TELEMETRY_KEYS],
  ['Checks', CHECK_POLICY_KEYS],
  ['Watches', WATCH_KEYS],
  ["Sidecars (Proconsul's own)", SIDECAR_KEYS],
  ["Notices (Proconsul's own)", NOTIFY_KEYS],
  ['Access control', ACL_KEYS],
  ['Security', SECURITY_KEYS],
  ['The mesh', { ...CONNECT_KEYS, ...MESH_KEYS }],
  ["What is Consul's alone", FOREIGN_KEYS],
];

/** What one file, or all of them merged, says. */
export type RawConfig = Decoded<typeof CONFIG_KEYS>;
/** The same with every default filled in and every bound kept. */
export type SettledConfig = Settled<typeof CONFIG_KEYS>;
