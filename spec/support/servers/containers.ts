/** Containers as a daemon describes them; what does not matter to a case is filled in. */

import { type DockerOptions, dockerOptions } from '../../../agent/containers/options.ts';
import type { Container } from '../../../agent/containers/runtime.ts';
import {
  type DockerContainer,
  fromDocker,
  type PortBindings,
} from '../../../agent/containers/runtimes/docker-container.ts';
import type { DockerConfig } from '../../../lib/config/config.ts';

export interface Shape {
  readonly name?: string;
  readonly id?: string;
  readonly image?: string;
  readonly created?: string;
  readonly env?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly ports?: PortBindings;
  readonly expose?: readonly string[];
  readonly bindings?: PortBindings;
  readonly network?: string;
  readonly address?: string;
  readonly networks?: Readonly<Record<string, string>>;
  readonly status?: string;
  readonly exitCode?: number;
  readonly health?: { readonly Status: string; readonly Log?: { readonly Output: string }[] };
}

const USUAL = {
  name: 'web',
  image: 'team/web:1.2',
  created: '2026-01-01T00:00:00.000000000Z',
  env: null,
  labels: null,
  ports: null,
  expose: [],
  bindings: null,
  network: 'default',
  address: '172.17.0.2',
  status: 'running',
  exitCode: 0,
};

export function containerOf(shape: Shape = {}): Container {
  return fromDocker(dockerContainerOf(shape));
}

/** As the daemon says it. */
export function dockerContainerOf(shape: Shape = {}): DockerContainer {
  const given = { ...USUAL, ...shape };
  const networks = shape.networks ?? { bridge: given.address };
  return {
    Id: shape.id ?? idOf(given.name),
    Name: `/${given.name}`,
    Created: given.created,
    State: { Status: given.status, ExitCode: given.exitCode, Health: shape.health ?? null },
    Config: {
      Image: given.image,
      Env: given.env,
      Labels: given.labels,
      ExposedPorts: Object.fromEntries(given.expose.map((port) => [port, {}])),
    },
    HostConfig: { NetworkMode: given.network, PortBindings: given.bindings },
    NetworkSettings: {
      IPAddress: shape.networks === undefined ? given.address : '',
      Ports: given.ports,
      Networks: Object.fromEntries(
        Object.entries(networks).map(([key, IPAddress]) => [key, { IPAddress }]),
      ),
    },
  };
}

/** 64 hexadecimal digits, the same for the same name. */
export function idOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64);
}

/** Published on all of the host's addresses, as `-p 8080:80` does it. */
export function published(ports: Readonly<Record<string, number>>): PortBindings {
  return Object.fromEntries(
    Object.entries(ports).map(([port, host]) => [
      port.includes('/') ? port : `${port}/tcp`,
      [
        { HostIp: '0.0.0.0', HostPort: String(host) },
        { HostIp: '::', HostPort: String(host) },
      ],
    ]),
  );
}

export const DOCKER_CONFIG: DockerConfig = {
  enabled: true,
  endpoint: '',
  explicit: false,
  internal: false,
  ip: '',
  tags: [],
  resyncMs: 60_000,
  cleanup: false,
  hostname: '',
  optIn: false,
  deregisterDelayMs: 1000,
  tls: { caFile: '', certFile: '', keyFile: '' },
  cgroups: '',
  ttlMs: 0,
  ttlRefreshMs: 0,
  deregister: 'always',
  useIpFromLabel: '',
};

export function optionsOf(config: Partial<DockerConfig> = {}): DockerOptions {
  const around = { hostname: 'host', address: '192.168.1.102' };
  return dockerOptions({ ...DOCKER_CONFIG, ...config }, around);
}
