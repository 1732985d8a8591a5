/** Consul's objects, with its own field names: one shape from the request to the answer. */

export type StringMap = Readonly<Record<string, string>>;

export type CheckStatus = 'passing' | 'warning' | 'critical';

export interface Indexed {
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

/** What someone registers of a machine. */
export interface NodeDefinition {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses: StringMap | null;
  readonly Meta: StringMap | null;
  /** What a later Consul knows of it; absent where nobody said anything. */
  readonly Locality?: Locality;
}

/** A machine in the catalog. */
export interface Node extends NodeDefinition, Indexed {}

export interface ServiceAddress {
  readonly Address: string;
  readonly Port: number;
}

export interface Weights {
  readonly Passing: number;
  readonly Warning: number;
}

/** How a sidecar is told about; opaque to the registry but for the destination's name. */
export type ProxyConfig = Readonly<Record<string, unknown>>;
export type ConnectConfig = Readonly<Record<string, unknown>>;

export interface ServicePort {
  readonly Name: string;
  readonly Port: number;
  readonly Default: boolean;
}

export interface Locality {
  readonly Region: string;
  readonly Zone: string;
}

/** What a later Consul knows of an instance; absent where nobody said anything of it. */
export interface LaterFields {
  /** Of a Unix socket, in place of an address and a port. */
  readonly SocketPath?: string;
  readonly Ports?: readonly ServicePort[];
  readonly Locality?: Locality;
}

/** What someone registers of one instance; Consul calls it a service. */
export interface ServiceDefinition extends LaterFields {
  /** '' for an ordinary service, 'connect-proxy' and so on for the others. */
  readonly Kind: string;
  readonly ID: string;
  readonly Service: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly TaggedAddresses: Readonly<Record<string, ServiceAddress>> | null;
  readonly Meta: StringMap | null;
  readonly Port: number;
  readonly Weights: Weights;
  readonly EnableTagOverride: boolean;
  readonly Proxy: ProxyConfig;
  readonly Connect: ConnectConfig;
}

/** One registered copy of a service on a node. */
export interface Instance extends ServiceDefinition, Indexed {
  readonly Node: string;
}

/** What someone registers of a check. */
export interface CheckDefinition {
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: string;
  readonly Notes: string;
  readonly Output: string;
  readonly ServiceID: string;
  readonly Type: string;
  /** How it is looked at, as the agent that runs it says; durations as Go writes them. */
  readonly Definition: Readonly<Record<string, unknown>>;
}

/** One atomic change of the catalog: a node, and on it an instance and any number of checks. */
export interface Registration {
  readonly node: NodeDefinition;
  /** The catalog's node is left as it is when it is there. */
  readonly skipNodeUpdate: boolean;
  readonly service?: ServiceDefinition;
  readonly checks: readonly CheckDefinition[];
}

/** Of an instance with its checks, or of a check; of neither, the whole node. */
export interface Deregistration {
  readonly node: string;
  /** Nothing is done where the node has another id: a machine that has come by its name is not meant. */
  readonly nodeId?: string;
  readonly serviceId?: string;
  readonly checkId?: string;
}

/** A check in the catalog. ServiceName and ServiceTags are its instance's. */
export interface Check extends CheckDefinition, Indexed {
  readonly Node: string;
  readonly ServiceName: string;
  readonly ServiceTags: readonly string[];
}

/** A u64: a number where that is exact, else a bigint. */
export type Uint64 = number | bigint;

export interface KeyValue extends Indexed {
  readonly LockIndex: number;
  readonly Key: string;
  readonly Flags: Uint64;
  /** Base64; null when empty. */
  readonly Value: string | null;
  readonly Session?: string;
}

export interface ServiceCheckRef {
  readonly ID: string;
  readonly Namespace: string;
}

export interface Session extends Indexed {
  readonly ID: string;
  readonly Name: string;
  readonly Node: string;
  /** Nanoseconds. */
  readonly LockDelay: number;
  readonly Behavior: 'release' | 'delete';
  /** As it was sent: '15.0s' stays that. */
  readonly TTL: string;
  readonly NodeChecks: readonly string[] | null;
  readonly ServiceChecks: readonly ServiceCheckRef[] | null;
  /** The older way to name either; absent when it was not used. */
  readonly Checks?: readonly string[];
}

export interface Coordinate {
  readonly Vec: readonly number[];
  readonly Error: number;
  readonly Adjustment: number;
  readonly Height: number;
}

export interface NodeCoordinate {
  readonly Node: string;
  readonly Segment: string;
  readonly Coord: Coordinate;
}

export interface UserEvent {
  readonly ID: string;
  readonly Name: string;
  /** Base64; null when empty. */
  readonly Payload: string | null;
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
  readonly LTime: number;
}

/** What a prepared query looks for. */
export interface QueryService {
  readonly Service: string;
  readonly Failover: {
    readonly NearestN: number;
    readonly Datacenters: readonly string[] | null;
  };
  readonly OnlyPassing: boolean;
  readonly IgnoreCheckIDs: readonly string[] | null;
  readonly Near: string;
  /** A tag behind a '!' must not be there. */
  readonly Tags: readonly string[] | null;
  readonly NodeMeta: StringMap | null;
  readonly ServiceMeta: StringMap | null;
  readonly Connect: boolean;
}

/** A lookup with a name of its own. */
export interface PreparedQuery extends Indexed {
  readonly ID: string;
  readonly Name: string;
  /** It goes with this session; '' for none. */
  readonly Session: string;
  readonly Token: string;
  /** With the type 'name_prefix_match' it answers for every name that begins with its own. */
  readonly Template: {
    readonly Type: string;
    readonly Regexp: string;
    readonly RemoveEmptyTags: boolean;
  };
  readonly Service: QueryService;
  readonly DNS: { readonly TTL: string };
}

/** The id of the check that says whether a node's agent lives. */
export const SERF_HEALTH = 'serfHealth';
export const NODE_MAINTENANCE = '_node_maintenance';
export const SERVICE_MAINTENANCE_PREFIX = '_service_maintenance:';

/** Reads a map whose keys are a user's: `__proto__` is a key like any other. */
export function lookUp<T>(map: Readonly<Record<string, T>> | null, key: string): T | undefined {
  return map !== null && Object.hasOwn(map, key) ? map[key] : undefined;
}

/** By which a node or an instance says who made it, where that was no agent's configuration. */
export const EXTERNAL_SOURCE = 'external-source';
export const EUREKA = 'eureka';

/** Whether it was made for a Eureka client. */
export function isOfEureka({ Meta }: Pick<Node | ServiceDefinition, 'Meta'>): boolean {
  return lookUp(Meta, EXTERNAL_SOURCE) === EUREKA;
}

/** What became of an instance, a node or a check, as /v1/internal/history tells it. */
export interface HistoryChange {
  readonly Time: string;
  readonly Node: string;
  readonly ServiceName: string;
  readonly ServiceID: string;
  /** '' where an instance, or a node, came or went. */
  readonly CheckID: string;
  /** `absent`, `registered`, `passing`, `warning`, `critical`, `other` or `unknown`. */
  readonly From: string;
  readonly To: string;
  readonly Output: string;
}
