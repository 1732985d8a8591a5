/**
 * Proxies at agents that take over what config entries say of them (proxy-defaults, service-defaults), while those
 * change, agents die and proxies come and go. No agent goes back to what was said before; after a rest each proxy
 * is as the entries say, at its agent and in the catalog at every server.
 */
import type { SimAgent } from '../agent.ts';
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const SERVICES = ['mesh-a', 'mesh-b'] as const;
const ENTRIES = [
  ...SERVICES.map((Name) => ({ Kind: 'service-defaults', Name })),
  { Kind: 'proxy-defaults', Name: 'global' },
] as const;
/** Under these names a proxy's configuration has what the two kinds say. */
const [OWN, EVERYWHERE] = ['local_connect_timeout_ms', 'everywhere'] as const;
const CHANGE_MS = 900;
const LOOK_MS = 700;
const PAUSE_MS = 3000;
const DOWN_MS = 4000;
const RETRY_MS = 200;
const TRIES = 60;
/** From an entry that is acknowledged until all know of it, where nothing goes wrong. */
const TOLD_MS = 4000;

type Config = Readonly<Record<string, unknown>>;
type Entry = (typeof ENTRIES)[number];

export class Defaults extends Clients {
  /** By entry, the number that it says; 0 for none. */
  readonly #said = new Map<string, number>();
  readonly #acknowledged = new Set<number>();
  #made = 0;

  async run(untilMs: number): Promise<void> {
    const { agents } = this.cluster;
    await Promise.all([
      this.as('author', (client) => this.#write(client, untilMs)),
      ...agents.map((agent) =>
        this.as(`b${agent.machine.name}`, (client) => this.#work(client, agent, untilMs)),
      ),
      ...agents.map((agent) =>
        this.as(`o${agent.machine.name}`, (client) => this.#watch(client, agent, untilMs)),
      ),
    ]);
  }

  async look(): Promise<void> {
    await this.as('judge', async (client) => {
      for (const entry of ENTRIES) await this.#untilSaid(client, entry);
      await client.pause(TOLD_MS);
      for (const agent of this.cluster.agents) {
        for (const service of SERVICES) await this.#judge(client, agent, service);
      }
    });
  }

  async #write(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      const entry = ENTRIES[Math.floor(world.random.next() * ENTRIES.length)] as Entry;
      await this.#say(client, entry);
      await this.rest(client, CHANGE_MS);
    }
  }

  async #untilSaid(client: SimClient, entry: Entry): Promise<void> {
    for (let i = 0; i < TRIES; i++) {
      if (await this.#say(client, entry)) return;
      await client.pause(RETRY_MS);
    }
    this.violations.add('an entry is not taken, and all has healed', entry.Name);
  }

  /** By compare-and-set: what nobody answered is not done later, over what was said since. */
  async #say(client: SimClient, { Kind, Name }: Entry): Promise<boolean> {
    const path = `/v1/config/${Kind}/${Name}?consistent`;
    const known = await client.ask(this.anyServer(), 'GET', path);
    if (known?.status !== 200 && known?.status !== 404) return false;
    const index =
      known.status === 404 ? 0 : (JSON.parse(known.text) as { ModifyIndex: number }).ModifyIndex;
    const number = this.cluster.world.random.next() < 0.15 ? 0 : ++this.#made;
    const isOwn = Kind === 'service-defaults';
    const what = isOwn ? { LocalConnectTimeoutMs: number } : { Config: everywhere(number) };
    const body = JSON.stringify({ Kind, Name, ...what });
    const done = await client.ask(this.anyServer(), 'PUT', `/v1/config?cas=${index}`, { body });
    const isDone = done?.status === 200 && done.text.startsWith('true');
    if (!isDone) return false;
    this.#said.set(Name, number);
    this.#acknowledged.add(number);
    this.cluster.world.say(`${Name} says ${number}`);
    return true;
  }

