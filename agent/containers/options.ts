/** What the watcher is told: the agent's `docker { … }` block, and where the agent is. */
import type { DockerConfig } from '../../lib/config/config.ts';

/** What the watcher has nothing to do with. */
type NotOfThem = 'enabled' | 'cgroups' | 'ttlMs' | 'ttlRefreshMs';

export interface DockerOptions extends Omit<DockerConfig, NotOfThem> {
  /** Where this node is reached: `ip`, or the agent's own address. */
  readonly address: string;
  /** Whether `ip` was given, and so goes before the address that a port is bound to. */
  readonly forceAddress: boolean;
}

export interface Surroundings {
  /** The machine's name. */
  readonly hostname: string;
  /** The address that the agent advertises. */
  readonly address: string;
  /** DOCKER_HOST, if it is set. */
  readonly dockerHost?: string | undefined;
}

const DEFAULT_DOCKER_ENDPOINT = 'unix:///var/run/docker.sock';

/** The options with everything filled in that was left out. */
export function dockerOptions(config: DockerConfig, around: Surroundings): DockerOptions {
  const { enabled, cgroups, ttlMs, ttlRefreshMs, ...options } = config;
  return {
    ...options,
    endpoint: config.endpoint || around.dockerHost || DEFAULT_DOCKER_ENDPOINT,
    hostname: config.hostname || around.hostname,
    address: config.ip || around.address,
    forceAddress: config.ip !== '',
    // As registrator takes them: 'a,b' is two.
    tags: config.tags.flatMap(splitTags),
  };
}

/** Splits at commas, but not at `\,`, which stands for a comma in a tag. Drops empty ones. */
export function splitTags(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((tag) => tag.replaceAll('\\,', ','))
    .filter((tag) => tag !== '');
}
