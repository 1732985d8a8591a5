/**
 * Containers that come, pause and go beside agents that are killed, and daemons that begin anew. After a rest
 * every agent has what runs on its machine, and no ghosts; and so has the catalog at every server.
 */
import type { SimAgent } from '../agent.ts';
import type { SimClient } from '../client.ts';
import type { SimDocker } from '../docker.ts';
import { Clients } from './clients.ts';

const CONTAINERS = 4;
const PAUSE_MS = 1500;
const DOWN_MS = 2000;
const FROZEN_MS = 4000;

interface Service {
  readonly ID: string;
}

export class Containers extends Clients {
  async run(untilMs: number): Promise<void> {
    const working = this.cluster.agents.map((agent) =>
      this.as(`c${agent.machine.name}`, (client) => this.#work(client, agent, untilMs)),
    );
    await Promise.all(working);
  }

  async look(): Promise<void> {
    const { agents, servers } = this.cluster;
    await this.as('counter', async (client) => {
      for (const agent of agents) {
        const { docker, port, machine } = agent;
        const up = namesOf((docker?.up ?? []).map((name) => ({ ID: name })));
        const own = await client.ask(port, 'GET', '/v1/agent/services');
        this.#judge(agent, 'itself', own?.text, up);
        for (const server of servers) {
          const path = `/v1/catalog/node/${machine.name}`;
          const seen = await client.ask(server.port, 'GET', path);
          const { Services = {} } = JSON.parse(seen?.text || '{}') as { Services?: object };
          this.#judge(agent, server.machine.name, JSON.stringify(Services), up);
        }
      }
    });
  }

  #judge({ machine }: SimAgent, where: string, text: string | undefined, up: string): void {
    const found = namesOf(Object.values(JSON.parse(text || '{}') as Record<string, Service>));
    if (found === up) return;
    const what = `${machine.name} at ${where}: ${found}, and ${up} run`;
    this.violations.add('services are not what runs', what);
  }

  async #work(client: SimClient, agent: SimAgent, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    const docker = agent.docker as SimDocker;
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      const name = `web${Math.floor(random.next() * CONTAINERS)}`;
      const chance = random.next();
      const downMs = 2 * DOWN_MS * random.next();
      if (chance < 0.4) docker.set(name, 'running');
      else if (chance < 0.5) docker.set(name, 'paused');
      else if (chance < 0.65) docker.set(name, 'exited');
      else if (chance < 0.8) docker.remove(name);
      else if (chance < 0.87) docker.restart(downMs);
      else if (chance < 0.92) world.freeze(docker.machine, 2 * FROZEN_MS * random.next());
      else await this.#restart(client, agent, downMs);
    }
  }

  async #restart(client: SimClient, agent: SimAgent, downMs: number): Promise<void> {
    agent.kill();
    await client.pause(downMs);
    agent.start();
  }
}

/** Of containers; the service of one is HOST:NAME:PORT. */
function namesOf(services: readonly Service[]): string {
  const names = services
    .map(({ ID }) => ID.split(':')[1] ?? ID)
    .filter((name) => /^web/.test(name));
  return names.sort().join();
}
