/**
 * Each client has a service on nodes of its own, whose places it tells and changes: who asks for what is near one
 * of them is told the nodes by their distance as they stand, and last those whose place nobody has told.
 */
import { compareKeys } from '../../../lib/key-order.ts';
import type { SimClient } from '../client.ts';
import { Owners } from './owners.ts';

const NODES = 4;
/** A line of a second, on which no two places are the same. */
const PLACES = 1_000_000;

interface Own {
  readonly service: string;
  /** Of the nodes that are there: where each is; undefined where nobody has told. */
  readonly nodes: Map<string, number | undefined>;
}

export class Near extends Owners<Own> {
  protected readonly name = 'd';
  protected readonly pauseMs = 400;

  protected async begin(_: SimClient, name: string): Promise<Own> {
    return { service: `near-${name}`, nodes: new Map() };
  }

  protected async change(client: SimClient, { service, nodes }: Own): Promise<boolean> {
    const { random } = this.cluster.world;
    const number = Math.floor(random.next() * NODES);
    const Node = `${service}-${number}`;
    if (!nodes.has(Node)) {
      const Service = { ID: service, Service: service };
      const body = { Node, Address: `10.6.0.${number}`, Service };
      if ((await this.do(client, 'PUT', '/v1/catalog/register', body)) === undefined) return false;
      nodes.set(Node, undefined);
    } else if (random.next() < 0.2) {
      const path = '/v1/catalog/deregister';
      if ((await this.do(client, 'PUT', path, { Node })) === undefined) return false;
      nodes.delete(Node);
    } else {
      const place = Math.floor(random.next() * PLACES) / PLACES;
      const Coord = { Vec: [place, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 };
      const path = '/v1/coordinate/update';
      if ((await this.do(client, 'PUT', path, { Node, Coord })) === undefined) return false;
      nodes.set(Node, place);
    }
    return true;
  }

  protected async ask(client: SimClient, { service, nodes }: Own): Promise<void> {
    const [near] = [...nodes].filter(([, place]) => place !== undefined);
    if (near === undefined) return;
    const [node, from = 0] = near;
    const path = `/v1/health/service/${service}?near=${node}${this.mode.replace('?', '&')}`;
    const answer = await client.ask(this.anyPort(), 'GET', path);
    if (answer?.status !== 200) return;
    const rows = JSON.parse(answer.text) as readonly { readonly Node: { readonly Node: string } }[];
    const found = rows.map(({ Node }) => Node.Node);
    const far = (place: number | undefined) =>
      place === undefined ? Number.POSITIVE_INFINITY : Math.abs(place - from);
    const expected = [...nodes]
      .sort(([a, x], [b, y]) => far(x) - far(y) || compareKeys(a, b))
      .map(([name]) => name);
    if (found.join() === expected.join()) return;
    const what = `${node}: ${found.join()}, not ${expected.join()}`;
    this.violations.add('what is near is in another order', what);
  }
}
