import type { Flag } from './flags.ts';

const ROWS: readonly (readonly [name: string, flag: Flag])[] = [
  [
    'advertise',
    { kind: 'string', key: 'advertise_addr', help: 'The address at which others reach this node.' },
  ],
  [
    'advertise-wan',
    {
      kind: 'string',
      key: 'advertise_addr_wan',
      help: 'The same for other datacenters; else -advertise.',
    },
  ],
  [
    'allow-write-http-from',
    {
      kind: 'strings',
      key: 'http_config.allow_write_http_from',
      help: "A network (CIDR) whose writes through an agent's endpoints are taken; may be repeated.",
    },
  ],
  ['alt-domain', { kind: 'string', key: 'alt_domain', help: 'A second DNS domain to answer for.' }],
  [
    'bind',
    { kind: 'string', key: 'bind_addr', help: 'The address to listen at for other agents.' },
  ],
  [
    'bootstrap',
    {
      kind: 'bool',
      key: 'bootstrap',
      help: "Accepted for Consul's sake: one server is enough to begin.",
    },
  ],
  [
    'bootstrap-expect',
    {
      kind: 'int',
      key: 'bootstrap_expect',
      help: "How many servers are expected; accepted for Consul's sake.",
    },
  ],
  [
    'check_output_max_size',
    {
      kind: 'int',
      key: 'check_output_max_size',
      help: "How many bytes of a check's output are kept.",
    },
  ],
  [
    'client',
    {
      kind: 'string',
      key: 'client_addr',
      help: 'The addresses, with spaces between, to serve clients at: HTTP, HTTPS and DNS.',
    },
  ],
  [
    'config-dir',
    {
      kind: 'strings',
      help: 'A folder whose .json and .hcl files are read in the order of their names; may be repeated.',
    },
  ],
  [
    'config-file',
    { kind: 'strings', help: 'A configuration file in JSON or HCL; may be repeated.' },
  ],
  [
    'config-format',
    {
      kind: 'string',
      help: "Read every configuration file as 'hcl' or 'json', whatever its ending.",
    },
  ],
  ['data-dir', { kind: 'string', key: 'data_dir', help: 'The folder to keep state in.' }],
  ['datacenter', { kind: 'string', key: 'datacenter', help: 'The datacenter of this agent.' }],
  [
    'default-query-time',
    {
      kind: 'string',
      key: 'default_query_time',
      help: 'How long a blocking query waits that does not say.',
    },
  ],
  [
    'dev',
    { kind: 'bool', help: 'Run a server that keeps everything in memory, for trying things out.' },
  ],
  [
    'disable-host-node-id',
    {
      kind: 'bool',
      key: 'disable_host_node_id',
      help: 'Make up a node ID instead of taking it from the machine.',
    },
  ],
  [
    'disable-keyring-file',
    {
      kind: 'bool',
      key: 'disable_keyring_file',
      help: "Accepted for Consul's sake: there is no gossip.",
    },
  ],
  ['dns-port', { kind: 'int', key: 'ports.dns', help: 'The port for DNS.' }],
  [
    'docker',
    { kind: 'bool', key: 'docker.enabled', help: 'Register the containers of this machine.' },
  ],
  ['domain', { kind: 'string', key: 'domain', help: 'The DNS domain to answer for.' }],
  [
    'enable-local-script-checks',
    {
      kind: 'bool',
      key: 'enable_local_script_checks',
      help: 'Run the script checks of configuration files.',
    },
  ],
  [
    'enable-script-checks',
    {
      kind: 'bool',
      key: 'enable_script_checks',
      help: 'Run script checks, those registered over HTTP too.',
    },
  ],
  [
    'encrypt',
    { kind: 'string', key: 'encrypt', help: "Accepted for Consul's sake: there is no gossip." },
  ],
  ['grpc-port', { kind: 'int', key: 'ports.grpc', help: 'The port for gRPC.' }],
  ['hcl', { kind: 'strings', help: 'A piece of configuration in HCL; may be repeated.' }],
  ['http-port', { kind: 'int', key: 'ports.http', help: 'The port for HTTP.' }],
  ['https-port', { kind: 'int', key: 'ports.https', help: 'The port for HTTPS.' }],
  [
    'join',
    {
      kind: 'strings',
      key: 'start_join',
      help: 'The address of an agent or server to join at start; may be repeated.',
    },
  ],
  [
    'join-wan',
    {
      kind: 'strings',
      key: 'start_join_wan',
      help: 'The same for another datacenter; may be repeated.',
    },
  ],
  [
    'log-file',
    { kind: 'string', key: 'log_file', help: 'The file to write the log to, besides the console.' },
  ],
  ['log-json', { kind: 'bool', key: 'log_json', help: 'Write the log as JSON.' }],
  ['log-level', { kind: 'string', key: 'log_level', help: 'TRACE, DEBUG, INFO, WARN or ERR.' }],
  [
    'log-rotate-bytes',
    { kind: 'int', key: 'log_rotate_bytes', help: 'How many bytes go into one log file.' },
  ],
  [
    'log-rotate-duration',
    { kind: 'string', key: 'log_rotate_duration', help: 'How long one log file is written to.' },
  ],
  [
    'log-rotate-max-files',
    { kind: 'int', key: 'log_rotate_max_files', help: 'How many old log files are kept.' },
  ],
  [
    'max-query-time',
    { kind: 'string', key: 'max_query_time', help: 'The longest that a blocking query may wait.' },
  ],
  [
    'node',
    {
      kind: 'string',
      key: 'node_name',
      help: "The name of this node; the machine's, if not given.",
    },
  ],
  ['node-id', { kind: 'string', key: 'node_id', help: 'A UUID for this node, for all time.' }],
  [
    'node-meta',
    { kind: 'map', key: 'node_meta', help: 'A pair key:value about this node; may be repeated.' },
  ],
  [
    'non-voting-server',
    { kind: 'bool', key: 'non_voting_server', help: "Accepted for Consul's sake." },
  ],
  ['pid-file', { kind: 'string', key: 'pid_file', help: 'The file to write the process ID to.' }],
  [
    'primary-gateway',
    {
      kind: 'strings',
      key: 'primary_gateways',
      help: "Accepted for Consul's sake: there is no mesh.",
    },
  ],
  ['protocol', { kind: 'int', key: 'protocol', help: "Accepted for Consul's sake." }],
  [
    'raft-protocol',
    { kind: 'int', key: 'raft_protocol', help: "Accepted for Consul's sake: there is no Raft." },
  ],
  [
    'recursor',
    {
      kind: 'strings',
      key: 'recursors',
      help: 'A DNS server to ask for other domains; may be repeated.',
    },
  ],
  [
    'redis',
    {
      kind: 'string',
      key: 'redis.url',
      help: 'The Redis that orders the writes of several servers: redis://, rediss://, redis+sentinel:// or redis+cluster://.',
    },
  ],
  ['rejoin', { kind: 'bool', key: 'rejoin_after_leave', help: 'Join again after having left.' }],
  [
    'retry-interval',
    { kind: 'string', key: 'retry_interval', help: 'The time between two attempts to join.' },
  ],
  [
    'retry-interval-wan',
    { kind: 'string', key: 'retry_interval_wan', help: 'The same for another datacenter.' },
  ],
  [
    'retry-join',
    {
      kind: 'strings',
      key: 'retry_join',
      help: 'As -join, but tried again until it works; may be repeated.',
    },
  ],
  [
    'retry-join-wan',
    {
      kind: 'strings',
      key: 'retry_join_wan',
      help: 'The same for another datacenter; may be repeated.',
    },
  ],
  [
    'retry-max',
    { kind: 'int', key: 'retry_max', help: 'How many attempts to join; 0 for no end.' },
  ],
  [
    'retry-max-wan',
    { kind: 'int', key: 'retry_max_wan', help: 'The same for another datacenter.' },
  ],
  ['segment', { kind: 'string', key: 'segment', help: "Accepted for Consul's sake, if empty." }],
  [
    'serf-lan-allowed-cidrs',
    {
      kind: 'strings',
      key: 'serf_lan_allowed_cidrs',
      help: "Accepted for Consul's sake: there is no gossip.",
    },
  ],
  [
    'serf-lan-bind',
    {
      kind: 'string',
      key: 'serf_lan',
      help: 'The address to answer joining agents at; else -bind.',
    },
  ],
  [
    'serf-lan-port',
    { kind: 'int', key: 'ports.serf_lan', help: 'The port to answer joining agents at.' },
  ],
  [
    'serf-wan-allowed-cidrs',
    {
      kind: 'strings',
      key: 'serf_wan_allowed_cidrs',
      help: "Accepted for Consul's sake: there is no gossip.",
    },
  ],
  ['serf-wan-bind', { kind: 'string', key: 'serf_wan', help: "Accepted for Consul's sake." }],
  ['serf-wan-port', { kind: 'int', key: 'ports.serf_wan', help: "Accepted for Consul's sake." }],
  [
    'server',
    { kind: 'bool', key: 'server', help: 'Be a registry server, and an agent for this node.' },
  ],
  [
    'server-port',
    { kind: 'int', key: 'ports.server', help: 'The port that tells this server from others.' },
  ],
  ['syslog', { kind: 'bool', key: 'enable_syslog', help: 'Write the log to syslog too.' }],
  ['ui', { kind: 'bool', key: 'ui', help: 'Serve the web page.' }],
  [
    'ui-content-path',
    { kind: 'string', key: 'ui_content_path', help: 'The path of the web page.' },
  ],
  ['ui-dir', { kind: 'string', key: 'ui_dir', help: 'A folder with a web page of your own.' }],
  [
    'workers',
    { kind: 'int', key: 'workers', help: 'How many processes serve HTTP on this machine.' },
  ],
];

/** Every flag of `agent` but -help, by name. */
export const AGENT_FLAGS: ReadonlyMap<string, Flag> = new Map(ROWS);
