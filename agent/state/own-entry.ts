/** What an agent puts into the catalog of itself, beside its services and checks. */

import type { Config } from '../../lib/config/config.ts';
import { hostPort } from '../../lib/ip.ts';
import { localityOf } from '../../lib/later-fields.ts';
import {
  type Beat,
  MEMBER_STATUS,
  type Member,
  member,
  SERVER_ROLE,
  type ServerInfo,
} from '../../lib/membership.ts';
import type { NodeDefinition } from '../../lib/model.ts';
import { type CheckDefinition, SERF_HEALTH, type ServiceDefinition } from '../../lib/model.ts';
import { CONSUL_VERSION } from '../../lib/version.ts';

export function ownNode(config: Config, nodeId: string): NodeDefinition {
  return {
    ID: nodeId,
    Node: config.nodeName,
    Address: config.address.advertise,
    Datacenter: config.datacenter,
    TaggedAddresses: config.address.tagged,
    Meta: { 'consul-network-segment': '', ...config.nodeMeta },
    ...localityOf({ Locality: config.locality }),
  };
}

/** The service `consul`, which every server is an instance of. */
export function consulService(config: Config): ServiceDefinition {
  return {
    Kind: '',
    ID: 'consul',
    Service: 'consul',
    Tags: [],
    Address: '',
    TaggedAddresses: null,
    Meta: {
      non_voter: 'false',
      raft_version: '3',
      serf_protocol_current: '2',
      serf_protocol_max: '5',
      serf_protocol_min: '1',
      version: CONSUL_VERSION,
    },
    Port: config.ports.server,
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Proxy: { MeshGateway: {}, Expose: {} },
    Connect: {},
  };
}

/** Passing as long as the agent beats; the servers turn it critical when it no longer does. */
export const ALIVE_CHECK: CheckDefinition = {
  CheckID: SERF_HEALTH,
  Name: 'Serf Health Status',
  Status: 'passing',
  Notes: '',
  Output: 'Agent alive and reachable',
  ServiceID: '',
  Type: '',
  Definition: {},
};

/** The tags by which members know what this one is. */
function ownTags(config: Config, nodeId: string): Readonly<Record<string, string>> {
  const { acl, datacenter, ports } = config;
  const common = {
    acls: acl.enabled ? '1' : '0',
    build: `${CONSUL_VERSION}:`,
    dc: datacenter,
    id: nodeId,
    segment: '',
    vsn: '2',
    vsn_max: '3',
    vsn_min: '2',
  };
  if (!config.server) return { ...common, role: 'node' };
  return {
    ...common,
    ...(config.bootstrap && { bootstrap: '1' }),
    ft_fs: '1',
    port: String(ports.server),
    raft_vsn: '3',
    role: SERVER_ROLE,
    ...(speaksTls(config) && { use_tls: '1' }),
    wan_join_port: String(ports.serfWan),
  };
}

export function ownMember(config: Config, nodeId: string): Member {
  return member({
    Name: config.nodeName,
    Addr: config.address.advertise,
    Port: config.ports.serfLan,
    Tags: ownTags(config, nodeId),
    Status: MEMBER_STATUS.alive,
  });
}

/** What this agent tells the servers, again and again. */
export function ownBeat(config: Config, nodeId: string): Beat {
  return {
    ID: nodeId,
    Node: config.nodeName,
    Address: config.address.advertise,
    Datacenter: config.datacenter,
    LanPort: config.ports.serfLan,
    Tags: ownTags(config, nodeId),
  };
}

/** A server as agents reach it. */
export function ownServer(config: Config, ID: string): ServerInfo {
  const { address, datacenter, nodeName, ports } = config;
  const scheme = speaksTls(config) ? 'https' : 'http';
  const Url = `${scheme}://${hostPort(address.advertise, ports.server)}`;
  return { ID, Node: nodeName, Datacenter: datacenter, Url };
}

/** Whether agents may speak TLS at ports.server; they are told so by a tag, as in Consul. */
function speaksTls({ tls: { internalRpc } }: Config): boolean {
  return internalRpc.certFile !== '' && internalRpc.keyFile !== '';
}
