/**
 * User events, in one order on all servers, and none of them twice. A list is what its server knows,
 * as a Consul agent's is: while a server is behind it lacks the newest, and never one before them. In
 * the end every server has all that somebody was told of.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const CLIENTS = 2;
const PAUSE_MS = 700;
/** So many are remembered. */
const KEPT = 256;

interface Fired {
  readonly ID: string;
  readonly Payload: string | null;
  readonly LTime: number;
}

export class Events extends Clients {
  /** Payloads of those that were answered, and when each was. */
  readonly #acknowledged: string[] = [];
  /** By payload: where each stands in the one order. */
  readonly #times = new Map<string, number>();
  #made = 0;

  async run(untilMs: number): Promise<void> {
    await this.each('e', CLIENTS, (client) => this.#work(client, untilMs));
  }

  async look(): Promise<void> {
    await this.as('listener', async (client) => {
      for (const { port, machine } of this.cluster.servers) {
        const listed = new Set(await this.#list(client, port));
        for (const payload of this.#acknowledged.slice(-KEPT / 2)) {
          if (listed.has(payload)) continue;
          this.violations.add('an event is lost', `${payload} at ${machine.name}`);
        }
      }
    });
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world, splits } = this.cluster;
    while (world.now < untilMs) {
      const port = this.anyServer();
      if (world.random.next() > 0.3) await this.#fire(client, port);
      // Who is parted from the others may list what is not to be.
      else if (!splits) await this.#list(client, port);
      await this.rest(client, PAUSE_MS);
    }
  }

  async #fire(client: SimClient, port: number): Promise<void> {
    const payload = `e${++this.#made}`;
    const answer = await client.ask(port, 'PUT', '/v1/event/fire/deploy', { body: payload });
    if (answer?.status === 200) this.#acknowledged.push(payload);
  }

  async #list(client: SimClient, port: number): Promise<readonly string[]> {
    const answer = await client.ask(port, 'GET', '/v1/event/list');
    if (answer?.status !== 200) return [];
    const fired = (JSON.parse(answer.text) as Fired[]).map(({ Payload, LTime }) => ({
      payload: Buffer.from(Payload ?? '', 'base64').toString(),
      time: LTime,
    }));
    const payloads = fired.map(({ payload }) => payload);
    const listed = new Set(payloads);
    if (listed.size !== fired.length) this.violations.add('an event is there twice', answer.text);
    for (const { payload, time } of fired) {
      const known = this.#times.get(payload) ?? time;
      if (known !== time)
        this.violations.add('events have two orders', `${payload}: ${known}, ${time}`);
      this.#times.set(payload, time);
    }
    const times = fired.map(({ time }) => time);
    const [oldest, newest] = [Math.min(...times), Math.max(...times)];
    for (const [payload, time] of this.#times) {
      if (time <= oldest || time >= newest || listed.has(payload)) continue;
      this.violations.add('a list of events has a gap', `${payload} at ${time}`);
    }
    return payloads;
  }
}
