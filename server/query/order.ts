import { distanceS } from '../../lib/place.ts';
import type { Reader } from './reader.ts';

interface OnNode {
  readonly Node: string;
  readonly ID?: string;
  readonly CheckID?: string;
}

/**
 * By node and then by id, always the same: clients pair lists by position. With a node to be near,
 * by the time a packet takes from there; nodes without coordinates come last.
 */
export function orderByNode<T extends OnNode>(reader: Reader, near: string, rows: T[]): T[] {
  return orderByDistance(reader, near, sortedByNode(rows));
}

/** Node by node: to compare each row with some twenty others takes several times as long. */
function sortedByNode<T extends OnNode>(rows: T[]): T[] {
  if (rows.length < MANY) return rows.sort(byName);
  const onNodes = new Map<string, T[]>();
  for (const row of rows) {
    const others = onNodes.get(row.Node);
    if (others === undefined) onNodes.set(row.Node, [row]);
    else others.push(row);
  }
  return [...onNodes.keys()].sort().flatMap((node) => (onNodes.get(node) as T[]).sort(byName));
}

const MANY = 1000;

/** Those that are equally far, or of whom nobody knows, stay in the order they have. */
export function orderByDistance<T extends OnNode>(reader: Reader, near: string, rows: T[]): T[] {
  if (near === '') return rows;
  const from = reader.placeOf(near);
  // Consul leaves the order alone when it does not know where the node is.
  if (from === undefined) return rows;
  const distances = new Map<string, number>();
  for (const { Node } of rows) {
    const to = reader.placeOf(Node);
    const seconds = to === undefined ? Number.POSITIVE_INFINITY : distanceS(from, to);
    distances.set(Node, seconds);
  }
  const of = (row: T) => distances.get(row.Node) ?? Number.POSITIVE_INFINITY;
  return rows.sort((a, b) => (of(a) === of(b) ? 0 : of(a) - of(b)));
}

function byName(a: OnNode, b: OnNode): number {
  if (a.Node !== b.Node) return a.Node < b.Node ? -1 : 1;
  const x = a.CheckID ?? a.ID ?? '';
  const y = b.CheckID ?? b.ID ?? '';
  if (x === y) return 0;
  return x < y ? -1 : 1;
}
