/** Three servers in three cities, and agents in each, as real processes: whoever is far from a server is led to it by a slow way. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NodeCoordinate } from '../../../lib/model.ts';
import { distanceS } from '../../../lib/place.ts';
import { type Backend, startBackend } from '../servers/backends.ts';
import { Cluster } from '../servers/cluster.ts';
import { DelayingRelay } from '../servers/delaying-relay.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { send } from '../servers/start-server.ts';

const LED = fileURLToPath(new URL('./led-elsewhere.mjs', import.meta.url));

/** Milliseconds there and back between cities, by their numbers. */
export type Distances = readonly (readonly [number, number, number])[];

interface Member {
  readonly Name: string;
  readonly Tags: Readonly<Record<string, string>>;
}

export interface Townsman {
  readonly node: string;
  city: number;
  readonly agent: Proconsul;
  /** To each server. */
  readonly ways: readonly DelayingRelay[];
  readonly program: Backend;
}

export class Cities {
  readonly map: Distances;
  readonly #cluster: Cluster;
  readonly #folder: string;
  readonly agents: Townsman[] = [];

  private constructor(map: Distances, cluster: Cluster, folder: string) {
    this.map = map;
    this.#cluster = cluster;
    this.#folder = folder;
  }

  static async start(map: Distances, inEach: number): Promise<Cities> {
    const cluster = await Cluster.start({ servers: 3 });
    const cities = new Cities(map, cluster, await mkdtemp(join(tmpdir(), 'cities-')));
    const ports = await cities.#serverPorts();
    for (let i = 0; i < 3 * inEach; i++) await cities.#settle(i % 3, Math.floor(i / 3), ports);
    return cities;
  }

  get server(): { readonly port: number } {
    const [{ port } = { port: 0 }] = this.#cluster.servers;
    return { port };
  }

  apartMs(a: Townsman, b: Townsman): number {
    return this.map[a.city]?.[b.city] ?? 0;
  }

  /** That agent's machine is in another city from now on. */
  move(one: Townsman, city: number): void {
    one.city = city;
    for (const [at, way] of one.ways.entries()) way.ms = (this.map[city]?.[at] ?? 0) / 2;
  }

  /** As the coordinates have it; undefined where one is not known yet. */
  async guessedMs(): Promise<(a: Townsman, b: Townsman) => number | undefined> {
    const answer = await send(this.server.port, 'GET', '/v1/coordinate/nodes', {});
    // On a machine that has no time left nobody leads now and then.
    const rows = answer.status === 200 ? (answer.json as readonly NodeCoordinate[]) : [];
    const places = new Map(rows.map((each) => [each.Node, each.Coord]));
    return (a, b) => {
      const [from, to] = [places.get(a.node), places.get(b.node)];
      return from && to && 1000 * distanceS(from, to);
    };
  }

  async stop(): Promise<void> {
    await killProconsuls();
    for (const { ways, program } of this.agents) {
      for (const way of ways) await way.stop();
      await program.kill();
    }
    await this.#cluster.stop();
    await rm(this.#folder, { recursive: true });
  }

  async #serverPorts(): Promise<readonly number[]> {
    const { json } = await send(this.server.port, 'GET', '/v1/internal/members', {});
    const ports = new Map(
      (json as readonly Member[]).map(({ Name, Tags }) => [Name, Number(Tags['port'])]),
    );
    return this.#cluster.servers.map(({ name }) => ports.get(name) ?? 0);
  }

  async #settle(city: number, number: number, ports: readonly number[]): Promise<void> {
    const node = `${'abc'[city]}${number + 1}`;
    const ways: DelayingRelay[] = [];
    for (const [at, port] of ports.entries())
      ways.push(await DelayingRelay.start(port, (this.map[city]?.[at] ?? 0) / 2));
    const led = ports.map((port, at) => `${port}:${ways[at]?.port}`).join();
    const joins = this.#cluster.servers.map(({ ports: { lan } }) => `-retry-join=127.0.0.1:${lan}`);
    const flags = [`-node=${node}`, `-data-dir=${join(this.#folder, node)}`, ...joins];
    const nodeOptions = `--import=file://${LED}?ports=${led}`;
    const agent = await startProconsul(flags, undefined, { nodeOptions });
    const program = await startBackend(node);
    const body = { ID: 'web', Name: 'web', Address: '127.0.0.1', Port: program.port };
    const { status } = await send(agent.port, 'PUT', '/v1/agent/service/register', { body });
    if (status !== 200) throw new Error(`${node} does not register: ${status}`);
    this.agents.push({ node, city, agent, ways, program });
  }
}
