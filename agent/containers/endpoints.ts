/** Where a container's ports are reached. */
import { ownLabel, ownSwitch } from './attributes.ts';
import type { DockerOptions } from './options.ts';
import type { Container, PortBinding } from './runtimes/container.ts';

export interface Endpoint {
  /** Of the container: what labels call the port by. */
  readonly port: string;
  readonly protocol: string;
  readonly address: string;
  /** Where it is reached: the host's port, or the container's when internal. */
  readonly listens: number;
}

/** Finds the container whose network another one uses (`--network container:x`). */
export type FindContainer = (nameOrId: string) => Container | undefined;

const WILDCARDS: ReadonlySet<string> = new Set(['', '0.0.0.0', '::']);

/** The ports that are services: published ones, or all exposed ones when internal. In order. */
export function endpointsOf(
  container: Container,
  options: DockerOptions,
  find: FindContainer,
): Endpoint[] {
  const internal = isInternal(container, options);
  const inside = containerAddress(container, options, find);
  const endpoints: Endpoint[] = [];
  for (const [key, binding] of portsOf(container)) {
    const [port = '', protocol = 'tcp'] = key.split('/');
    const listens = Number(internal ? port : (binding?.HostPort ?? ''));
    if (!(listens > 0)) continue;
    const address = internal || isLinked(container) ? inside : hostAddress(binding, options);
    endpoints.push({ port, protocol, listens, address: labelled(container, options) ?? address });
  }
  return endpoints.sort(
    (a, b) => Number(a.port) - Number(b.port) || (a.protocol < b.protocol ? -1 : 1),
  );
}

/** Where the container itself is reached, whatever it publishes. */
export function containerAddress(
  container: Container,
  options: DockerOptions,
  find: FindContainer,
): string {
  const owner = isLinked(container) ? find(networkMode(container).slice(LINK.length)) : container;
  return (
    labelled(container, options) ?? (owner && networkAddress(owner, container)) ?? options.address
  );
}

const LINK = 'container:';

function networkMode(container: Container): string {
  return container.HostConfig.NetworkMode ?? '';
}

function isLinked(container: Container): boolean {
  return networkMode(container).startsWith(LINK);
}

function isInternal(container: Container, options: DockerOptions): boolean {
  return ownSwitch(container.Config, 'internal') ?? options.internal;
}

/** The first binding counts, as in registrator; null is an exposed port that nobody published. */
function portsOf(container: Container): [string, PortBinding | undefined][] {
  const { Config, HostConfig, NetworkSettings } = container;
  const mode = networkMode(container);
  if (mode !== 'host' && !isLinked(container)) {
    const ports = { ...emptyPorts(Config.ExposedPorts), ...NetworkSettings.Ports };
    return Object.entries(ports).map(([key, bindings]) => [key, bindings?.[0]]);
  }
  // Without a network of its own nothing is mapped: what it listens on is what it says it exposes,
  // and what `-p` asked for, which Docker otherwise ignores here.
  const said = { ...Config.ExposedPorts, ...HostConfig.PortBindings };
  return Object.keys(said).map((key) => [key, { HostPort: key.split('/')[0] ?? '' }]);
}

function emptyPorts(exposed: Container['Config']['ExposedPorts']): Record<string, null> {
  return Object.fromEntries(Object.keys(exposed ?? {}).map((key) => [key, null]));
}

function hostAddress(binding: PortBinding | undefined, options: DockerOptions): string {
  const bound = binding?.HostIp ?? '';
  return options.forceAddress || WILDCARDS.has(bound) ? options.address : bound;
}

/** The label may hold a prefix, as in 10.0.0.7/24. */
function labelled(container: Container, { useIpFromLabel }: DockerOptions): string | undefined {
  if (useIpFromLabel === '') return undefined;
  const labels = new Map(Object.entries(container.Config.Labels ?? {}));
  return labels.get(useIpFromLabel)?.replace(/\/[^/]*$/, '') || undefined;
}

/**
 * Of several networks the one that the label names, else the default one, else the first by name,
 * so that a restart finds the same again.
 */
function networkAddress(owner: Container, container: Container): string | undefined {
  const { IPAddress, Networks } = owner.NetworkSettings;
  const networks = new Map(Object.entries(Networks ?? {}));
  const chosen = networks.get(ownLabel(container.Config, 'network'))?.IPAddress;
  const names = [...networks.keys()].sort();
  const first = names.map((name) => networks.get(name)?.IPAddress).find(Boolean);
  return chosen || IPAddress || first || undefined;
}
