/** A client agent of the world: the whole process, as `proconsul agent` runs it. */
import { runClient } from '../../cli/process/run-client.ts';
import type { Running } from '../../cli/process/run-server.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { describeChain } from '../../lib/errors.ts';
import { fakeConfigHost } from '../support/fakes/fake-config-host.ts';
import { type Complaint, loggerOf } from './complaints.ts';
import type { SimDocker } from './docker.ts';
import { BLAMED_MS, SimDisk, STARTED_AGAIN_MS } from './world/disk.ts';
import type { Machine } from './world/machine.ts';
import type { Network } from './world/network.ts';
import type { World } from './world/world.ts';

const HTTP_PORT = 8600;
const DNS_PORT = 8800;
const LAN_PORT = 8700;
/** Who has left ends so much later: who asked it to hears of that. */
const LEFT_MS = 100;
/** On its machine's disk: nothing of ours has such a folder. */
const DATA_DIR = '/simulated-agent';

export interface SimAgentOptions {
  readonly world: World;
  readonly network: Network;
  readonly number: number;
  /** Addresses of servers. */
  readonly join: readonly string[];
  /** Whose containers it registers. */
  readonly docker?: SimDocker | undefined;
}

export class SimAgent {
  readonly machine: Machine;
  /** Where it answers its clients. */
  readonly port: number;
  readonly dnsPort: number;
  /** What it logged at ERROR. */
  readonly complaints: Complaint[] = [];
  readonly waiting = 0;
  readonly #options: SimAgentOptions;
  readonly #disk: SimDisk;
  #running: Running | undefined;
  /** From when on it has lived without a break; undefined while it is dead. */
  bornAt: number | undefined;
  /** No server hears it until then. */
  unheardUntil = 0;

  constructor(options: SimAgentOptions) {
    this.#options = options;
    const { world, number } = options;
    this.machine = world.machine(`n${number}`);
    this.#disk = new SimDisk(world, this.machine);
    this.port = HTTP_PORT + number;
    this.dnsPort = DNS_PORT + number;
  }

  /** Nothing where it lives already: several may have it come back. */
  start(): void {
    const { world } = this.#options;
    if (this.bornAt !== undefined) return;
    this.bornAt = world.now;
    world.at(this.machine, 0, () => void this.#begin().catch((error) => this.#failed(error)));
  }

  /** It cannot go on: where its disk is to blame it ends, and somebody starts it again. */
  #failed(error: unknown): void {
    const { world } = this.#options;
    if (this.#disk.failedAt < world.now - BLAMED_MS) {
      world.fail(error);
      return;
    }
    world.say(`${this.machine.name} ends: ${describeChain(error)}`);
    this.kill();
    void world.sleep(STARTED_AGAIN_MS).then(() => this.start());
  }

  /** kill -9; it comes back by `start`. Where the power went too, with what was synced. */
  kill(darkMs = 0): void {
    const { world, network } = this.#options;
    network.killed(this.machine, darkMs);
    world.kill(this.machine);
    this.#disk.crash(darkMs > 0);
    this.bornAt = undefined;
  }

  get openFiles(): number {
    return this.#disk.openFiles;
  }

  get disk(): SimDisk {
    return this.#disk;
  }

  get docker(): SimDocker | undefined {
    return this.#options.docker;
  }

  /** As by SIGTERM. */
  async stop(): Promise<void> {
    await this.#options.world.on(this.machine, () => this.#running?.stop());
  }

  async #begin(): Promise<void> {
    const config = this.#config();
    this.#running = await runClient({
      config,
      // All that an agent does with its logger but to let others listen to it.
      logger: loggerOf(this.#options.world, this.machine, this.complaints) as never,
      readConfig: () => config,
      dockerHost: undefined,
      env: {},
      onFatal: (error) => this.#failed(error),
      introduce: () => undefined,
      onLeft: () => void this.#options.world.at(this.machine, LEFT_MS, () => this.kill()),
    });
  }

  #config() {
    const { number, join, docker } = this.#options;
    const file = {
      node_name: this.machine.name,
      node_id: `00000000-0000-4000-a000-${String(number).padStart(12, '0')}`,
      bind_addr: '127.0.0.1',
      advertise_addr: `10.1.0.${number}`,
      ports: { http: this.port, dns: this.dnsPort, serf_lan: LAN_PORT + number },
      dns_config: { allow_stale: false },
      retry_join: join,
      enable_central_service_config: true,
      ...(docker && {
        docker: { enabled: true, endpoint: docker.endpoint, hostname: this.machine.name },
      }),
    };
    const argv = [`-data-dir=${DATA_DIR}`, `-hcl=${hclOf(file)}`];
    return loadConfig({ argv, host: fakeConfigHost() }).config;
  }
}

function hclOf(file: object): string {
  return Object.entries(file)
    .map(([key, value]) => `${key} = ${blockOf(value)}`)
    .join('\n');
}

function blockOf(value: unknown): string {
  if (typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  return `{\n${hclOf(value as object)}\n}`;
}
