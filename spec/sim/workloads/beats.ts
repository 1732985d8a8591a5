/**
 * Services without an agent, which beat to any server that answers. Whoever beats stays passing whatever
 * happens to servers and Redis, and whoever does not becomes critical, and is passing again when it does.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const LIVING = 3;
const TTL_MS = 10_000;
const BEAT_MS = 3000;
const RETRY_MS = 200;
const LOOK_MS = 500;
/** Of the run: then one falls silent, and another one does, and is back. */
const SILENT = { from: 0.3, to: 0.7 };
const GONE = 's1';
const BACK = 's2';
const CHECK = 'beats';

export class Beats extends Clients {
  async run(untilMs: number): Promise<void> {
    const [from, to] = [untilMs * SILENT.from, untilMs * SILENT.to];
    await Promise.all([
      this.each('b', LIVING, (client) => this.#beat(client, 0, untilMs)),
      this.as(GONE, (client) => this.#beat(client, 0, from)),
      this.as(BACK, async (client) => {
        await this.#beat(client, 0, from);
        await client.pause(to - this.cluster.world.now);
        await this.#beat(client, to, untilMs);
        await this.#isBack(client);
      }),
      this.#look(untilMs),
    ]);
  }

  /** Whoever has been silent for so long. */
  async look(): Promise<void> {
    for (const { machine } of this.cluster.servers) {
      const status = this.#statusOf(machine.name, GONE);
      if (status !== 'critical') {
        this.violations.add(`${GONE} beats no more and is ${status}`, machine.name);
      }
    }
  }

  async #beat(client: SimClient, fromMs: number, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const Node = client.machine.name;
    const Check = {
      CheckID: `${CHECK}-${Node}`,
      Name: CHECK,
      ServiceID: Node,
      Status: 'passing',
      Type: 'ttl',
      Definition: { TTL: `${TTL_MS / 1000}s` },
    };
    const Service = { ID: Node, Service: 'agentless' };
    const body = JSON.stringify({ Node, Address: '10.5.0.1', Service, Check });
    if (fromMs === 0) await this.#untilTaken(client, '/v1/catalog/register', untilMs, body);
    while (world.now < untilMs) {
      await this.#untilTaken(client, `/v1/agent/check/pass/${CHECK}-${Node}`, untilMs);
      await client.pause(BEAT_MS);
    }
  }

  /** It has beaten a moment ago. */
  async #isBack(client: SimClient): Promise<void> {
    const { world } = this.cluster;
    const pass = `/v1/agent/check/pass/${CHECK}-${BACK}`;
    const beaten = await client.ask(this.anyServer(), 'PUT', pass);
    const since = world.now;
    const mode = this.cluster.splits ? '?consistent' : '';
    const answer = await client.ask(this.anyServer(), 'GET', `/v1/health/node/${BACK}${mode}`);
    if (beaten?.status !== 200 || answer?.status !== 200 || world.now - since > BEAT_MS) return;
    const [check] = JSON.parse(answer.text) as readonly { readonly Status: string }[];
    if (check?.Status === 'passing') return;
    this.violations.add(`${BACK} beats again and is ${check?.Status}`);
  }

  async #untilTaken(client: SimClient, path: string, untilMs: number, body = ''): Promise<void> {
    const { world } = this.cluster;
    for (let port = this.anyServer(); world.now < untilMs; port = this.nextServer(port)) {
      const options = { body, timeoutMs: 1000 };
      const answer = await client.ask(port, 'PUT', path, options);
      if (answer?.status === 200) return;
      // One that has not read it yet may not know it.
      await client.pause(RETRY_MS);
    }
  }

  async #look(untilMs: number): Promise<void> {
    const { world, servers } = this.cluster;
    while (world.now < untilMs && !this.cluster.mayEndLeases) {
      for (const { machine } of servers) {
        for (let i = 1; i <= LIVING; i++) {
          if (this.#statusOf(machine.name, `b${i}`) !== 'critical') continue;
          this.violations.add(`b${i} beats and is critical`, machine.name);
        }
      }
      await world.sleep(LOOK_MS);
    }
  }

  #statusOf(server: string, node: string): string | undefined {
    const { process } = this.cluster.servers.find(({ machine }) => machine.name === server) ?? {};
    return process?.state.catalog.check(node, `${CHECK}-${node}`)?.Status;
  }
}
