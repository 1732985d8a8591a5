/** How a proxy is written: in what is registered with an agent or in the catalog, and in files. */
import type { Schema } from './decode.ts';
import { MAX_UPSTREAMS } from './limits.ts';

const text = { type: 'string', default: '' };
const free = { type: 'object', free: true };

const meshGateway: Schema = { type: 'object', properties: { Mode: { type: 'string' } } };

const upstreamSchema = (type: string): Schema => ({
  type: 'object',
  properties: {
    DestinationType: { type: 'string', default: type },
    DestinationNamespace: { type: 'string' },
    DestinationName: { type: 'string' },
    Datacenter: text,
    LocalBindAddress: { type: 'string' },
    LocalBindPort: { type: 'integer' },
    Config: { type: ['object', 'null'], free: true, default: null },
    MeshGateway: { ...meshGateway, default: {} },
  },
  unheeded: [
    ...['CentrallyConfigured', 'DestinationPartition', 'DestinationPeer', 'DestinationPort'],
    ...['LocalBindSocketMode', 'LocalBindSocketPath'],
  ],
});

const exposeSchema: Schema = {
  type: 'object',
  properties: {
    Checks: { type: 'boolean' },
    Paths: {
      type: 'array',
      maxItems: MAX_UPSTREAMS,
      items: {
        type: 'object',
        properties: {
          ListenerPort: { type: 'integer' },
          Path: { type: 'string' },
          LocalPathPort: { type: 'integer' },
          Protocol: { type: 'string' },
          ParsedFromCheck: { type: 'boolean', default: false },
        },
      },
    },
  },
};

/** What a later Consul says of a proxy, in what is registered and in config entries alike. */
const LATER_PROXY_SCHEMA: Readonly<Record<string, Schema>> = {
  Mode: { enum: ['', 'direct', 'transparent'] },
  TransparentProxy: {
    type: 'object',
    properties: {
      OutboundListenerPort: { type: 'integer' },
      DialedDirectly: { type: 'boolean' },
    },
  },
  MutualTLSMode: { enum: ['', 'default', 'strict', 'permissive'] },
  AccessLogs: free,
  EnvoyExtensions: { type: 'array', maxItems: 64, items: free },
};
export const LATER_PROXY_FIELDS = Object.keys(LATER_PROXY_SCHEMA);

/** `upstreamType` is what an upstream is that does not say it: agents fill it in, the catalog does not. */
export const proxySchema = ({ upstreamType }: { readonly upstreamType: string }): Schema => ({
  type: 'object',
  properties: {
    DestinationServiceName: { type: 'string' },
    DestinationServiceID: { type: 'string' },
    LocalServiceAddress: { type: 'string' },
    LocalServicePort: { type: 'integer' },
    Config: free,
    Upstreams: { type: 'array', maxItems: MAX_UPSTREAMS, items: upstreamSchema(upstreamType) },
    MeshGateway: { ...meshGateway, default: {} },
    Expose: { ...exposeSchema, default: {} },
    ...LATER_PROXY_SCHEMA,
  },
  unheeded: ['LocalServicePorts', 'LocalServiceSocketPath'],
});
