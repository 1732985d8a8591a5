import type { Keys } from './schema.ts';

/** A service's `weights`. */
const WEIGHTS = { passing: 'int', warning: 'int' } as const satisfies Keys;

/** A check, as a file in the configuration folder defines it. */
export const CHECK_KEYS = {
  id: 'string',
  name: 'string',
  notes: 'string',
  service_id: 'string',
  token: 'string',
  status: 'string',
  args: 'strings',
  http: 'string',
  header: 'lists',
  method: 'string',
  body: 'string',
  disable_redirects: 'bool',
  output_max_size: 'int',
  tcp: 'string',
  tcp_use_tls: 'bool',
  udp: 'string',
  h2ping: 'string',
  h2ping_use_tls: 'bool',
  os_service: 'string',
  interval: 'string',
  docker_container_id: 'string',
  shell: 'string',
  grpc: 'string',
  grpc_use_tls: 'bool',
  tls_server_name: 'string',
  tls_skip_verify: 'bool',
  alias_node: 'string',
  alias_service: 'string',
  timeout: 'string',
  ttl: 'string',
  success_before_passing: 'int',
  failures_before_warning: 'int',
  failures_before_critical: 'int',
  deregister_critical_service_after: 'string',
} as const satisfies Keys;

const EXPOSE = {
  checks: 'bool',
  paths: [{ listener_port: 'int', path: 'string', local_path_port: 'int', protocol: 'string' }],
} as const satisfies Keys;

const UPSTREAM = {
  destination_type: 'string',
  destination_namespace: 'string',
  destination_partition: 'string',
  destination_peer: 'string',
  destination_name: 'string',
  datacenter: 'string',
  local_bind_address: 'string',
  local_bind_port: 'int',
  local_bind_socket_path: 'string',
  local_bind_socket_mode: 'string',
  config: 'tree',
  mesh_gateway: 'tree',
} as const satisfies Keys;

const PROXY = {
  destination_service_name: 'string',
  destination_service_id: 'string',
  local_service_address: 'string',
  local_service_port: 'int',
  local_service_socket_path: 'string',
  mode: 'string',
  transparent_proxy: 'tree',
  envoy_extensions: ['tree'],
  config: 'tree',
  upstreams: [UPSTREAM],
  mesh_gateway: 'tree',
  expose: EXPOSE,
} as const satisfies Keys;

const COMMON = {
  kind: 'string',
  id: 'string',
  name: 'string',
  tags: 'strings',
  address: 'string',
  tagged_addresses: 'addresses',
  socket_path: 'string',
  meta: 'map',
  port: 'int',
  check: CHECK_KEYS,
  checks: [CHECK_KEYS],
  token: 'string',
  weights: WEIGHTS,
  enable_tag_override: 'bool',
  proxy: PROXY,
  locality: { region: 'string', zone: 'string' },
} as const satisfies Keys;

/** A service, as a file in the configuration folder defines it. */
export const SERVICE_KEYS = {
  ...COMMON,
  connect: { native: 'bool', sidecar_service: { ...COMMON, connect: { native: 'bool' } } },
} as const satisfies Keys;
