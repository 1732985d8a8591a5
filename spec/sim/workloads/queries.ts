/**
 * Each client has a prepared query and services of its own: it changes both, and what the query then
 * comes to on any server is what the client was last told that it had done.
 */
import type { SimClient } from '../client.ts';
import { Owners } from './owners.ts';

interface Executed {
  readonly Service: string;
  readonly Nodes: readonly { readonly Service: { readonly Port: number } }[];
}

interface Own {
  readonly name: string;
  readonly query: string;
  service: string;
  /** By service, the numbers of those that are there. */
  readonly instances: ReadonlyMap<string, Set<number>>;
}

export class Queries extends Owners<Own> {
  protected readonly name = 'p';
  protected readonly pauseMs = 600;

  protected async begin(client: SimClient, name: string): Promise<Own | undefined> {
    const services = [`${name}-x`, `${name}-y`];
    const [service = ''] = services;
    const body = { Name: name, Service: { Service: service } };
    const made = await this.do(client, 'POST', '/v1/query', body);
    if (made === undefined) return undefined;
    const { ID } = JSON.parse(made) as { ID: string };
    const instances = new Map(services.map((each) => [each, new Set<number>()]));
    return { name, query: ID, service, instances };
  }

  protected async change(client: SimClient, own: Own): Promise<boolean> {
    const { random } = this.cluster.world;
    const services = [...own.instances.keys()];
    const service = services[Math.floor(random.next() * services.length)] ?? '';
    const there = own.instances.get(service) ?? new Set();
    if (random.next() < 0.7) return await this.toggle(client, service, there);
    const body = { Name: own.name, Service: { Service: service } };
    if ((await this.do(client, 'PUT', `/v1/query/${own.query}`, body)) === undefined) return false;
    own.service = service;
    return true;
  }

  protected async ask(client: SimClient, own: Own): Promise<void> {
    const path = `/v1/query/${own.query}/execute${this.mode}`;
    const answer = await client.ask(this.anyPort(), 'GET', path);
    const who = client.machine.name;
    if (answer?.status === 404) this.violations.add('a prepared query is gone', who);
    if (answer?.status !== 200) return;
    const { Service, Nodes } = JSON.parse(answer.text) as Executed;
    const found = Nodes.map(({ Service: { Port } }) => Port - 1).sort();
    const expected = [...(own.instances.get(own.service) ?? [])].sort();
    if (Service === own.service && found.join() === expected.join()) return;
    const what = `${Service}: ${found.join()}, not ${own.service}: ${expected.join()}`;
    this.violations.add('a prepared query comes to something else', `${who} ${what}`);
  }
}
