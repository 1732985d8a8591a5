/** Services with as many instances each, a check to each instance, twenty on a node; and changes of them by number. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { send } from '../../servers/start-server.ts';

const PER_NODE = 20;
const AT_ONCE = 16;

interface Result {
  readonly Check?: { readonly ModifyIndex: number };
}

export class LargeCatalog {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  readonly #port: number;
  readonly #services: number;
  readonly #instances: number;

  constructor(port: number, services: number, instances: number) {
    this.#port = port;
    this.#services = services;
    this.#instances = instances;
  }

  /** Of each service. */
  get copies(): number {
    return this.#instances / this.#services;
  }

  async fill(): Promise<void> {
    const nodes = Math.ceil(this.#instances / PER_NODE);
    let next = 0;
    const worker = async () => {
      for (let node = next++; node < nodes; node = next++) await this.write(this.#node(node));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  /** Resolves with the index of the last of them, which is of a check. */
  async write(ops: readonly object[]): Promise<number> {
    const answer = await send(this.#port, 'PUT', '/v1/txn', { agent: this.#agent, body: ops });
    assert.equal(answer.status, 200, answer.text);
    const { Results } = answer.json as { Results: readonly Result[] };
    return Results.at(-1)?.Check?.ModifyIndex ?? 0;
  }

  serviceOf(i: number): string {
    return `web-${i % this.#services}`;
  }

  /** The status of an instance's check. */
  check(i: number, Status: string, Output = 'HTTP GET: 200 OK'): object {
    const name = this.serviceOf(i);
    const Check = {
      Node: `node-${Math.floor(i / PER_NODE)}`,
      CheckID: `service:${name}-${i}`,
      Name: `Service '${name}' check`,
      Status,
      Output,
      ServiceID: `${name}-${i}`,
      ServiceName: name,
    };
    return { Check: { Verb: 'set', Check } };
  }

  /** One more service, which is there for a while. */
  guest(i: number, verb: 'set' | 'delete'): object {
    const Service = { ID: `guest-${i}`, Service: `guest-${i}`, Port: 80 };
    return { Service: { Verb: verb, Node: `node-${i % PER_NODE}`, Service } };
  }

  end(): void {
    this.#agent.destroy();
  }

  #node(node: number): object[] {
    const Node = `node-${node}`;
    const Address = `10.${node >> 16}.${(node >> 8) & 255}.${node & 255}`;
    const ops: object[] = [{ Node: { Verb: 'set', Node: { Node, Address } } }];
    for (let i = node * PER_NODE; i < Math.min(this.#instances, (node + 1) * PER_NODE); i++) {
      const name = this.serviceOf(i);
      const Service = {
        ID: `${name}-${i}`,
        Service: name,
        Tags: ['v1', 'primary'],
        Address,
        Port: 8000 + (i % 1000),
        Meta: { version: '1.4.2' },
      };
      ops.push({ Service: { Verb: 'set', Node, Service } }, this.check(i, 'passing'));
    }
    return ops;
  }
}
