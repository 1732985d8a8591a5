/** The names of topics, and of rows, in one place, so that who touches and who reads cannot differ. */

/** Consul tells names apart without regard to case. */
export function fold(name: string): string {
  return name.toLowerCase();
}

/** What tells rows apart. NUL can stand in no name: the routes refuse it. */
export function rowKey(node: string, id: string): string {
  return `${fold(node)}\0${fold(id)}`;
}

export const NODES = 'nodes';
/** The index that stands for all that nobody remembers. It changes no answer, but the index of some. */
export const FLOOR = 'floor';
/** The names of services and their tags. */
export const SERVICES = 'services';
/** Any change of nodes, instances or checks. */
export const CATALOG = 'catalog';
export const SESSIONS = 'sessions';
/** Which keys sessions hold. */
export const LOCKS = 'locks';
export const COORDINATES = 'coordinates';
/** The instances of Eureka's clients, as those know them. */
export const EUREKA = 'eureka';
export const EVENTS = 'events';
export const LEADER = 'leader';
export const QUERIES = 'queries';
/** What the mesh's authority was told, and its roots. */
export const CA = 'ca';
/** Of that alone by what name the mesh is known: all chains have it in them. */
export const TRUST_DOMAIN = 'trust-domain';
export const MEMBERS = 'members';
export const ACL_TOKENS = 'acl-tokens';
export const ACL_POLICIES = 'acl-policies';
export const ACL_ROLES = 'acl-roles';
export const ACL_METHODS = 'acl-methods';
export const ACL_BINDING_RULES = 'acl-binding-rules';
export type AclTopic =
  | typeof ACL_TOKENS
  | typeof ACL_POLICIES
  | typeof ACL_ROLES
  | typeof ACL_METHODS
  | typeof ACL_BINDING_RULES;
/** What tokens come to: touched when one that is there may have other rights from now on. */
export const RIGHTS = 'rights';

/** Every config entry that there is. */
export const CONFIG_ENTRIES = 'config-entries';
export const kindTopic = (kind: string) => `config-kind:${kind}`;
export const configEntryTopic = (kind: string, name: string) => `config:${kind}/${fold(name)}`;
/** Which gateways of a kind stand in front of a service, or of every one. */
export const gatewaysTopic = (kind: string, service: string) => `gateways:${kind}/${fold(service)}`;

/** The names of ordinary services: those that a gateway's `*` means. */
export const ORDINARY = 'ordinary';
/** Whether a service is one. */
export const ordinaryTopic = (service: string) => `ordinary:${fold(service)}`;

/** Of an entry that may say much else, what chains show of it. */
export const chainTopic = (kind: string, name: string) => `chains:${kind}/${fold(name)}`;

/** A node and the instances on it. */
export const nodeTopic = (node: string) => `node:${fold(node)}`;
export const nodeChecksTopic = (node: string) => `node-checks:${fold(node)}`;
/** The instances of a service and their nodes, whatever their health. */
export const instancesTopic = (service: string) => `instances:${fold(service)}`;
/** The instances of a service, their nodes and all checks that count for them. */
export const healthTopic = (service: string) => `health:${fold(service)}`;
/** The same for the sidecars in front of a service and its connect-native instances. */
export const connectTopic = (service: string) => `connect:${fold(service)}`;
/** The address that a service of the mesh has of its own. */
export const virtualTopic = (service: string) => `virtual:${fold(service)}`;
export const serviceChecksTopic = (service: string) => `service-checks:${fold(service)}`;
/** Checks by status; 'any' is all of them. */
export const statusTopic = (status: string) => `status:${status}`;
export const sessionTopic = (id: string) => `session:${id}`;
export const nodeSessionsTopic = (node: string) => `node-sessions:${fold(node)}`;
export const queryTopic = (id: string) => `query:${id}`;
export const nodeCoordinatesTopic = (node: string) => `node-coordinates:${fold(node)}`;

export const KEY_PREFIX = 'kv:';
/** One key, byte for byte. */
export const keyTopic = (key: string) => `${KEY_PREFIX}${key}`;

/** What a key said before. */
export const revisionsTopic = (key: string) => `revisions:${key}`;

export const TREE_PREFIX = 'kv-tree:';
/** Every key that starts with the prefix; a watcher's topic only, see Watcher. */
export const treeTopic = (prefix: string) => `${TREE_PREFIX}${prefix}`;
