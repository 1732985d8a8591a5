/**
 * A Docker daemon beside an agent: its machine, the containers that run there, and the calls of its API
 * that the agent makes, over a connection of the world. What it told of before it went is forgotten.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dockerContainerOf, idOf, published } from '../support/servers/containers.ts';
import type { Machine } from './world/machine.ts';
import type { Network } from './world/network.ts';
import type { World } from './world/world.ts';

const PORT = 2400;
const LIST = '/containers/json';

interface DockerOptions {
  readonly world: World;
  readonly network: Network;
  readonly number: number;
}

export class SimDocker {
  readonly machine: Machine;
  readonly endpoint: string;
  readonly #world: World;
  readonly #network: Network;
  readonly #port: number;
  /** Status by name. */
  readonly #containers = new Map<string, string>();
  readonly #listening = new Set<ServerResponse>();

  constructor({ world, network, number }: DockerOptions) {
    this.#world = world;
    this.#network = network;
    this.#port = PORT + number;
    this.machine = world.machine(`k${number}`);
    this.endpoint = `tcp://127.0.0.1:${this.#port}`;
    this.#begin();
  }

  /** Of those that hold their ports: whoever pauses goes on holding them. */
  get up(): readonly string[] {
    return [...this.#containers].filter(([, status]) => status !== 'exited').map(([name]) => name);
  }

  set(name: string, status: string): void {
    this.#containers.set(name, status);
    this.#tell(name);
  }

  remove(name: string): void {
    this.#containers.delete(name);
    this.#tell(name);
  }

  /** The daemon ends and begins again; containers go on, and what they do meanwhile nobody tells. */
  restart(downMs: number): void {
    this.#network.killed(this.machine);
    this.#world.kill(this.machine);
    this.#listening.clear();
    this.#world.at(this.machine, downMs, () => this.#begin());
  }

  #begin(): void {
    this.#world.at(this.machine, 0, () => {
      const server = createServer((request, response) => this.#answer(request, response));
      server.listen({ port: this.#port });
    });
  }

  #tell(name: string): void {
    this.#world.at(this.machine, 0, () => {
      const timeNano = Math.floor(this.#world.wallOf(this.machine)) * 1e6;
      const event = { Type: 'container', Actor: { ID: idOf(name) }, timeNano };
      for (const response of this.#listening) response.write(`${JSON.stringify(event)}\n`);
    });
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    response.on('error', () => undefined);
    if (url.startsWith('/events')) {
      this.#listening.add(response);
      response.once('close', () => this.#listening.delete(response));
      response.writeHead(200);
      response.flushHeaders();
      return;
    }
    if (url.startsWith(LIST)) {
      this.#json(
        response,
        this.up.map((name) => ({ Id: idOf(name) })),
      );
      return;
    }
    const name = [...this.#containers.keys()].find((each) => url.includes(idOf(each)));
    if (name === undefined) response.writeHead(404).end('{"message":"No such container"}');
    else this.#json(response, this.#shown(name));
  }

  #shown(name: string) {
    const status = this.#containers.get(name) ?? '';
    const ports = status === 'exited' ? {} : published({ '80': portOf(name) });
    return dockerContainerOf({ name, status, ports });
  }

  #json(response: ServerResponse, body: unknown): void {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  }
}

/** What it is published at: `web7` at 8007. */
function portOf(name: string): number {
  return 8000 + Number(/\d+$/.exec(name)?.[0] ?? 0);
}
