/** What Docker says of a container in `GET /containers/:id/json`, as the agent needs it. */
import type { Container, ContainerHealth, ContainerNetwork, ContainerPort } from '../runtime.ts';

/** The daemon leaves out, or answers null for, whatever does not apply or is not known to it. */
export interface DockerContainer {
  readonly Id: string;
  /** With a slash before it. */
  readonly Name: string;
  readonly Created: string;
  readonly State: {
    /** created, running, paused, restarting, removing, exited or dead. */
    readonly Status: string;
    readonly ExitCode: number;
    readonly Health?: DockerHealth | null | undefined;
  };
  readonly Config: {
    readonly Image: string;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
  };
  readonly HostConfig: {
    readonly NetworkMode?: string;
    readonly PortBindings?: PortBindings | null;
  };
  readonly NetworkSettings: Addressed & {
    readonly Ports?: PortBindings | null;
    readonly Networks?: Readonly<Record<string, Addressed | null>> | null;
  };
}

interface DockerHealth {
  /** none, starting, healthy or unhealthy. */
  readonly Status: string;
  readonly Log?: readonly { readonly Output: string }[] | null;
}

interface Addressed {
  readonly IPAddress?: string;
  readonly GlobalIPv6Address?: string;
}

/** '80/tcp' → where the host listens for it. */
export type PortBindings = Readonly<Record<string, readonly PortBinding[] | null>>;

interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

const LINK = 'container:';

export function fromDocker(docker: DockerContainer): Container {
  const { State, Config } = docker;
  const network = networkOf(docker);
  return {
    id: docker.Id,
    name: docker.Name.replace(/^\//, ''),
    image: Config.Image,
    created: docker.Created,
    state: stateOf(State.Status),
    exitCode: State.ExitCode,
    health: healthOf(State.Health),
    variables: (Config.Env ?? []).map(variable),
    labels: new Map(Object.entries(Config.Labels ?? {})),
    ports: network.of === 'itself' ? publishedPorts(docker) : unmappedPorts(docker),
    network,
  };
}

function stateOf(status: string): Container['state'] {
  return status === 'running' || status === 'paused' || status === 'restarting' ? status : 'ended';
}

function healthOf(health: DockerHealth | null | undefined): ContainerHealth | undefined {
  const status = health?.Status;
  if (status !== 'healthy' && status !== 'starting' && status !== 'unhealthy') return undefined;
  return { status, output: health?.Log?.at(-1)?.Output ?? '' };
}

function variable(line: string): readonly [string, string] {
  const at = line.indexOf('=');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

function networkOf({ HostConfig, NetworkSettings }: DockerContainer): ContainerNetwork {
  const mode = HostConfig.NetworkMode ?? '';
  const networks = Object.entries(NetworkSettings.Networks ?? {});
  return {
    of: mode.startsWith(LINK) ? { container: mode.slice(LINK.length) } : ownOrHost(mode),
    address: addressOf(NetworkSettings),
    addresses: new Map(networks.map(([name, at]) => [name, addressOf(at ?? {})])),
  };
}

function ownOrHost(mode: string): 'itself' | 'host' {
  return mode === 'host' ? 'host' : 'itself';
}

/** A network may have IPv6 alone. */
function addressOf({ IPAddress, GlobalIPv6Address }: Addressed): string {
  return IPAddress || GlobalIPv6Address || '';
}

/** The first binding counts, as in registrator; null is an exposed port that nobody published. */
function publishedPorts({ Config, NetworkSettings }: DockerContainer): ContainerPort[] {
  const exposed = Object.keys(Config.ExposedPorts ?? {}).map((key) => [key, null] as const);
  const ports = new Map<string, readonly PortBinding[] | null>(exposed);
  for (const [key, bindings] of Object.entries(NetworkSettings.Ports ?? {})) {
    ports.set(key, bindings);
  }
  return [...ports].map(([key, bindings]) => {
    const [first] = bindings ?? [];
    return portOf(key, first?.HostIp ?? '', Number(first?.HostPort ?? ''));
  });
}

/**
 * Without a network of its own nothing is mapped: what it listens on is what it says it exposes,
 * and what `-p` asked for, which Docker otherwise ignores here.
 */
function unmappedPorts({ Config, HostConfig }: DockerContainer): ContainerPort[] {
  const said = { ...Config.ExposedPorts, ...HostConfig.PortBindings };
  return Object.keys(said).map((key) => portOf(key, '', Number.parseInt(key, 10)));
}

function portOf(key: string, address: string, hostPort: number): ContainerPort {
  const [port = '', protocol = 'tcp'] = key.split('/');
  return { port, protocol, host: hostPort > 0 ? { address, port: hostPort } : undefined };
}
