/**
 * Agents on whose nodes clients register services with TTL checks, and put them in maintenance; that come, go
 * and leave, or are forced to, dead or not, and whose entries strangers spoil in the catalog. Whoever lives is passing;
 * after a rest the catalog says of every node what its agent says.
 */
import { isDeepStrictEqual } from 'node:util';
import { SERF_HEALTH } from '../../../lib/model.ts';
import type { SimAgent } from '../agent.ts';
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const SERVICES = 3;
const PAUSE_MS = 2500;
/** An agent that has just come is registered, and passes, by then: unless something goes wrong. */
const YOUNG_MS = 15_000;
const LOOK_MS = 500;
/** By then it has compared what the catalog has with what it has itself. */
const COMPARED_MS = 150_000;
/** On average; longer than a lease, now and then. */
const DOWN_MS = 4000;
/** Of those that are dead for a while, and of the uses of one that lives. */
const FORCED = { dead: 0.4, living: 0.03 };

/** By id the port of a service that its agent has; undefined where it has none. */
type Told = Map<string, number | undefined>;

interface Use {
  readonly id: string;
  /** Which use it is. */
  readonly chance: number;
  readonly told: Told;
}

export class Agents extends Clients {
  /** What each agent has said that it did: it is there whatever becomes of the agent. */
  readonly #told = new Map<SimAgent, Told>();

  async run(untilMs: number): Promise<void> {
    const clients = this.cluster.agents.map((agent) =>
      this.as(`x${agent.machine.name}`, (client) => this.#work(client, agent, untilMs)),
    );
    await Promise.all([...clients, this.#look(untilMs)]);
  }

  /** What each agent says of itself, and what each server says of it. */
  async look(): Promise<void> {
    const { agents, servers } = this.cluster;
    await this.as('auditor', async (client) => {
      for (const agent of agents) {
        const own = await truthOf(client, agent);
        this.#judgeKept(agent, own);
        for (const { port, machine } of servers) {
          const seen = await catalogOf(client, port, agent.machine.name);
          if (isDeepStrictEqual(seen, own)) continue;
          const what = `${machine.name} ${JSON.stringify(seen)}, it ${JSON.stringify(own)}`;
          this.violations.add(`the catalog differs from ${agent.machine.name}`, what);
        }
      }
    });
  }

  #judgeKept(agent: SimAgent, own: Seen): void {
    for (const [id, port] of this.#told.get(agent) ?? []) {
      if (own[id] === port) continue;
      const what = `${agent.machine.name} has ${id} at ${own[id]}, not at ${port}`;
      this.violations.add('an agent has not kept what it said that it did', what);
    }
  }

  async #work(client: SimClient, agent: SimAgent, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const told: Told = new Map();
    this.#told.set(agent, told);
    const { random } = world;
    let isSpoiled = false;
    while (world.now < untilMs) {
      await client.pause(PAUSE_MS * (0.5 + random.next()));
      const id = `w${Math.floor(random.next() * SERVICES)}`;
      const chance = random.next();
      if (random.next() < FORCED.living) await this.#forceOut(client, agent);
      if (chance < 0.8) await this.#use(client, agent, { id, chance, told });
      else if (chance < 0.92) {
        await this.#spoil(client, agent, id);
        isSpoiled = true;
      } else if (chance > 0.95 || (await this.#leave(client, agent))) {
        await this.#restart(client, agent);
        isSpoiled = false;
      }
    }
    if (!isSpoiled) return;
    // It compares all when it begins, and else within two minutes.
    if (untilMs > COMPARED_MS) await client.pause(COMPARED_MS);
    else await this.#restart(client, agent);
  }

  /** As those do to whom the services belong. */
  async #use(client: SimClient, agent: SimAgent, { id, chance, told }: Use): Promise<void> {
    if (chance < 0.36) await this.#register(client, agent, id, told);
    else if (chance < 0.6) await this.#report(client, agent, id);
    else if (chance < 0.68) await this.#maintain(client, agent, id);
    else await this.#deregister(client, agent, id, told);
  }

  async #register(client: SimClient, agent: SimAgent, id: string, told: Told): Promise<void> {
    const { random } = this.cluster.world;
    const Port = 1000 + Math.floor(random.next() * 1000);
    const Check = { CheckID: `c-${id}`, TTL: '3600s', Status: 'passing' };
    const body = JSON.stringify({ ID: id, Name: 'web', Port, Check });
    // Until it is answered nobody knows.
    told.delete(id);
    const answer = await client.ask(agent.port, 'PUT', '/v1/agent/service/register', { body });
    if (answer?.status === 200) told.set(id, Port);
  }

