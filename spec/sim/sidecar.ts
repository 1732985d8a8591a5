/** A proxy beside a program of the world, which it calls services by: as `proconsul connect proxy` runs it. */
import { Agent, request } from 'node:http';
import { createApiClient } from '../../cli/api-client.ts';
import { askOf } from '../../cli/commands/connect-proxy.ts';
import { AskingInTurns } from '../../sidecar/asking-in-turns.ts';
import { plainDial } from '../../sidecar/dial.ts';
import { patient } from '../../sidecar/follow.ts';
import { Sidecar } from '../../sidecar/sidecar.ts';
import { Sockets } from '../../sidecar/sockets.ts';
import { plainUpstream } from '../../sidecar/upstream-rules.ts';
import type { SimAgent } from './agent.ts';
import { type Complaint, loggerOf } from './complaints.ts';
import type { Machine } from './world/machine.ts';
import type { Network } from './world/network.ts';
import type { World } from './world/world.ts';

const MAX_CONNECTIONS = 1000;
const CONNECT_MS = 5000;
const LIMITS = {
  connectMs: CONNECT_MS,
  idleMs: 3600_000,
  streamIdleMs: 300_000,
  tries: 3,
  drainMs: 1000,
  maxConnections: MAX_CONNECTIONS,
  maxBufferBytes: 64 * 1024 * 1024,
};

/** A service whose instances stay, and one whose instances come and go. */
export const [STAYS, MOVES] = ['stays', 'moves'] as const;

/** A service that it calls, and how. */
export interface Called {
  readonly service: string;
  readonly protocol: 'tcp' | 'http';
}

export interface SimSidecarOptions {
  readonly world: World;
  readonly network: Network;
  readonly number: number;
  /** Whom it asks what there is. */
  readonly agent: SimAgent;
  readonly calls: readonly Called[];
}

export class SimSidecar {
  readonly machine: Machine;
  readonly agent: SimAgent;
  readonly complaints: Complaint[] = [];
  readonly waiting = 0;
  readonly openFiles = 0;
  /** By service, where it is called. */
  readonly ports: ReadonlyMap<string, number>;
  readonly #options: SimSidecarOptions;
  #process: Sidecar | undefined;
  /** From when on it has lived without a break; undefined while it is dead. */
  bornAt: number | undefined;

  constructor(options: SimSidecarOptions) {
    const { world, network, number, agent, calls } = options;
    this.#options = options;
    this.machine = world.machine(`proxy${number}`);
    this.agent = agent;
    this.ports = new Map(calls.map(({ service }) => [service, network.freePort()]));
  }

  start(): void {
    const { world } = this.#options;
    if (this.bornAt !== undefined) return;
    this.bornAt = world.now;
    world.at(this.machine, 0, () => void this.#begin().catch((error) => world.fail(error)));
  }

  /** kill -9; it comes back by `start`, and knows nothing of before. */
  kill(): void {
    const { world, network } = this.#options;
    network.killed(this.machine);
    world.kill(this.machine);
    this.#process = undefined;
    this.bornAt = undefined;
  }

  /** As by SIGTERM. */
  async stop(): Promise<void> {
    await this.#options.world.on(this.machine, () => this.#process?.stop());
  }

  async #begin(): Promise<void> {
    const { world, agent, calls } = this.#options;
    const clock = world.clockOf(this.machine);
    const kept = new Agent({ keepAlive: true });
    const target = { scheme: 'http', address: `127.0.0.1:${agent.port}`, headers: {} } as const;
    // What is loaded when it is first asked for takes time of the real world.
    const way = { request, kept };
    const ask = askOf((signal) => createApiClient({ target, query: [], signal, way }));
    const turns = new AskingInTurns(patient(ask, clock), clock);
    const sidecar = new Sidecar({
      admin: undefined,
      limits: LIMITS,
      sockets: new Sockets(),
      agent: { ask: turns.ask, clock, random: world.random },
      logger: loggerOf(world, this.machine, this.complaints),
      access: undefined,
    });
    this.#process = sidecar;
    const faults = await sidecar.serve(
      calls.map(({ service, protocol }) => ({
        at: { host: '127.0.0.1', port: this.ports.get(service) ?? 0 },
        ...plainUpstream(
          {
            service,
            protocol,
            policy: 'least-requests',
            zone: '',
            maxConnections: MAX_CONNECTIONS,
          },
          (_, connectMs = CONNECT_MS) => plainDial(clock, connectMs),
        ),
      })),
    );
    if (faults[0] !== undefined) throw faults[0];
    await sidecar.start();
  }
}
