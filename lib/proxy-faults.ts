/** What is wrong with a proxy, a gateway or a sidecar as it is registered, in Consul's words. */

/** As far as it is looked at. Its Proxy was read by proxySchema. */
export interface ProxySpec {
  readonly Kind: string;
  readonly ID: string;
  readonly Port: number;
  readonly Proxy?: Readonly<Record<string, unknown>> | undefined;
  readonly Connect?:
    | { readonly Native: boolean; readonly SidecarService?: SidecarSpec }
    | undefined;
}

export interface SidecarSpec {
  readonly ID?: string;
  readonly Connect?: { readonly SidecarService?: unknown } | undefined;
}

interface Upstream {
  readonly DestinationType: string;
  readonly DestinationName?: string;
  readonly DestinationNamespace?: string;
  readonly Datacenter: string;
  readonly LocalBindAddress?: string;
  readonly LocalBindPort?: number;
}

interface ExposedPath {
  readonly Path?: string;
  readonly ListenerPort?: number;
  readonly Protocol?: string;
}

const GATEWAYS = new Set(['mesh-gateway', 'terminating-gateway', 'ingress-gateway']);
/** These listen on the ports that their configuration says. */
const WITHOUT_PORT = 'ingress-gateway';
const UPSTREAM_TYPES = new Set(['', 'service', 'prepared_query']);
const PROTOCOLS = new Set(['', 'http', 'http2']);
const MAX_PORT = 65535;
/** The service of that name here is not the one that is meant. */
const NAMESPACES = 'upstream destination namespace: Namespaces are a Consul Enterprise feature';

/** All faults as one text; undefined when there are none. */
export function proxyFault(spec: ProxySpec): string | undefined {
  const faults = [...kindFaults(spec), ...sidecarFaults(spec.Connect?.SidecarService)];
  if (faults.length === 0) return undefined;
  const count = faults.length === 1 ? '1 error' : `${faults.length} errors`;
  return `${count} occurred:\n${faults.map((fault) => `\t* ${fault}\n`).join('')}\n`;
}

function kindFaults(spec: ProxySpec): readonly string[] {
  if (spec.Kind === 'connect-proxy') return connectProxyFaults(spec);
  return GATEWAYS.has(spec.Kind) ? gatewayFaults(spec) : [];
}

function connectProxyFaults({ Port, Proxy: proxy = {}, Connect }: ProxySpec): readonly string[] {
  const faults: string[] = [];
  if (!proxy['DestinationServiceName']) {
    faults.push('Proxy.DestinationServiceName must be non-empty for Connect proxy services');
  }
  if (Port === 0) faults.push('Port must be set for a Connect proxy');
  if (Connect?.Native === true) {
    faults.push('A Proxy cannot also be Connect Native, only typical services');
  }
  const expose = proxy['Expose'] as { readonly Paths?: readonly ExposedPath[] } | undefined;
  return [
    ...faults,
    ...upstreamFaults((proxy['Upstreams'] ?? []) as readonly Upstream[]),
    ...exposeFaults(expose?.Paths ?? []),
  ];
}

function upstreamFaults(upstreams: readonly Upstream[]): readonly string[] {
  return upstreams.map(faultAmong()).filter((fault) => fault !== undefined);
}

/**
 * A proxy as it may be registered, of which an earlier version took what this one refuses: for one upstream the whole service
 * would never come into the catalog. Calls with what is left out, and why.
 */
export function withoutFaultyUpstreams(
  proxy: Readonly<Record<string, unknown>>,
  leave: (name: string, why: string) => void,
): Readonly<Record<string, unknown>> {
  const { Upstreams } = proxy;
  if (!Array.isArray(Upstreams)) return proxy;
  const faultOf = faultAmong();
  const kept = Upstreams.filter((upstream: Upstream) => {
    const fault = faultOf(upstream);
    if (fault !== undefined) leave(String(upstream.DestinationName), fault);
    return fault === undefined;
  });
  return kept.length === Upstreams.length ? proxy : { ...proxy, Upstreams: kept };
}

/** Of one after the other: what is wrong with it by itself, or beside those before it. */
function faultAmong(): (upstream: Upstream) => string | undefined {
  const names = new Set<string>();
  const binds = new Set<string>();
  return (upstream) => {
    const fault = upstreamFault(upstream);
    if (fault !== undefined) return fault;
    const { DestinationType, DestinationName, Datacenter, LocalBindAddress, LocalBindPort } =
      upstream;
    const name = `type="${DestinationType || 'service'}", name="${DestinationName}", namespace="", datacenter="${Datacenter}"`;
    if (names.has(name)) return `upstreams cannot contain duplicates of [${name}]`;
    names.add(name);
    const bind = `${LocalBindAddress || '127.0.0.1'}:${LocalBindPort}`;
    if (binds.has(bind)) {
      const where = `"${bind}" is specified twice`;
      return `upstreams cannot contain duplicates by local bind address and port; ${where}`;
    }
    binds.add(bind);
    return undefined;
  };
}

function upstreamFault(upstream: Upstream): string | undefined {
  const { DestinationType, DestinationName, DestinationNamespace = '', LocalBindPort } = upstream;
  if (!UPSTREAM_TYPES.has(DestinationType)) {
    return `unknown upstream destination type: "${DestinationType}"`;
  }
  if (!DestinationName) return 'upstream destination name cannot be empty';
  if (!['', 'default'].includes(DestinationNamespace)) return NAMESPACES;
  return LocalBindPort ? undefined : 'upstream local bind port cannot be zero';
}

function exposeFaults(paths: readonly ExposedPath[]): readonly string[] {
  const ports = new Set<number>();
  return paths.flatMap(({ Path = '', ListenerPort = 0, Protocol = '' }) => {
    const faults: string[] = [];
    if (Path === '') faults.push('expose.paths: empty path exposed');
    if (ports.has(ListenerPort)) faults.push('expose.paths: duplicate listener ports exposed');
    ports.add(ListenerPort);
    if (ListenerPort <= 0 || ListenerPort > MAX_PORT) {
      faults.push(`expose.paths: invalid listener port: ${ListenerPort}`);
    }
    if (!PROTOCOLS.has(Protocol)) {
      faults.push(
        `protocol '${Protocol}' not supported for path: ${Path}, must be in: [http http2]`,
      );
    }
    return faults;
  });
}

function gatewayFaults({ Kind, Port, Proxy: proxy = {}, Connect }: ProxySpec): readonly string[] {
  const invalid = (field: string) => `The Proxy.${field} configuration is invalid for a ${Kind}`;
  const upstreams = proxy['Upstreams'];
  return [
    ...(Port === 0 && Kind !== WITHOUT_PORT ? [`Port must be non-zero for a ${Kind}`] : []),
    ...(Connect?.SidecarService === undefined
      ? []
      : [`A ${Kind} cannot have a sidecar service defined`]),
    ...['DestinationServiceName', 'DestinationServiceID', 'LocalServiceAddress', 'LocalServicePort']
      .filter((field) => Boolean(proxy[field]))
      .map(invalid),
    ...(Array.isArray(upstreams) && upstreams.length > 0 ? [invalid('Upstreams')] : []),
  ];
}

function sidecarFaults(sidecar: SidecarSpec | undefined): readonly string[] {
  if (sidecar === undefined) return [];
  return [
    ...((sidecar.ID ?? '') === ''
      ? []
      : ['A SidecarService cannot specify an ID as this is managed by the agent']),
    ...(sidecar.Connect?.SidecarService === undefined
      ? []
      : ['A SidecarService cannot have a nested SidecarService']),
  ];
}
