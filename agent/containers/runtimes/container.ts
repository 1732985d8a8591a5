/**
 * What is read of Docker's answer to `GET /containers/:id/json`. The daemon leaves out, or answers
 * null for, whatever does not apply to a container or is not known to its version.
 */
export interface Container {
  readonly Id: string;
  /** With a slash before it. */
  readonly Name: string;
  readonly Created: string;
  readonly State: ContainerState;
  readonly Config: ContainerConfig;
  readonly HostConfig: {
    readonly NetworkMode?: string;
    readonly PortBindings?: PortBindings | null;
  };
  readonly NetworkSettings: {
    readonly IPAddress?: string;
    readonly Ports?: PortBindings | null;
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null;
  };
}

export interface ContainerState {
  /** created, running, paused, restarting, removing, exited or dead. */
  readonly Status: string;
  readonly ExitCode: number;
  readonly Health?:
    | {
        /** none, starting, healthy or unhealthy. */
        readonly Status: string;
        readonly Log?: readonly { readonly Output: string }[] | null;
      }
    | null
    | undefined;
}

export interface ContainerConfig {
  readonly Image: string;
  readonly Env?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
}

/** '80/tcp' → where the host listens for it. */
export type PortBindings = Readonly<Record<string, readonly PortBinding[] | null>>;

export interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export function containerName(container: Container): string {
  return container.Name.replace(/^\//, '');
}

/** A paused container is up: it holds its ports and its address. */
export function isUp({ State }: Container): boolean {
  return State.Status === 'running' || State.Status === 'paused';
}
