/** Who tells clients of xDS: one server, or three on a real Redis, by themselves or through an agent that knows them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type ServerProcess, type XdsAt } from '../servers/cluster.ts';
import { freePort, freePorts } from '../servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';

/** Where one of them is. */
export interface XdsPlace {
  readonly grpc: XdsAt;
  /** Its port. */
  readonly http: number;
}

/** Those that a client may ask. */
export interface XdsPlaces {
  readonly places: readonly XdsPlace[];
  /** Of all of them, as a name of DNS for clients that take no list: `dns://` and who is asked, then the name and the port. */
  readonly named: string;
}

const HOST = '127.0.0.1';
const NAME = 'xds';

/** A server that is killed, and comes back with what it had. */
export class OneServer {
  readonly asked: XdsPlaces;
  readonly agent: Proconsul;
  readonly #flags: readonly string[];
  readonly #folder: string;

  private constructor(folder: string, flags: readonly string[], agent: Proconsul, grpc: number) {
    this.#folder = folder;
    this.#flags = flags;
    this.agent = agent;
    this.asked = alone({ grpc: { host: HOST, port: grpc }, http: agent.port });
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
  readonly #dns: number;
  #killed: ServerProcess | undefined;

  private constructor(cluster: Cluster, agent: Proconsul, folder: string, ports: AgentPorts) {
    this.#cluster = cluster;
    this.agent = agent;
    this.#folder = folder;
    this.#grpc = ports.grpc;
    this.#dns = ports.dns;
  }

  static async start(): Promise<ThreeServers> {
    const cluster = await Cluster.start({ servers: 3, xds: true });
    const folder = await mkdtemp(join(tmpdir(), 'xds-agent-'));
    const [grpc = 0, dns = 0] = await freePorts(2);
    const joins = cluster.servers.map(({ ports }) => `-retry-join=127.0.0.1:${ports.lan}`);
    const flags = [`-data-dir=${folder}`, `-grpc-port=${grpc}`, `-dns-port=${dns}`, ...joins];
    const agent = await startProconsul(flags);
    for (const { name, ports } of cluster.servers) {
      const Service = { Service: NAME, Port: ports.xds?.port };
      const body = { Node: `${NAME}-${name}`, Address: ports.xds?.host, Service };
      await send(agent.port, 'PUT', '/v1/catalog/register', { body });
    }
    return new ThreeServers(cluster, agent, folder, { grpc, dns });
  }

  /** The name is one of the catalog, as the agent's own DNS has it. */
  get servers(): XdsPlaces {
    const places = this.#cluster.servers.flatMap(({ ports: { xds, http } }) =>
      xds === undefined ? [] : [{ grpc: xds, http }],
    );
    const port = places[0]?.grpc.port ?? 0;
    return { places, named: `dns://${HOST}:${this.#dns}/${NAME}.service.consul:${port}` };
  }

  /** As it is on most machines: programs ask the agent beside them, and that the servers. */
  get agentAlone(): XdsPlaces {
    return alone({ grpc: { host: HOST, port: this.#grpc }, http: this.agent.port });
  }

  /** The one that a client hangs on, or the agent that it asks: by streams, else by questions that wait there. */
  async killBusiest(): Promise<string> {
    const { servers } = this.#cluster;
    const counted = await Promise.all(
      servers.map(async (server) => ({ server, load: await loadOf(server) })),
    );
    counted.sort((a, b) => b.load.streams - a.load.streams || b.load.waiting - a.load.waiting);
    const [busiest] = counted;
    this.#killed = busiest?.server;
    await this.#killed?.kill();
    const all = counted.map(
      ({ server: { name }, load: { streams, waiting } }) => `${name} ${streams}, ${waiting}`,
    );
    return `(${this.#killed?.name}; streams and questions: ${all.join('; ')})`;
  }

  /** The one that the others follow. */
  async killLeader(): Promise<string> {
    const path = '/v1/operator/raft/configuration';
    const { json } = await send(this.agent.port, 'GET', path, {});
    const { Servers } = json as { readonly Servers: readonly { Node: string; Leader: boolean }[] };
    const leader = Servers.find(({ Leader }) => Leader)?.Node;
    this.#killed = this.#cluster.servers.find(({ name }) => name === leader);
    if (this.#killed === undefined) throw new Error(`${leader} leads, and is none of them`);
    await this.#killed.kill();
    return `(${leader})`;
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

interface AgentPorts {
  readonly grpc: number;
  readonly dns: number;
}

function alone(place: XdsPlace): XdsPlaces {
  return { places: [place], named: `${place.grpc.host}:${place.grpc.port}` };
}

interface Load {
  readonly streams: number;
  /** Questions that wait for a change. */
  readonly waiting: number;
}

async function loadOf({ port }: ServerProcess): Promise<Load> {
  const { json } = await send(port, 'GET', '/v1/agent/metrics', {});
  const { Gauges } = json as { readonly Gauges: readonly Readonly<Record<string, unknown>>[] };
  const read = (name: string) => {
    const gauge = Gauges.find(({ Name }) => String(Name).endsWith(name));
    // One that is not there would have the leader killed, whomever clients hang on.
    if (gauge === undefined) throw new Error(`no gauge ${name}`);
    return Number(gauge['Value']);
  };
  return { streams: read('.xds.streams'), waiting: read('.rpc.queries_blocking') };
}
