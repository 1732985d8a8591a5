/**
 * A container runtime, as the agent needs it. Another one is a file in `runtimes/`, which turns what
 * the runtime says into these shapes and knows nothing of services.
 */

export interface ContainerRuntime {
  /** For the log: docker. */
  readonly name: string;
  /**
   * Tells of every change after `since`, of what the runtime still remembers, and then of all that
   * follow. The stream is open when this resolves, and ends or throws when the connection does.
   */
  events(since: number | undefined, signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>>;
  /** The ids of the containers that are up, or about to be. */
  list(signal: AbortSignal): Promise<readonly string[]>;
  /** Undefined when there is no such container. Settles within seconds, as `list` does. */
  inspect(id: string, signal: AbortSignal): Promise<Container | undefined>;
  /** Runs a command inside a container; resolves with its exit code, null for none. */
  exec(command: ExecCommand, signal: AbortSignal): Promise<number | null>;
}

export interface ContainerEvent {
  readonly containerId: string;
  /** The runtime's time, in seconds. */
  readonly time: number;
}

export interface ExecCommand {
  /** A container's id or name, as the check's DockerContainerID. */
  readonly containerId: string;
  /** The command and its arguments; no shell reads them. */
  readonly args: readonly string[];
  /** What it says, wherever it says it. */
  readonly onOutput: (part: Buffer) => void;
}

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  /** When it was made; texts of one runtime in the order of time. */
  readonly created: string;
  readonly state: 'running' | 'paused' | 'restarting' | 'ended';
  readonly exitCode: number;
  /** What the health check says that it brings along, if it has one. */
  readonly health: ContainerHealth | undefined;
  /** In order; the last of one name counts. */
  readonly variables: readonly (readonly [name: string, value: string])[];
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: readonly ContainerPort[];
  readonly network: ContainerNetwork;
}

export interface ContainerHealth {
  readonly status: 'healthy' | 'starting' | 'unhealthy';
  /** Of the last look. */
  readonly output: string;
}

/** A port that is published, or that the container says it has. */
export interface ContainerPort {
  /** Of the container: what labels call it by. */
  readonly port: string;
  readonly protocol: string;
  /** Where the host listens for it; undefined where it does not. */
  readonly host: { readonly address: string; readonly port: number } | undefined;
}

export interface ContainerNetwork {
  /** Whose network it is in: its own, the host's, or that of another container. */
  readonly of: 'itself' | 'host' | { readonly container: string };
  /** Its address in the runtime's default network, '' for none. */
  readonly address: string;
  /** In each network that it is in. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** A paused container is up: it holds its ports and its address. */
export function isUp({ state }: Container): boolean {
  return state === 'running' || state === 'paused';
}
