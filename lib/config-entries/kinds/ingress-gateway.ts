import { quote } from '../../go-literals.ts';
import type { ConfigEntryDefinition } from '../entry.ts';
import { always, flag, list, maybe, struct, text, texts, whole } from '../fields.ts';
import { eachOf, firstFault, firstTwice, HEAD, type Kind, META } from '../kind.ts';
import { gatewayLimits, headers, sds } from '../proxying.ts';
import { type TlsParams, tls, tlsFault } from '../tls-params.ts';

export interface IngressGateway extends ConfigEntryDefinition {
  readonly TLS: TlsParams & { readonly Enabled: boolean; readonly SDS?: Sds };
  readonly Listeners: readonly IngressListener[] | null;
}

export interface IngressListener {
  readonly Port: number;
  readonly Protocol: string;
  readonly TLS?: TlsParams & { readonly Enabled?: boolean; readonly SDS?: Sds };
  readonly Services: readonly IngressService[] | null;
}

interface IngressService {
  readonly Name: string;
  readonly Hosts: readonly string[] | null;
  readonly TLS?: { readonly SDS?: Sds };
}

interface Sds {
  readonly ClusterName?: string;
  readonly CertResource?: string;
}

export const EVERY_SERVICE = '*';
const PROTOCOLS = ['tcp', 'http', 'http2', 'grpc'];

export const INGRESS_GATEWAY: Kind<IngressGateway> = {
  kind: 'ingress-gateway',
  says: 'what a gateway lets into the mesh, and on which ports',
  changedBy: 'mesh',
  seenBy: 'service',
  fields: {
    ...HEAD,
    TLS: struct({ Enabled: always(flag), SDS: sds, ...tls }),
    Listeners: always(
      list({
        Port: always(whole),
        Protocol: always(text),
        TLS: maybe({ Enabled: flag, SDS: sds, ...tls }),
        Services: always(
          list({
            Name: always(text),
            Hosts: always(texts),
            TLS: maybe({ SDS: sds }),
            RequestHeaders: headers,
            ResponseHeaders: headers,
            ...gatewayLimits,
            ...META,
          }),
        ),
      }),
    ),
    Defaults: maybe(gatewayLimits),
    ...META,
  },
  normal: (entry) => ({
    ...entry,
    Listeners: eachOf(entry.Listeners, normalListener),
  }),
  fault: faultOf,
  unwritable: ({ TLS: above, Listeners }) =>
    tlsFault(above, { at: 'TLS' }) ??
    firstFault(Listeners ?? [], ({ Port, TLS = {} }) =>
      tlsFault(TLS, { at: `Listeners[port ${Port}].TLS`, above }),
    ),
  refersTo: ({ Listeners }) =>
    (Listeners ?? [])
      .flatMap(({ Services }) => Services ?? [])
      .flatMap(({ Name }) => (Name === EVERY_SERVICE ? [] : Name)),
};

function normalListener(listener: IngressListener): IngressListener {
  const protocol = listener.Protocol.toLowerCase();
  return { ...listener, Protocol: protocol === '' ? 'tcp' : protocol };
}

function faultOf({ Name, TLS, Listeners }: IngressGateway): string | undefined {
  if (Name === '') return 'Name is required';
  const listeners = Listeners ?? [];
  const port = firstTwice(listeners.map(({ Port }) => String(Port)));
  if (port !== undefined) return `port ${port} declared on two listeners`;
  return firstFault(listeners, (each) => listenerFault(each, TLS));
}

function listenerFault(listener: IngressListener, { Enabled: secure, SDS }: IngressGateway['TLS']) {
  const { Port, Protocol, Services } = listener;
  const at = `(listener on port ${Port})`;
  const services = Services ?? [];
  if (!PROTOCOLS.includes(Protocol)) {
    return `protocol must be 'tcp', 'http', 'http2', or 'grpc'. '${Protocol}' is an unsupported protocol`;
  }
  if (services.length === 0) return `No service declared for listener with port ${Port}`;
  // Others have nothing to tell services apart by.
  if (Protocol === 'tcp' && services.length > 1) {
    return `Multiple services per listener are only supported for protocol = 'http' ${at}`;
  }
  const fault = firstFault(
    services,
    (each) =>
      serviceFault(each, { Protocol, at, secure }) ??
      certificateFault(each, { gateway: SDS, listener: listener.TLS?.SDS, port: Port }),
  );
  if (fault !== undefined) return fault;
  // In them there is no case.
  const hosts = services.flatMap(({ Hosts }) => Hosts ?? []).map((host) => host.toLowerCase());
  const twice = firstTwice(hosts);
  return twice === undefined ? undefined : `Hosts must be unique within a specific listener ${at}`;
}

