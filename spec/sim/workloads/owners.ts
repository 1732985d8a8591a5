/**
 * Clients of whom each changes what is its own and asks what became of that: exactly what it was last told
 * that it had done. Whatever nobody answered makes all of it anew, under other names.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const CLIENTS = 2;
const INSTANCES = 3;

export abstract class Owners<Own> extends Clients {
  protected abstract readonly name: string;
  protected abstract readonly pauseMs: number;
  #made = 0;

  /** Undefined where nobody knows whether it was done, as `change` is false then. */
  protected abstract begin(client: SimClient, name: string): Promise<Own | undefined>;
  protected abstract change(client: SimClient, own: Own): Promise<boolean>;
  protected abstract ask(client: SimClient, own: Own): Promise<void>;

  async run(untilMs: number): Promise<void> {
    await this.each(this.name, CLIENTS, (client) => this.#work(client, untilMs));
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let own: Own | undefined;
    while (world.now < untilMs) {
      await this.rest(client, this.pauseMs);
      if (own === undefined) {
        own = await this.begin(client, `${client.machine.name}-${++this.#made}`);
      } else if (world.random.next() < 0.5) await this.ask(client, own);
      else if (!(await this.change(client, own))) own = undefined;
    }
  }

  /** As `change`, of any server. */
  protected async do(client: SimClient, method: string, path: string, body?: object) {
    const options = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await client.ask(this.anyPort(), method, path, options);
    return answer?.status === 200 ? answer.text : undefined;
  }

  /** One instance of the service comes or goes. */
  protected async toggle(client: SimClient, service: string, there: Set<number>): Promise<boolean> {
    const number = Math.floor(this.cluster.world.random.next() * INSTANCES);
    const ID = `${service}-${number}`;
    const Node = `node-${ID}`;
    const isThere = there.has(number);
    const Service = { ID, Service: service, Port: number + 1 };
    const path = `/v1/catalog/${isThere ? 'deregister' : 'register'}`;
    const what = isThere ? { Node } : { Node, Address: `10.3.0.${number}`, Service };
    if ((await this.do(client, 'PUT', path, what)) === undefined) return false;
    if (isThere) there.delete(number);
    else there.add(number);
    return true;
  }

  /** Who is parted from the others with one master may answer what was true before. */
  protected get mode(): string {
    return this.cluster.splits ? '?consistent' : '';
  }
}
