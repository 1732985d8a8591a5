/** Where nodes stand in the network, and how long a packet takes between them, as their coordinates say. */
import type { Coordinate, NodeCoordinate } from '../../lib/model.ts';
import type { Action } from './action.ts';

/** What is answered of a node of which nobody has written where it stands. */
const ERROR_AT_FIRST = 1.5;

export function isMeasured({ Error: error, Vec }: Coordinate): boolean {
  return error !== ERROR_AT_FIRST || Vec.some((each) => each !== 0);
}

export interface Distance {
  readonly node: string;
  /** Of the network, in which both have coordinates; '' mostly. */
  readonly segment: string;
  /** There and back. */
  readonly ms: number;
}

/** From a node to each other of which it is known, the nearest first. */
export function distancesFrom(node: string, all: readonly NodeCoordinate[]): readonly Distance[] {
  const measured = all.filter(({ Coord }) => isMeasured(Coord));
  const own = new Map(
    measured.filter(({ Node }) => Node === node).map(({ Segment, Coord }) => [Segment, Coord]),
  );
  const found = measured.flatMap(({ Node, Segment, Coord }) => {
    const from = own.get(Segment);
    if (Node === node || from?.Vec.length !== Coord.Vec.length) return [];
    return [{ node: Node, segment: Segment, ms: 1000 * seconds(from, Coord) }];
  });
  return found.sort((a, b) => a.ms - b.ms);
}

/** Vivaldi's: the distance of the points and both heights, adjusted unless that makes it negative. */
function seconds(a: Coordinate, b: Coordinate): number {
  const raw = Math.hypot(...a.Vec.map((x, i) => x - (b.Vec[i] ?? 0))) + a.Height + b.Height;
  const adjusted = raw + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : raw;
}

/** The nearest, the one in the middle, and the farthest; of those that stand in that order. */
export function spanOf(sorted: readonly Distance[]) {
  const [first] = sorted;
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const last = sorted.at(-1);
  if (first === undefined || middle === undefined || last === undefined) return undefined;
  return { nearest: first.ms, middle: middle.ms, farthest: last.ms };
}

/** Says where a node stands. */
export function placeAt(Node: string, Coord: Coordinate): Action {
  return { method: 'PUT', path: '/v1/coordinate/update', body: { Node, Coord } };
}
