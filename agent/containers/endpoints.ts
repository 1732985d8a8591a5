/** Where a container's ports are reached. */
import { ownLabel, ownSwitch } from './attributes.ts';
import type { DockerOptions } from './options.ts';
import type { Container } from './runtime.ts';

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
  const internal = ownSwitch(container, 'internal') ?? options.internal;
  const inside = containerAddress(container, options, find);
  const endpoints: Endpoint[] = [];
  for (const { port, protocol, host } of container.ports) {
    const listens = internal ? Number(port) : (host?.port ?? 0);
    if (!(listens > 0)) continue;
    const isInside = internal || owner(container) !== undefined;
    const address = isInside ? inside : hostAddress(host?.address ?? '', options);
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
  const other = owner(container);
  const inNetwork = other === undefined ? container : find(other);
  return (
    labelled(container, options) ??
    (inNetwork && networkAddress(inNetwork, container)) ??
    options.address
  );
}

/** The container whose network it is in, where that is not its own. */
function owner({ network }: Container): string | undefined {
  return typeof network.of === 'object' ? network.of.container : undefined;
}

function hostAddress(bound: string, options: DockerOptions): string {
  return options.forceAddress || WILDCARDS.has(bound) ? options.address : bound;
}

/** The label may hold a prefix, as in 10.0.0.7/24. */
function labelled({ labels }: Container, { useIpFromLabel }: DockerOptions): string | undefined {
  if (useIpFromLabel === '') return undefined;
  return labels.get(useIpFromLabel)?.replace(/\/[^/]*$/, '') || undefined;
}

/**
 * Of several networks the one that the label names, else the default one, else the first by name,
 * so that a restart finds the same again.
 */
function networkAddress({ network }: Container, container: Container): string | undefined {
  const { address, addresses } = network;
  const chosen = addresses.get(ownLabel(container, 'network'));
  const names = [...addresses.keys()].sort();
  const first = names.map((name) => addresses.get(name)).find(Boolean);
  return chosen || address || first || undefined;
}
