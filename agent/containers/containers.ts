/** The containers of this machine: registers them where the agent is told to, and looks into them. */
import { hostname } from 'node:os';
import type { Config } from '../../lib/config/config.ts';
import type { System } from '../../lib/system.ts';
import type { ContainerProbe } from '../checks/kinds/kind.ts';
import { ContainerRegistrations, type RegistrationsDeps } from './container-registrations.ts';
import { execProbe } from './exec-probe.ts';
import { isOurs } from './meta.ts';
import { type DockerOptions, dockerOptions } from './options.ts';
import type { ContainerRuntime } from './runtime.ts';
import { Docker } from './runtimes/docker.ts';
import { ContainerWatcher } from './watcher.ts';

export interface ContainersOptions {
  readonly config: Pick<Config, 'docker' | 'address'>;
  /** DOCKER_HOST, if it is set. */
  readonly dockerHost: string | undefined;
  readonly system: System;
}

export class Containers {
  readonly #options: ContainersOptions;
  readonly #docker: DockerOptions;
  #runtime: ContainerRuntime | undefined;
  #watcher: ContainerWatcher | undefined;

  /** Throws ProconsulError 'invalid' when the docker block names no daemon that could be. */
  constructor(options: ContainersOptions) {
    const { config, dockerHost } = options;
    const around = { hostname: hostname(), address: config.address.advertise, dockerHost };
    this.#options = options;
    this.#docker = dockerOptions(config.docker, around);
    if (config.docker.enabled) this.#connect();
  }

  /** Another runtime is chosen here. */
  #connect(): ContainerRuntime {
    this.#runtime ??= new Docker(this.#docker);
    return this.#runtime;
  }

  /** For checks that run in a container; those need no watcher. */
  get probe(): ContainerProbe {
    return (command, maxOutputBytes) => execProbe(this.#connect(), command, maxOutputBytes);
  }

  /** Registers containers from now on; or, where that is off, forgets those of an earlier run. */
  async start(agent: RegistrationsDeps): Promise<void> {
    const registrations = new ContainerRegistrations(agent);
    if (!this.#options.config.docker.enabled) {
      const ours = [...registrations.services()].filter(({ Meta }) => isOurs(Meta));
      for (const { ID } of ours) await registrations.deregisterService(ID);
      return;
    }
    const { clock, random, logger } = this.#options.system;
    this.#watcher = new ContainerWatcher({
      runtime: this.#connect(),
      registrations,
      options: this.#docker,
      clock,
      random,
      log: (level, message) => logger[level](message),
    });
    this.#watcher.start();
  }

  async stop(): Promise<void> {
    await this.#watcher?.stop();
  }
}
