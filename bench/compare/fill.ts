/** What the registries are filled with: the same bodies for all, in transactions, which is quick. */
import { must } from './http.ts';

const AT_ONCE = 8;
/** A transaction takes 64 operations: a node, an instance and a check each. */
const INSTANCES_PER_TXN = 20;

export interface Filling {
  readonly services: number;
  readonly instancesEach: number;
  /** Services are named PREFIX-0, PREFIX-1 and so on. */
  readonly prefix: string;
}

export async function fill(port: number, filling: Filling): Promise<void> {
  const total = filling.services * filling.instancesEach;
  let next = 0;
  const work = async () => {
    while (next < total) {
      const from = next;
      next += INSTANCES_PER_TXN;
      const ops: object[] = [];
      for (let i = from; i < Math.min(next, total); i++) ops.push(...instanceOps(filling, i));
      await must(port, 'PUT', '/v1/txn', ops);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function instanceOps({ prefix, services }: Filling, i: number): object[] {
  const copy = Math.floor(i / services);
  const service = `${prefix}-${i % services}`;
  const id = `${service}-${copy}`;
  const node = `node-${copy % 1000}`;
  const address = `10.0.${Math.floor(copy / 250) % 250}.${copy % 250}`;
  return [
    {
      Node: {
        Verb: 'set',
        Node: { Node: node, Address: `10.1.${(copy % 1000) >> 8}.${copy % 256}` },
      },
    },
    {
      Service: {
        Verb: 'set',
        Node: node,
        Service: {
          ID: id,
          Service: service,
          Tags: ['v1', 'primary'],
          Address: address,
          Port: 8000 + (i % 1000),
          Meta: { version: '1.4.2', zone: `z${copy % 3}` },
        },
      },
    },
    {
      Check: {
        Verb: 'set',
        Check: {
          Node: node,
          CheckID: `service:${id}`,
          Name: `Service '${service}' check`,
          Status: 'passing',
          Output: `HTTP GET http://${address}/health: 200 OK Output: ok`,
          ServiceID: id,
          ServiceName: service,
        },
      },
    },
  ];
}