  async #work(client: SimClient, agent: SimAgent, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    for (const service of SERVICES) await this.#register(client, agent, service);
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      const service = SERVICES[Math.floor(random.next() * SERVICES.length)] as string;
      const chance = random.next();
      if (chance < 0.5) await this.#register(client, agent, service);
      else if (chance < 0.75) await client.ask(agent.port, 'PUT', goneOf(service));
      else {
        const downMs = 2 * DOWN_MS * random.next();
        agent.kill(random.next() < 0.5 ? downMs : 0);
        await client.pause(downMs);
        agent.start();
      }
    }
    // A last time, whatever came of it before.
    for (const service of SERVICES) await this.#register(client, agent, service);
  }

  async #register(client: SimClient, agent: SimAgent, service: string): Promise<void> {
    const Name = proxyOf(service);
    const whose = { DestinationServiceName: service, DestinationServiceID: service };
    const proxy = { ID: Name, Name, Kind: 'connect-proxy', Port: 20_000, Proxy: whose };
    const body = JSON.stringify(proxy);
    for (let i = 0; i < TRIES; i++) {
      const path = '/v1/agent/service/register';
      const answer = await client.ask(agent.port, 'PUT', path, { body, timeoutMs: 5000 });
      if (answer?.status === 200) return;
      await client.pause(RETRY_MS);
    }
    this.violations.add('an agent takes no proxy', agent.machine.name);
  }

  /** What an agent shows, for as long as it lives, in turn. */
  async #watch(client: SimClient, agent: SimAgent, untilMs: number): Promise<void> {
    const newest = new Map<string, number>();
    let life = agent.bornAt;
    while (this.cluster.world.now < untilMs) {
      await this.rest(client, LOOK_MS);
      for (const service of SERVICES) {
        const found = await this.#shown(client, agent, service);
        if (life !== agent.bornAt) newest.clear();
        life = agent.bornAt;
        const who = `${agent.machine.name} ${service}`;
        for (const name of [OWN, EVERYWHERE]) {
          this.#judgeNext(`${who} ${name}`, Number(found?.[name] ?? 0), newest);
        }
      }
    }
  }

  #judgeNext(what: string, number: number, newest: Map<string, number>): void {
    if (number === 0 || this.cluster.splits) return;
    const before = newest.get(what) ?? 0;
    if (number < before) {
      const change = `${what}: ${before}, then ${number}`;
      this.violations.add('an agent goes back to what was said before', change);
    }
    // What nobody acknowledged may be lost, and was shown all the same.
    if (this.#acknowledged.has(number)) newest.set(what, number);
  }

  async #shown(client: SimClient, agent: SimAgent, service: string): Promise<Config | undefined> {
    const answer = await client.ask(agent.port, 'GET', `/v1/agent/service/${proxyOf(service)}`);
    if (answer?.status !== 200) return undefined;
    return (JSON.parse(answer.text) as { Proxy: { Config?: Config } }).Proxy.Config ?? {};
  }

  async #judge(client: SimClient, agent: SimAgent, service: string): Promise<void> {
    const expected = shortly(expectedOf(this.#said.get(service), this.#said.get('global')));
    const { name } = agent.machine;
    const own = shortly(await this.#shown(client, agent, service));
    if (own !== expected) {
      const what = `${name} ${service}: ${own}, not ${expected}`;
      this.violations.add('a proxy is not as config entries say', what);
    }
    for (const { port, machine } of this.cluster.servers) {
      const path = `/v1/catalog/service/${proxyOf(service)}`;
      const answer = await client.ask(port, 'GET', path);
      const rows = JSON.parse(answer?.text || '[]') as Row[];
      const row = rows.find(({ Node }) => Node === name);
      const there = shortly(row?.ServiceProxy.Config);
      if (row !== undefined && there === expected) continue;
      const what = `${name} ${service} at ${machine.name}: ${there}, not ${expected}`;
      this.violations.add('the catalog has a proxy that is not as config entries say', what);
    }
  }
}

interface Row {
  readonly Node: string;
  readonly ServiceProxy: { readonly Config?: Config };
}

function everywhere(number: number): Config {
  return number === 0 ? {} : { [EVERYWHERE]: number };
}

function expectedOf(own = 0, all = 0): Config {
  return { ...everywhere(all), ...(own !== 0 && { [OWN]: own }) };
}

function shortly(config: Config | undefined): string {
  return JSON.stringify(Object.entries(config ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function proxyOf(service: string): string {
  return `${service}-proxy`;
}

function goneOf(service: string): string {
  return `/v1/agent/service/deregister/${proxyOf(service)}`;
}
