/** What several kinds say of proxies, as a later Consul has it. */
import {
  duration,
  type Field,
  flag,
  free,
  list,
  map,
  maybe,
  meshGateway,
  said,
  type Table,
  text,
  texts,
  whole,
} from './fields.ts';

export const transparentProxy: Field = maybe({ OutboundListenerPort: whole, DialedDirectly: flag });

export const envoyExtensions: Field = list({
  Name: text,
  Required: flag,
  Arguments: free,
  ConsulVersion: text,
  EnvoyVersion: text,
});

export const headers: Field = maybe({ Add: map(text), Set: map(text), Remove: texts });

/** What is done to the headers of a request or of an answer. */
export interface HeaderChanges {
  readonly Add?: Readonly<Record<string, string>>;
  readonly Set?: Readonly<Record<string, string>>;
  readonly Remove?: readonly string[];
}

const passiveHealthCheck: Field = maybe({
  Interval: duration,
  MaxFailures: whole,
  EnforcingConsecutive5xx: said(whole),
  MaxEjectionPercent: whole,
  BaseEjectionTime: duration,
});

/** How a service's upstreams are reached. */
export const upstreamFields: Table = {
  Name: text,
  EnvoyListenerJSON: text,
  EnvoyClusterJSON: text,
  Protocol: text,
  ConnectTimeoutMs: whole,
  Limits: maybe({
    MaxConnections: whole,
    MaxPendingRequests: whole,
    MaxConcurrentRequests: whole,
  }),
  PassiveHealthCheck: passiveHealthCheck,
  MeshGateway: { ...meshGateway, always: false },
  BalanceOutboundConnections: text,
};

export const gatewayLimits: Table = {
  MaxConnections: whole,
  MaxPendingRequests: whole,
  MaxConcurrentRequests: whole,
  PassiveHealthCheck: passiveHealthCheck,
};

/** Where certificates come from that Envoy asks another service for. */
export const sds: Field = maybe({ ClusterName: text, CertResource: text });
