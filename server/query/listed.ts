import type { Check, Instance, Node } from '../../lib/model.ts';
import type { Catalog } from '../state/catalog.ts';

/** The nodes, instances and checks that may be seen, for whoever reads many of them. */
export interface Overview {
  readonly nodes: Iterable<Node>;
  instancesOn(node: string): Iterable<Instance>;
  checksOn(node: string): Iterable<Check>;
}

/** Instances, and what may be shown with them. */
export interface Placed {
  readonly rows: Iterable<Instance>;
  nodeOf(instance: Instance): Node | undefined;
}

/** A node's own stand with each of its instances, of which there may be thousands: all share one list. */
export interface InstanceChecks {
  readonly ofNode: readonly Check[];
  readonly own: readonly Check[];
}

export interface Checked extends Placed {
  checksOf(instance: Instance): InstanceChecks;
  /** The checks that count for it: those of its node, then its own. */
  checksFor(instance: Instance): Check[];
}

/** As the catalog has them. It is for one moment: what it has looked for once may change. */
export class Listed implements Checked {
  readonly #catalog: Catalog;
  /** Instances come node by node, mostly: what is the node's own is looked for once. */
  #last: OnNode | undefined;
  readonly rows: Iterable<Instance>;

  constructor(catalog: Catalog, rows: Iterable<Instance>) {
    this.#catalog = catalog;
    this.rows = rows;
  }

  nodeOf({ Node: node }: Instance): Node | undefined {
    return this.#on(node).node;
  }

  checksOf({ Node: node, ID }: Instance): InstanceChecks {
    const { checksOf, checks: ofNode } = this.#on(node);
    return { ofNode, own: sorted(checksOf(ID)) };
  }

  checksFor(instance: Instance): Check[] {
    return joined(this.checksOf(instance));
  }

  #on(name: string): OnNode {
    if (this.#last?.name === name) return this.#last;
    const checksOf = this.#catalog.checksOfEach(name);
    const node = this.#catalog.node(name);
    this.#last = { name, node, checksOf, checks: sorted(checksOf('')) };
    return this.#last;
  }
}

export function joined({ ofNode, own }: InstanceChecks): Check[] {
  return [...ofNode, ...own];
}

/** Whether it holds for all of an entry's checks; a node's own are looked at once for all of its instances. */
export function forAllChecks(holds: (check: Check) => boolean): (both: InstanceChecks) => boolean {
  let last: { readonly ofNode: readonly Check[]; readonly all: boolean } | undefined;
  return ({ ofNode, own }) => {
    if (last?.ofNode !== ofNode) last = { ofNode, all: ofNode.every(holds) };
    return last.all && own.every(holds);
  };
}

interface OnNode {
  readonly name: string;
  readonly node: Node | undefined;
  readonly checksOf: (serviceId: string) => Iterable<Check>;
  /** The node's own. */
  readonly checks: readonly Check[];
}

function sorted(checks: Iterable<Check>): Check[] {
  return [...checks].sort((a, b) => (a.CheckID < b.CheckID ? -1 : 1));
}
