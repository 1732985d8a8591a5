/** The bodies that servers take of nodes, services and checks: their fields and their types. */
import { decoder, type Schema } from '../../lib/decode.ts';
import { LATER_SCHEMA, LOCALITY_SCHEMA } from '../../lib/later-fields.ts';
import { MAX_LISTED } from '../../lib/limits.ts';
import type {
  CheckDefinition,
  LaterFields,
  Locality,
  ServiceAddress,
  StringMap,
  Weights,
} from '../../lib/model.ts';
import type { SidecarSpec } from '../../lib/proxy-faults.ts';
import { proxySchema } from '../../lib/proxy-schema.ts';

const text = { type: 'string', default: '' } as const;
const flag = { type: 'boolean', default: false } as const;
const map = { type: 'object', additionalProperties: { type: 'string' } } as const;
const list = { type: 'array', items: { type: 'string' } } as const;
const duration = { duration: true } as const;

/** As far as a registration may be refused for it: to make a service of it is for an agent. */
const nestedSchema: Schema = {
  type: 'object',
  open: true,
  properties: { SidecarService: { type: 'object', open: true } },
};
const sidecarSchema: Schema = {
  type: 'object',
  open: true,
  properties: { ID: text, Connect: nestedSchema },
};
const connectSchema: Schema = {
  type: 'object',
  open: true,
  properties: { Native: flag, SidecarService: sidecarSchema },
};

export const serviceSchema: Schema = {
  type: 'object',
  properties: {
    Kind: text,
    ID: text,
    Service: text,
    Tags: list,
    Address: text,
    TaggedAddresses: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { Address: text, Port: { type: 'integer', default: 0 } },
      },
    },
    Meta: map,
    Port: { type: 'integer', default: 0 },
    Weights: {
      type: 'object',
      properties: { Passing: { type: 'integer' }, Warning: { type: 'integer' } },
    },
    EnableTagOverride: flag,
    Proxy: proxySchema({ upstreamType: '' }),
    Connect: connectSchema,
    ...LATER_SCHEMA,
    ModifyIndex: { uint64: true },
  },
  unheeded: ['AI', 'ContentHash', 'CreateIndex', 'Datacenter', 'PeerName'],
};

export const checkSchema: Schema = {
  type: 'object',
  properties: {
    Node: text,
    CheckID: text,
    Name: text,
    Status: text,
    Notes: text,
    Output: text,
    ServiceID: text,
    Type: text,
    Definition: {
      type: 'object',
      open: true,
      properties: {
        HTTP: { type: 'string' },
        TLSSkipVerify: { type: 'boolean' },
        TLSServerName: { type: 'string' },
        Header: { type: 'object', additionalProperties: list },
        Method: { type: 'string' },
        Body: { type: 'string' },
        TCP: { type: 'string' },
        UDP: { type: 'string' },
        H2PING: { type: 'string' },
        OSService: { type: 'string' },
        Interval: duration,
        OutputMaxSize: { type: 'integer' },
        Timeout: duration,
        DeregisterCriticalServiceAfter: duration,
        ScriptArgs: list,
        DockerContainerID: { type: 'string' },
        Shell: { type: 'string' },
        GRPC: { type: 'string' },
        GRPCUseTLS: { type: 'boolean' },
        AliasNode: { type: 'string' },
        AliasService: { type: 'string' },
        TTL: duration,
      },
    },
    ModifyIndex: { uint64: true },
  },
  unheeded: ['CreateIndex', 'ExposedPort', 'PeerName', 'ServiceName', 'ServiceTags'],
};

export const nodeSchema: Schema = {
  type: 'object',
  properties: {
    ID: text,
    Node: text,
    Address: text,
    Datacenter: text,
    TaggedAddresses: map,
    Meta: map,
    Locality: LOCALITY_SCHEMA,
    ModifyIndex: { uint64: true },
  },
  unheeded: ['CreateIndex', 'PeerName'],
};

export interface ServiceBody extends LaterFields {
  readonly Kind: string;
  readonly ID: string;
  readonly Service: string;
  readonly Tags?: readonly string[];
  readonly Address: string;
  readonly TaggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly Meta?: StringMap;
  readonly Port: number;
  readonly Weights?: Partial<Weights>;
  readonly EnableTagOverride: boolean;
  readonly Proxy?: Readonly<Record<string, unknown>>;
  readonly Connect?: {
    readonly Native: boolean;
    readonly SidecarService?: SidecarSpec;
  };
  readonly ModifyIndex?: number | bigint;
}

export interface CheckBody extends Omit<CheckDefinition, 'Definition'> {
  readonly Node: string;
  readonly Definition?: Readonly<Record<string, unknown>>;
  readonly ModifyIndex?: number | bigint;
}

export interface NodeBody {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses?: StringMap;
  readonly Meta?: StringMap;
  readonly Locality?: Locality;
  readonly ModifyIndex?: number | bigint;
}

export interface RegisterBody extends Omit<NodeBody, 'Meta'> {
  readonly NodeMeta?: StringMap;
  readonly Service?: ServiceBody;
  readonly Check?: CheckBody;
  readonly Checks?: readonly CheckBody[];
  readonly SkipNodeUpdate: boolean;
}

export const registerBody = decoder<RegisterBody>({
  type: 'object',
  properties: {
    ID: text,
    Node: text,
    Address: text,
    Datacenter: text,
    TaggedAddresses: map,
    NodeMeta: map,
    Locality: LOCALITY_SCHEMA,
    Service: serviceSchema,
    Check: checkSchema,
    Checks: { type: 'array', maxItems: MAX_LISTED, items: checkSchema },
    SkipNodeUpdate: flag,
  },
  // Python's client says the token again, as a field that no Consul has.
  unheeded: ['CreateIndex', 'ModifyIndex', 'PeerName', 'Token', 'WriteRequest'],
});

export interface DeregisterBody {
  readonly Node: string;
  readonly Datacenter: string;
  readonly ServiceID: string;
  readonly CheckID: string;
}

export const deregisterBody = decoder<DeregisterBody>({
  type: 'object',
  properties: { Node: text, Datacenter: text, ServiceID: text, CheckID: text },
  unheeded: ['Address', 'Token', 'WriteRequest'],
});
