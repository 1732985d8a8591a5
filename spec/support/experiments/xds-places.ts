/** Who tells clients of xDS: one server, or three on a real Redis, by themselves or through an agent that knows them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type ServerProcess } from '../servers/cluster.ts';
import { freePort } from '../servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';

/** Ports of one of them. */
export interface XdsPlace {
  readonly grpc: number;
  readonly http: number;
}

/** A server that is killed, and comes back with what it had. */
export class OneServer {
  readonly places: readonly XdsPlace[];
  readonly agent: Proconsul;
  readonly #flags: readonly string[];
  readonly #folder: string;

  private constructor(folder: string, flags: readonly string[], agent: Proconsul, grpc: number) {
    this.#folder = folder;
    this.#flags = flags;
    this.agent = agent;
    this.places = [{ grpc, http: agent.port }];
  }

  static async start(): Promise<OneServer> {
    const folder = await mkdtemp(join(tmpdir(), 'xds-server-'));
    const grpc = await freePort();
    const flags = ['-server', '-bootstrap', `-data-dir=${folder}`, `-grpc-port=${grpc}`];
    return new OneServer(folder, flags, await startProconsul(flags), grpc);
  }

  async kill(): Promise<void> {
    await this.agent.kill();
  }

  async back(): Promise<void> {
    await startProconsul(this.#flags, this.agent.port);
  }

  async stop(): Promise<void> {
    await killProconsuls();
    await rm(this.#folder, { recursive: true });
  }
}

/** Programs are registered with an agent that lives; one of the servers is killed. */
export class ThreeServers {
  readonly agent: Proconsul;
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly #grpc: number;
  #killed: ServerProcess | undefined;

  private constructor(cluster: Cluster, agent: Proconsul, folder: string, grpc: number) {
    this.#cluster = cluster;
    this.agent = agent;
    this.#folder = folder;
    this.#grpc = grpc;
  }

  static async start(): Promise<ThreeServers> {
    const cluster = await Cluster.start({ servers: 3, xds: true });
    const folder = await mkdtemp(join(tmpdir(), 'xds-agent-'));
    const grpc = await freePort();
    const joins = cluster.servers.map(({ ports }) => `-retry-join=127.0.0.1:${ports.lan}`);
    const flags = [`-data-dir=${folder}`, `-grpc-port=${grpc}`, ...joins];
    return new ThreeServers(cluster, await startProconsul(flags), folder, grpc);
  }

  get servers(): readonly XdsPlace[] {
    return this.#cluster.servers.map(({ ports }) => ({ grpc: ports.xds, http: ports.http }));
  }

  /** As it is on most machines: programs ask the agent beside them, and that the servers. */
  get agentAlone(): readonly XdsPlace[] {
    return [{ grpc: this.#grpc, http: this.agent.port }];
  }

  /** The one that most streams are open at; of several, the one that leads. */
  async killBusiest(): Promise<string> {
    const { servers } = this.#cluster;
    const counted = await Promise.all(
      servers.map(async (server) => ({ server, score: await scoreOf(server) })),
    );
    counted.sort((a, b) => b.score - a.score);
    this.#killed = counted[0]?.server;
    await this.#killed?.kill();
    return `(${this.#killed?.name})`;
  }

  async back(): Promise<void> {
    this.#killed?.start();
    await this.#killed?.untilReady();
  }

  /** Whatever is registered with the agent. */
  async forgetPrograms(): Promise<void> {
    const { json } = await send(this.agent.port, 'GET', '/v1/agent/services', {});
    for (const id of Object.keys(json as object)) {
      await send(this.agent.port, 'PUT', `/v1/agent/service/deregister/${id}`, {});
    }
  }

  async stop(): Promise<void> {
    await killProconsuls();
    await this.#cluster.stop();
    await rm(this.#folder, { recursive: true });
  }
}

async function scoreOf({ port }: ServerProcess): Promise<number> {
  const { text } = await send(port, 'GET', '/v1/agent/metrics?format=prometheus', {});
  const [, streams = '0'] = /^proconsul_xds_streams(?:\{[^}]*\})? (\d+)/m.exec(text) ?? [];
  const leader = await send(port, 'GET', '/v1/agent/self', {});
  const { Stats } = leader.json as { readonly Stats?: { consul?: { leader?: string } } };
  return 2 * Number(streams) + Number(Stats?.consul?.leader === 'true');
}
