/**
 * Each client has a prepared query and services of its own: it changes both, and what the query then
 * comes to on any server is what the client was last told that it had done.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const CLIENTS = 2;
const INSTANCES = 3;
const PAUSE_MS = 600;

interface Executed {
  readonly Service: string;
  readonly Nodes: readonly { readonly Service: { readonly ID: string } }[];
}

/** What a client has done. Whatever nobody answered makes all of it anew, under other names. */
interface Own {
  readonly services: readonly string[];
  readonly query: string;
  service: string;
  readonly instances: ReadonlyMap<string, Set<string>>;
}

export class Queries extends Clients {
  #made = 0;

  async run(untilMs: number): Promise<void> {
    await this.each('p', CLIENTS, (client) => this.#work(client, untilMs));
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let own: Own | undefined;
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      if (own === undefined) own = await this.#begin(client);
      else if (world.random.next() < 0.5) await this.#execute(client, own);
      else if (!(await this.#change(client, own))) own = undefined;
    }
  }

  async #begin(client: SimClient): Promise<Own | undefined> {
    const name = `${client.machine.name}-${++this.#made}`;
    const services = [`${name}-x`, `${name}-y`];
    const [service = ''] = services;
    const body = JSON.stringify({ Name: name, Service: { Service: service } });
    const answer = await client.ask(this.anyPort(), 'POST', '/v1/query', { body });
    if (answer?.status !== 200) return undefined;
    const { ID } = JSON.parse(answer.text) as { ID: string };
    const instances = new Map(services.map((each) => [each, new Set<string>()]));
    return { services, query: ID, service, instances };
  }

  /** False where nobody knows whether it was done. */
  async #change(client: SimClient, own: Own): Promise<boolean> {
    const { random } = this.cluster.world;
    const service = own.services[Math.floor(random.next() * own.services.length)] ?? '';
    if (random.next() < 0.3) {
      const body = JSON.stringify({ Service: { Service: service } });
      const answer = await client.ask(this.anyPort(), 'PUT', `/v1/query/${own.query}`, { body });
      if (answer?.status === 200) own.service = service;
      return answer?.status === 200;
    }
    const instances = own.instances.get(service);
    const id = `${service}-${Math.floor(random.next() * INSTANCES)}`;
    const isThere = instances?.has(id) === true;
    const Node = `node-${id}`;
    const what = isThere
      ? { Node, ServiceID: id }
      : { Node, Address: '10.2.0.1', Service: { ID: id, Service: service } };
    const path = `/v1/catalog/${isThere ? 'deregister' : 'register'}`;
    const body = JSON.stringify(what);
    const answer = await client.ask(this.anyPort(), 'PUT', path, { body });
    if (answer?.status !== 200) return false;
    if (isThere) instances?.delete(id);
    else instances?.add(id);
    return true;
  }

  async #execute(client: SimClient, own: Own): Promise<void> {
    const mode = this.cluster.splits ? '?consistent' : '';
    const path = `/v1/query/${own.query}/execute${mode}`;
    const answer = await client.ask(this.anyPort(), 'GET', path);
    if (answer?.status === 404)
      this.violations.add('a prepared query is gone', client.machine.name);
    if (answer?.status !== 200) return;
    const { Service, Nodes } = JSON.parse(answer.text) as Executed;
    const found = Nodes.map(({ Service: { ID } }) => ID).sort();
    const expected = [...(own.instances.get(own.service) ?? [])].sort();
    if (Service === own.service && found.join() === expected.join()) return;
    const what = `${Service}: ${found.join()}, not ${own.service}: ${expected.join()}`;
    this.violations.add(
      'a prepared query comes to something else',
      `${client.machine.name} ${what}`,
    );
  }
}
