/** The package brings no types of its own; these are of what lib/ring.ts uses. */
declare module 'consistent-hash' {
  class ConsistentHash<Node> {
    constructor(options?: { readonly range?: number });
    /** With explicit points the count is ignored. */
    add(node: Node, count: number, points: readonly number[]): this;
    /** The node at the first point from the name's on, or null when there are none. */
    get(name: string): Node | null;
  }
  export = ConsistentHash;
}
