/**
 * Envoys that poll agents for the endpoints of services, each poll held until there is something new, while
 * clients have instances come, go, and be critical. Where nothing has gone wrong for a while, and after a rest,
 * each has what the catalog says.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const SERVICES = ['polled-a', 'polled-b'] as const;
const INSTANCES = 4;
const OWNERS = 2;
const PAUSE_MS = 500;
/** Of three quarters of it a poll is held. */
const HELD_MS = 8000;
const RETRY_MS = 500;
const LOOK_MS = 500;
const HEALED_MS = 20_000;
/** What was as it is for so long is known to whoever follows it. */
const KNOWN_MS = 2000;
const STATUSES = ['passing', 'passing', 'warning', 'critical'] as const;

interface Discovered {
  readonly version_info: string;
  readonly resources: readonly {
    readonly cluster_name: string;
    readonly endpoints: readonly { readonly lb_endpoints: readonly Endpoint[] }[];
  }[];
}

interface Endpoint {
  readonly endpoint: { readonly address: { readonly socket_address: { port_value: number } } };
}

/** By service, the ports of those that may be called. */
type Ports = Readonly<Record<string, string>>;

interface Poller {
  readonly name: string;
  readonly agent: number;
  version: string;
  ports: Ports;
}

export class Envoys extends Clients {
  readonly #pollers: Poller[] = [];
  #catalog = '';
  #changedAt = 0;

  async run(untilMs: number): Promise<void> {
    for (const [i, { port }] of this.cluster.agents.entries()) {
      this.#pollers.push({ name: `v${i + 1}`, agent: port, version: '', ports: {} });
    }
    await Promise.all([
      this.each('v', this.#pollers.length, (client, i) => this.#follow(client, i, untilMs)),
      this.each('vo', OWNERS, (client) => this.#change(client, untilMs)),
      this.#watch(untilMs),
    ]);
  }

  async look(): Promise<void> {
    await this.each('vl', this.#pollers.length, async (client, i) => {
      const poller = this.#pollers[i] as Poller;
      await this.#poll(client, poller, 0);
      this.#judge(poller, 'after a rest');
    });
  }

  async #change(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    while (world.now < untilMs) {
      const service = SERVICES[Math.floor(random.next() * SERVICES.length)];
      const number = Math.floor(random.next() * INSTANCES);
      const Node = `${service}-${number}`;
      const Status = STATUSES[Math.floor(random.next() * STATUSES.length)];
      const isThere = random.next() < 0.8;
      const Service = { ID: Node, Service: service, Port: 1000 + number };
      const Check = { CheckID: 'c', Name: 'c', ServiceID: Node, Status };
      const body = isThere ? { Node, Address: '10.7.0.1', Service, Check } : { Node };
      const path = `/v1/catalog/${isThere ? 'register' : 'deregister'}`;
      await client.ask(this.anyPort(), 'PUT', path, { body: JSON.stringify(body) });
      await this.rest(client, PAUSE_MS);
    }
  }

  async #follow(client: SimClient, number: number, untilMs: number): Promise<void> {
    const poller = this.#pollers[number] as Poller;
    while (this.cluster.world.now < untilMs) {
      if (!(await this.#poll(client, poller, HELD_MS))) await client.pause(RETRY_MS);
    }
  }

  /** Whether it was answered. */
  async #poll(client: SimClient, poller: Poller, heldMs: number): Promise<boolean> {
    const { name, version } = poller;
    const asked = { version_info: version, resource_names: SERVICES, node: { id: name } };
    const headers = heldMs > 0 ? { 'x-envoy-expected-rq-timeout-ms': `${heldMs}` } : {};
    const options = { body: JSON.stringify(asked), headers, timeoutMs: HELD_MS + 3000 };
    const answer = await client.ask(poller.agent, 'POST', '/v3/discovery:endpoints', options);
    if (answer?.status === 304) return true;
    if (answer?.status !== 200) return false;
    const { version_info, resources } = JSON.parse(answer.text) as Discovered;
    poller.version = version_info;
    poller.ports = Object.fromEntries(
      resources.map(({ cluster_name, endpoints }) => [
        cluster_name,
        sorted(endpoints.flatMap(({ lb_endpoints }) => lb_endpoints.map(portOf))),
      ]),
    );
    return true;
  }

  async #watch(untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      const now = JSON.stringify(this.#truth());
      if (now !== this.#catalog) this.#changedAt = world.now;
      this.#catalog = now;
      const isKnown = world.now - this.#changedAt > KNOWN_MS;
      for (const poller of this.#pollers) {
        const agent = this.cluster.agents.find(({ port }) => port === poller.agent);
        const livesMs = world.now - (agent?.bornAt ?? world.now);
        const healedMs = Math.min(this.cluster.calmMs, livesMs);
        if (isKnown && healedMs > HEALED_MS) this.#judge(poller, 'where nothing is wrong');
      }
      await world.sleep(LOOK_MS);
    }
  }

  /** As every server has it, once all is calm. */
  #truth(): Ports {
    const process = this.cluster.servers.find((server) => server.process !== undefined)?.process;
    return Object.fromEntries(
      SERVICES.map((service) => {
        const ports: number[] = [];
        for (let i = 0; i < INSTANCES; i++) {
          const status = process?.state.catalog.check(`${service}-${i}`, 'c')?.Status;
          if (status === 'passing' || status === 'warning') ports.push(1000 + i);
        }
        return [service, sorted(ports)];
      }),
    );
  }

  #judge({ name, ports }: Poller, when: string): void {
    const truth = this.#truth();
    for (const service of SERVICES) {
      if (ports[service] === truth[service]) continue;
      const what = `${name} has ${ports[service]} of ${service}, the catalog ${truth[service]}`;
      this.violations.add(`an Envoy has other endpoints, ${when}`, what);
    }
  }
}

function portOf({ endpoint }: Endpoint): number {
  return endpoint.address.socket_address.port_value;
}

function sorted(ports: readonly number[]): string {
  return [...ports].sort((a, b) => a - b).join();
}
