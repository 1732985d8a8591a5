/** How instances stand, for one moment: what is a node's own is reckoned once for all that are on it. */
import { type Aggregate, aggregateStatus } from '../../lib/aggregate-status.ts';
import type { Check, Instance, Node } from '../../lib/model.ts';
import type { Catalog } from '../state/catalog.ts';

export interface Standing {
  readonly node: Node | undefined;
  /** What the checks come to that count for it. */
  readonly status: Aggregate;
  /** The index at which one of those, or its node, changed last. */
  readonly changedAt: number;
}

interface OnNode extends Standing {
  readonly checksOf: (serviceId: string) => Iterable<Check>;
}

const RANK: Readonly<Record<Aggregate, number>> = {
  passing: 0,
  warning: 1,
  critical: 2,
  maintenance: 3,
};

export class Standings {
  readonly #catalog: Catalog;
  readonly #nodes = new Map<string, OnNode>();

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  of({ Node: name, ID }: Pick<Instance, 'Node' | 'ID'>): Standing {
    const { node, status: ofNode, changedAt: since, checksOf } = this.#on(name);
    const own = checksOf(ID);
    const status = aggregateStatus(own);
    return {
      node,
      status: RANK[status] > RANK[ofNode] ? status : ofNode,
      changedAt: newest(own, since),
    };
  }

  #on(name: string): OnNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const node = this.#catalog.node(name);
    const checksOf = this.#catalog.checksOfEach(name);
    const own = [...checksOf('')];
    const changedAt = newest(own, node?.ModifyIndex ?? 0);
    const made = { node, status: aggregateStatus(own), changedAt, checksOf };
    this.#nodes.set(name, made);
    return made;
  }
}

function newest(checks: Iterable<Check>, since: number): number {
  let newest = since;
  for (const { ModifyIndex } of checks) if (ModifyIndex > newest) newest = ModifyIndex;
  return newest;
}