  async #deregister(client: SimClient, agent: SimAgent, id: string, told: Told): Promise<void> {
    told.delete(id);
    const path = `/v1/agent/service/deregister/${id}`;
    const answer = await client.ask(agent.port, 'PUT', path);
    if (answer?.status === 200) told.set(id, undefined);
  }

  async #report(client: SimClient, agent: SimAgent, id: string): Promise<void> {
    const way = ['pass', 'warn', 'fail'][Math.floor(this.cluster.world.random.next() * 3)];
    await client.ask(agent.port, 'PUT', `/v1/agent/check/${way}/c-${id}`);
  }

  /** Whether it has; where it was told that it could not, it goes on as before. */
  async #leave(client: SimClient, { port }: SimAgent): Promise<boolean> {
    const answer = await client.ask(port, 'PUT', '/v1/agent/leave', { timeoutMs: 10_000 });
    return answer === undefined || answer.status === 200;
  }

  /** Of one service, or of the node. */
  async #maintain(client: SimClient, { port }: SimAgent, id: string): Promise<void> {
    const { random } = this.cluster.world;
    const whose = random.next() < 0.5 ? `service/maintenance/${id}` : 'maintenance';
    const how = `?enable=${random.next() < 0.4}&reason=work`;
    await client.ask(port, 'PUT', `/v1/agent/${whose}${how}`);
  }

  /** As a script that means well: takes an entry out of the catalog, or puts a wrong one in. */
  async #spoil(client: SimClient, { machine }: SimAgent, id: string): Promise<void> {
    const port = this.anyServer();
    const Node = machine.name;
    if (this.cluster.world.random.next() < 0.5) {
      const body = JSON.stringify({ Node, ServiceID: id });
      await client.ask(port, 'PUT', '/v1/catalog/deregister', { body });
      return;
    }
    const Service = { ID: `ghost-${id}`, Service: 'ghost', Port: 1 };
    const body = JSON.stringify({ Node, Address: '10.9.9.9', SkipNodeUpdate: true, Service });
    await client.ask(port, 'PUT', '/v1/catalog/register', { body });
  }

  /** It may lose its power too. */
  async #restart(client: SimClient, agent: SimAgent): Promise<void> {
    const { random } = this.cluster.world;
    const downMs = DOWN_MS * 2 * random.next();
    agent.kill(random.next() < 0.5 ? downMs : 0);
    if (random.next() < FORCED.dead) {
      const waitsMs = downMs * random.next();
      await client.pause(waitsMs);
      await this.#forceOut(client, agent);
      await client.pause(downMs - waitsMs);
    } else await client.pause(downMs);
    agent.start();
  }

  /** As an operator who takes it for dead, right or wrong. */
  async #forceOut(client: SimClient, { machine }: SimAgent): Promise<void> {
    const { random } = this.cluster.world;
    const prune = random.next() < 0.5 ? '?prune' : '';
    const others = this.cluster.agents.filter((each) => each.machine !== machine);
    const { port = 0 } = others[Math.floor(random.next() * others.length)] ?? {};
    const path = `/v1/agent/force-leave/${machine.name}${prune}`;
    await client.ask(port, 'PUT', path, { timeoutMs: 1000 });
  }

  /** From outside, as nobody could: whether some server holds one for dead that lives. */
  async #look(untilMs: number): Promise<void> {
    const { world, agents } = this.cluster;
    while (world.now < untilMs && !this.cluster.mayEndLeases) {
      for (const agent of agents) this.#judge(agent);
      await world.sleep(LOOK_MS);
    }
  }

  #judge({ machine: { name, frozenUntil }, bornAt, unheardUntil }: SimAgent): void {
    const { world, servers } = this.cluster;
    const isOld = bornAt !== undefined && world.now - bornAt > YOUNG_MS;
    if (!isOld || Math.max(frozenUntil, unheardUntil) > world.now - YOUNG_MS) return;
    for (const { machine, process } of servers) {
      if (process?.state.catalog.check(name, SERF_HEALTH)?.Status !== 'critical') continue;
      this.violations.add('an agent that lives is critical', `${name} at ${machine.name}`);
    }
  }
}

type Seen = Readonly<Record<string, string | number>>;

interface Service {
  readonly ID: string;
  readonly Port: number;
}

interface Check {
  readonly CheckID: string;
  readonly Status: string;
}

async function truthOf(client: SimClient, { port }: SimAgent): Promise<Seen> {
  const services = await client.ask(port, 'GET', '/v1/agent/services');
  const checks = await client.ask(port, 'GET', '/v1/agent/checks');
  const all = Object.values(JSON.parse(services?.text || '{}') as Record<string, Service>);
  const states = Object.values(JSON.parse(checks?.text || '{}') as Record<string, Check>);
  return seen(all, states);
}

async function catalogOf(client: SimClient, port: number, node: string): Promise<Seen> {
  const services = await client.ask(port, 'GET', `/v1/catalog/node/${node}`);
  const checks = await client.ask(port, 'GET', `/v1/health/node/${node}`);
  const found = JSON.parse(services?.text || 'null') as {
    Services: Record<string, Service>;
  } | null;
  const states = JSON.parse(checks?.text || '[]') as Check[];
  const own = states.filter(({ CheckID }) => CheckID !== SERF_HEALTH);
  return seen(Object.values(found?.Services ?? {}), own);
}

function seen(services: readonly Service[], checks: readonly Check[]): Seen {
  const rows = [
    ...services.map(({ ID, Port }): [string, number] => [ID, Port]),
    ...checks.map(({ CheckID, Status }): [string, string] => [CheckID, Status]),
  ];
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}
