import type { ConfigEntryDefinition } from '../entry.ts';
import {
  always,
  expose,
  list,
  maybe,
  meshGateway,
  natural,
  text,
  texts,
  whole,
} from '../fields.ts';
import { HEAD, type Kind, META } from '../kind.ts';
import { envoyExtensions, transparentProxy, upstreamFields } from '../proxying.ts';

export interface ServiceDefaults extends ConfigEntryDefinition {
  readonly Protocol: string;
  readonly MeshGateway: { readonly Mode?: string };
  readonly ExternalSNI?: string;
  readonly Expose: object;
  readonly UpstreamConfig?: UpstreamConfiguration;
}

interface UpstreamConfiguration {
  readonly Overrides?: readonly { readonly Name?: string }[];
  readonly Defaults?: object;
}

export const SERVICE_DEFAULTS: Kind<ServiceDefaults> = {
  kind: 'service-defaults',
  says: 'what is so of every instance of a service: its protocol, how it is reached',
  changedBy: 'service',
  seenBy: 'service',
  fields: {
    ...HEAD,
    Protocol: always(text),
    Mode: text,
    TransparentProxy: transparentProxy,
    MutualTLSMode: text,
    MeshGateway: meshGateway,
    Expose: expose,
    ExternalSNI: text,
    UpstreamConfig: maybe({ Overrides: list(upstreamFields), Defaults: maybe(upstreamFields) }),
    Destination: maybe({ Addresses: texts, Port: whole }),
    MaxInboundConnections: whole,
    LocalConnectTimeoutMs: whole,
    LocalRequestTimeoutMs: whole,
    BalanceInboundConnections: text,
    RateLimits: maybe({
      InstanceLevel: maybe({
        RequestsPerSecond: natural,
        RequestsMaxBurst: natural,
        Routes: list({
          PathExact: text,
          PathPrefix: text,
          PathRegex: text,
          RequestsPerSecond: natural,
          RequestsMaxBurst: natural,
        }),
      }),
    }),
    EnvoyExtensions: envoyExtensions,
    ...META,
  },
  normal: (entry) => ({ ...entry, Protocol: entry.Protocol.toLowerCase() }),
  fault: ({ Name }) => (Name === '' ? 'serviceName is required' : undefined),
};
