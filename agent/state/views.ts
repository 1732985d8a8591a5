/** What an agent shows of its services and checks: Consul's agent API leaves empty fields out. */
import { laterFields } from '../../lib/later-fields.ts';
import type {
  Check,
  CheckDefinition,
  ConnectConfig,
  LaterFields,
  ProxyConfig,
  ServiceAddress,
  ServiceDefinition,
  StringMap,
  Weights,
} from '../../lib/model.ts';
import type { LocalCheck } from './local-state.ts';

/** A service as /v1/agent/service/:id shows it. */
export interface AgentService extends LaterFields {
  readonly Kind?: string;
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[];
  readonly Meta: StringMap;
  readonly Port: number;
  readonly Address: string;
  readonly TaggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly Weights: Weights;
  readonly EnableTagOverride: boolean;
  readonly ContentHash?: string;
  readonly Proxy?: ProxyConfig;
  readonly Connect?: ConnectConfig;
}

const PROXY_KINDS = new Set([
  'connect-proxy',
  'mesh-gateway',
  'terminating-gateway',
  'ingress-gateway',
]);

export function agentService(service: ServiceDefinition): AgentService {
  const { Kind, TaggedAddresses, Connect } = service;
  return {
    ...(Kind !== '' && { Kind }),
    ID: service.ID,
    Service: service.Service,
    Tags: service.Tags,
    Meta: service.Meta ?? {},
    Port: service.Port,
    Address: service.Address,
    ...(TaggedAddresses !== null && !isEmpty(TaggedAddresses) && { TaggedAddresses }),
    Weights: service.Weights,
    EnableTagOverride: service.EnableTagOverride,
    ...(PROXY_KINDS.has(Kind) && { Proxy: agentProxy(service.Proxy) }),
    ...(!isEmpty(Connect) && { Connect }),
    ...laterFields(service),
  };
}

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

/** The catalog shows a few empty fields of an upstream, the agent none. */
function agentProxy(proxy: ProxyConfig): ProxyConfig {
  const upstreams = proxy['Upstreams'];
  if (!Array.isArray(upstreams)) return proxy;
  const shown = upstreams.map((upstream: object) =>
    Object.fromEntries(Object.entries(upstream).filter(([, v]) => v !== '' && v !== null)),
  );
  return { ...proxy, Upstreams: shown };
}

/** A check as /v1/agent/checks shows it. */
export function agentCheck(node: string, check: LocalCheck, service?: ServiceDefinition): Check {
  const { CheckID, Name, Status, Notes, Output, ServiceID, Type } = check.definition;
  return {
    Node: node,
    CheckID,
    Name,
    Status,
    Notes,
    Output,
    ServiceID,
    ServiceName: service?.Service ?? '',
    ServiceTags: service?.Tags ?? [],
    Type,
    Definition: {},
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}

const EMPTY_DEFINITION = {
  Interval: '0s',
  Timeout: '0s',
  DeregisterCriticalServiceAfter: '0s',
  HTTP: '',
  Header: null,
  Method: '',
  Body: '',
  TLSSkipVerify: false,
  TCP: '',
};

/** A check as /v1/agent/health/service shows it: Consul copies fewer fields there. */
export function healthCheck(
  node: string,
  definition: CheckDefinition,
  service?: ServiceDefinition,
): object {
  const { CheckID, Name, Status, Notes, Output, ServiceID } = definition;
  const tags = service?.Tags ?? [];
  return {
    Node: node,
    CheckID,
    Name,
    Status,
    Notes,
    Output,
    ServiceID,
    ServiceName: service?.Service ?? '',
    ServiceTags: tags.length === 0 ? null : tags,
    Type: '',
    Definition: EMPTY_DEFINITION,
    CreateIndex: 0,
    ModifyIndex: 0,
  };
}
