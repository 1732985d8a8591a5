/** Where nodes stand in the network, by node and segment. */
import type { NodeCoordinate } from '../../lib/model.ts';
import { type Journal, Lookup, Table } from './table.ts';
import { COORDINATES, fold, nodeCoordinatesTopic } from './topic-names.ts';
import type { Topics } from './topics.ts';

/** As many as Consul's network may have, with names as long: who reports makes up the names. */
export const MAX_SEGMENTS = 64;
export const MAX_SEGMENT_LENGTH = 64;

export class Coordinates extends Table<NodeCoordinate> {
  readonly #byNode: Lookup<NodeCoordinate>;

  constructor(journal: Journal, topics: Topics) {
    const byNode = new Lookup<NodeCoordinate>();
    super(journal, (before, after) => {
      const { Node, Segment } = (after ?? before) as NodeCoordinate;
      if (after === undefined) byNode.delete(fold(Node), Segment);
      else byNode.set(fold(Node), Segment, after);
      topics.touch(COORDINATES);
      topics.touch(nodeCoordinatesTopic(Node));
    });
    this.#byNode = byNode;
  }

  on(node: string): Iterable<NodeCoordinate> {
    return this.#byNode.rows(fold(node));
  }

  /** Whether the node may have a coordinate in this segment. */
  hasRoom(node: string, segment: string): boolean {
    const [at, isShort] = [fold(node), segment.length <= MAX_SEGMENT_LENGTH];
    const isThere = this.#byNode.hasRow(at, segment);
    return isShort && (isThere || this.#byNode.count(at) < MAX_SEGMENTS);
  }
}

export function coordinateKey(node: string, segment: string): string {
  return `${fold(node)}\0${segment}`;
}