interface OnListener {
  readonly Protocol: string;
  readonly at: string;
  readonly secure: boolean;
}

function serviceFault(service: IngressService, { Protocol, at, secure }: OnListener) {
  const { Name, Hosts, TLS } = service;
  const hosts = Hosts ?? [];
  if (Name === '') return `Service name cannot be blank ${at}`;
  if (Name === EVERY_SERVICE && Protocol === 'tcp') {
    return `Wildcard service name is only valid for protocol = 'http' ${at}`;
  }
  if (Name === EVERY_SERVICE && hosts.length > 0) {
    return `Associating hosts to a wildcard service is not supported ${at}`;
  }
  if (Protocol === 'tcp' && hosts.length > 0) {
    return `Associating hosts to a service is not supported for the ${Protocol} protocol ${at}`;
  }
  const isSecure = secure || (TLS?.SDS?.CertResource ?? '') !== '';
  return firstFault(hosts, (host) => hostFault(host, isSecure));
}

interface Above {
  readonly gateway: Sds | undefined;
  readonly listener: Sds | undefined;
  readonly port: number;
}

/** A certificate that nobody could be shown; as later Consuls refuse it. */
function certificateFault(
  { Name, Hosts, TLS }: IngressService,
  { gateway = {}, listener = {}, port }: Above,
): string | undefined {
  const fault = (needed: string, said: string, of = '') =>
    `TLS.SDS.${needed} is required if ${said} is set${of} (listener on port ${port})`;
  if (listener.ClusterName && !listener.CertResource) {
    return fault('CertResource', 'ClusterName', ' for listener');
  }
  const [cluster, resource] = [
    listener.ClusterName || gateway.ClusterName,
    listener.CertResource || gateway.CertResource,
  ];
  if (cluster && !resource) return fault('CertResource', 'ClusterName', ' for gateway');
  if (resource && !cluster) return fault('ClusterName', 'CertResource');
  return ownFault(TLS?.SDS ?? {}, {
    at: `(service ${quote(Name)} on listener on port ${port})`,
    hasHosts: (Hosts ?? []).length > 0,
    hasCluster: Boolean(cluster),
  });
}

interface OfService {
  readonly at: string;
  readonly hasHosts: boolean;
  /** Said for all. */
  readonly hasCluster: boolean;
}

function ownFault({ ClusterName, CertResource }: Sds, { at, hasHosts, hasCluster }: OfService) {
  if (!CertResource) {
    if (!ClusterName) return undefined;
    return `TLS.SDS.CertResource is required if ClusterName is set ${at}`;
  }
  if (!hasHosts) {
    return `A service specifying TLS.SDS.CertResource must have at least one item in Hosts ${at}`;
  }
  if (ClusterName || hasCluster) return undefined;
  return `TLS.SDS.ClusterName is required if CertResource is set ${at}`;
}

const MAX_NAME_LENGTH = 255;
const MAX_LABEL_LENGTH = 63;

function hostFault(host: string, secure: boolean): string | undefined {
  if (host === '*') {
    if (!secure) return undefined;
    return "Host '*' is not allowed when TLS is enabled, all hosts must be valid DNS records to add as a DNSSAN";
  }
  const labels = host.replace(/\.$/, '').split('.');
  const isName = labels.every((label) => label !== '' && label.length <= MAX_LABEL_LENGTH);
  if (!isName || host.length > MAX_NAME_LENGTH)
    return `Host ${quote(host)} must be a valid DNS hostname`;
  const stars = host.startsWith('*.') ? host.slice(1) : host;
  if (!stars.includes('*')) return undefined;
  return `Host ${quote(host)} is not valid, a wildcard specifier is only allowed as the leftmost label`;
}
