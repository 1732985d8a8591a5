/**
 * What a filter may select, answer by answer, as Consul 1.8.7 has it. Some fields of an answer are
 * missing here on purpose (CreateIndex, Definition, Proxy.Config): Consul refuses them too.
 */

/** What an item's field may hold. A missing or null field counts as its kind's zero value. */
export type FieldSchema =
  | { readonly kind: 'string' | 'int' | 'bool' | 'strings' }
  | {
      readonly kind: 'map';
      readonly values: FieldSchema;
      /** What is not in it counts as its kind's zero value too, for every operator alike. */
      readonly total?: true;
    }
  | StructSchema
  | { readonly kind: 'structs'; readonly element: StructSchema };

export interface StructSchema {
  readonly kind: 'struct';
  readonly fields: Readonly<Record<string, FieldSchema>>;
}

const string: FieldSchema = { kind: 'string' };
const int: FieldSchema = { kind: 'int' };
const bool: FieldSchema = { kind: 'bool' };
const strings: FieldSchema = { kind: 'strings' };
const stringMap = mapOf(string);

const meshGateway = struct({ Mode: string });

const weights = struct({ Passing: int, Warning: int });

const taggedAddresses = mapOf(struct({ Address: string, Port: int }));

const upstream = struct({
  Datacenter: string,
  DestinationName: string,
  DestinationNamespace: string,
  DestinationType: string,
  LocalBindAddress: string,
  LocalBindPort: int,
  MeshGateway: meshGateway,
});

const exposedPath = struct({
  ListenerPort: int,
  LocalPathPort: int,
  ParsedFromCheck: bool,
  Path: string,
  Protocol: string,
});

const proxy = struct({
  DestinationServiceID: string,
  DestinationServiceName: string,
  Expose: struct({ Checks: bool, Paths: listOf(exposedPath) }),
  LocalServiceAddress: string,
  LocalServicePort: int,
  MeshGateway: meshGateway,
  Upstreams: listOf(upstream),
});

const connect = struct({ Native: bool });

/** A node: /v1/catalog/nodes. */
export const nodeFields = struct({
  Address: string,
  Datacenter: string,
  ID: string,
  Meta: stringMap,
  Node: string,
  TaggedAddresses: stringMap,
});

/** An instance by itself: /v1/catalog/node-services, /v1/catalog/node, /v1/agent/services. */
export const instanceFields = struct({
  Address: string,
  Connect: connect,
  EnableTagOverride: bool,
  ID: string,
  Kind: string,
  Meta: stringMap,
  Port: int,
  Proxy: proxy,
  Service: string,
  TaggedAddresses: taggedAddresses,
  Tags: strings,
  Weights: weights,
});

/** A check: /v1/health/checks, /v1/health/node, /v1/health/state, /v1/agent/checks. */
export const checkFields = struct({
  CheckID: string,
  Name: string,
  Node: string,
  Notes: string,
  Output: string,
  ServiceID: string,
  ServiceName: string,
  ServiceTags: strings,
  Status: string,
  Type: string,
});

/**
 * An instance with its node and its checks: /v1/health/service, /v1/health/connect,
 * /v1/health/ingress, and /v1/internal/ui/services, which filters before it sums up.
 */
export const healthInstanceFields = struct({
  Checks: listOf(checkFields),
  Node: nodeFields,
  Service: instanceFields,
});

/** An instance with its node in one flat object: /v1/catalog/service, /v1/catalog/connect. */
export const catalogInstanceFields = struct({
  Address: string,
  Datacenter: string,
  ID: string,
  Node: string,
  NodeMeta: stringMap,
  ServiceAddress: string,
  ServiceConnect: connect,
  ServiceEnableTagOverride: bool,
  ServiceID: string,
  ServiceKind: string,
  ServiceMeta: stringMap,
  ServiceName: string,
  ServicePort: int,
  ServiceProxy: proxy,
  ServiceTaggedAddresses: taggedAddresses,
  ServiceTags: strings,
  ServiceWeights: weights,
  TaggedAddresses: stringMap,
});

/** A node with all that runs on it: /v1/internal/ui/nodes. */
export const uiNodeFields = struct({
  Address: string,
  Checks: listOf(checkFields),
  ID: string,
  Meta: stringMap,
  Node: string,
  Services: listOf(instanceFields),
  TaggedAddresses: stringMap,
});

/** An intention: /v1/connect/intentions. */
export const intentionFields = struct({
  Action: string,
  DefaultAddr: string,
  DefaultPort: int,
  Description: string,
  DestinationNS: string,
  DestinationName: string,
  ID: string,
  Meta: stringMap,
  Precedence: int,
  SourceNS: string,
  SourceName: string,
  SourceType: string,
});

function struct(fields: Readonly<Record<string, FieldSchema>>): StructSchema {
  return { kind: 'struct', fields };
}

function mapOf(values: FieldSchema): FieldSchema {
  return { kind: 'map', values };
}

function listOf(element: StructSchema): FieldSchema {
  return { kind: 'structs', element };
}
