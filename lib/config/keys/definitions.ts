/** Services and checks as files define them; the agent does the rest. */
import type { Problems } from '../problems.ts';
import {
  addresses,
  bool,
  type Decoded,
  int,
  lists,
  map,
  strings,
  text,
  tree,
  trees,
} from '../row.ts';
import { metaFault } from './node.ts';

/** A check. Its durations are texts that the agent reads. */
const CHECK_KEYS = {
  id: text(),
  name: text(),
  notes: text(),
  service_id: text(),
  token: text(),
  status: text(),
  args: strings(),
  http: text(),
  header: lists(),
  method: text(),
  body: text(),
  disable_redirects: bool(),
  output_max_size: int(),
  tcp: text(),
  tcp_use_tls: bool(),
  udp: text(),
  h2ping: text(),
  h2ping_use_tls: bool(),
  os_service: text(),
  interval: text(),
  docker_container_id: text(),
  shell: text(),
  grpc: text(),
  grpc_use_tls: bool(),
  tls_server_name: text(),
  tls_skip_verify: bool(),
  alias_node: text(),
  alias_service: text(),
  timeout: text(),
  ttl: text(),
  success_before_passing: int(),
  failures_before_warning: int(),
  failures_before_critical: int(),
  deregister_critical_service_after: text(),
};

const UPSTREAM = {
  destination_type: text(),
  destination_namespace: text(),
  destination_partition: text(),
  destination_peer: text(),
  destination_name: text(),
  datacenter: text(),
  local_bind_address: text(),
  local_bind_port: int(),
  local_bind_socket_path: text(),
  local_bind_socket_mode: text(),
  config: tree(),
  mesh_gateway: tree(),
};

const EXPOSED_PATH = {
  listener_port: int(),
  path: text(),
  local_path_port: int(),
  protocol: text(),
};

const PROXY = {
  destination_service_name: text(),
  destination_service_id: text(),
  local_service_address: text(),
  local_service_port: int(),
  local_service_socket_path: text(),
  mode: text(),
  transparent_proxy: tree(),
  envoy_extensions: trees(),
  config: tree(),
  upstreams: [UPSTREAM] as const,
  mesh_gateway: tree(),
  expose: { checks: bool(), paths: [EXPOSED_PATH] as const },
};

const COMMON = {
  kind: text(),
  id: text(),
  name: text(),
  tags: strings(),
  address: text(),
  tagged_addresses: addresses(),
  socket_path: text(),
  meta: map(),
  port: int(),
  check: CHECK_KEYS,
  checks: [CHECK_KEYS] as const,
  token: text(),
  weights: { passing: int(), warning: int() },
  enable_tag_override: bool(),
  proxy: PROXY,
  locality: { region: text(), zone: text() },
};

const SERVICE_KEYS = {
  ...COMMON,
  connect: { native: bool(), sidecar_service: { ...COMMON, connect: { native: bool() } } },
};

/** One `check` or `service`, or several; in the singular only what one file may say. */
export const DEFINITION_KEYS = {
  check: CHECK_KEYS,
  checks: [CHECK_KEYS] as const,
  service: SERVICE_KEYS,
  services: [SERVICE_KEYS] as const,
};

export type RawService = Decoded<typeof SERVICE_KEYS>;
export type RawCheck = Decoded<typeof CHECK_KEYS>;

interface Definitions {
  readonly services: readonly RawService[];
  readonly checks: readonly RawCheck[];
}

export function definitions({ services, checks }: Definitions, problems: Problems): Definitions {
  for (const check of checks) refuseBadCheck(check, problems);
  for (const service of services) refuseBadService(service, problems);
  return { services, checks };
}

function refuseBadService(service: RawService, problems: Problems): void {
  const { check, checks = [], meta = {}, weights } = service;
  for (const each of check === undefined ? checks : [check, ...checks]) {
    refuseBadCheck(each, problems);
  }
  for (const [key, value] of Object.entries(meta)) {
    const fault = metaFault(key, value);
    if (fault !== undefined) problems.error(`invalid meta for service ${service.name}: ${fault}`);
  }
  const what = `Invalid weight definition for service ${service.name}`;
  if ((weights?.passing ?? 1) < 1) problems.error(`${what}: Passing must be greater than 0`);
  if ((weights?.warning ?? 0) < 0) {
    problems.error(`${what}: Warning must be greater or equal than 0`);
  }
}

const CHECK_DURATIONS = [
  'interval',
  'timeout',
  'ttl',
  'deregister_critical_service_after',
] as const;

function refuseBadCheck(check: RawCheck, problems: Problems): void {
  for (const key of CHECK_DURATIONS) problems.durationMs(`check[].${key}`, check[key], 0);
}
