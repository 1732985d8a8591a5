/** Where nodes stand in the network, and how long a packet takes there and back, as their coordinates say. */
import type { Coordinate } from './model.ts';

export const DIMENSIONS = 8;

/** Where a node stands of which nothing is known yet: Consul's agents begin with the same. */
export const ORIGIN: Coordinate = {
  Vec: Array.from({ length: DIMENSIONS }, () => 0),
  Error: 1.5,
  Adjustment: 0,
  Height: 0.00001,
};

/** In seconds, as the points and both heights have it: what coordinates are moved by. */
export function rawDistanceS(a: Coordinate, b: Coordinate): number {
  return Math.hypot(...a.Vec.map((x, i) => x - (b.Vec[i] ?? 0))) + a.Height + b.Height;
}

/** In seconds: adjusted, unless that makes it negative. */
export function distanceS(a: Coordinate, b: Coordinate): number {
  const raw = rawDistanceS(a, b);
  const adjusted = raw + a.Adjustment + b.Adjustment;
  return adjusted > 0 ? adjusted : raw;
}

/** Farther than any node is from another: what says more is no place. */
const MAX_S = 10;
const MAX_ERROR = 1.5;

/** Whether somebody can have measured it: nobody is to be moved by anything else. */
export function isPlace({ Vec, Error: error, Adjustment, Height }: Coordinate): boolean {
  return (
    Vec.length === DIMENSIONS &&
    [...Vec, Adjustment].every((each) => Math.abs(each) <= MAX_S) &&
    Height >= 0 &&
    Height <= MAX_S &&
    error >= 0 &&
    error <= MAX_ERROR
  );
}

/**
 * Whether a place is to be written in place of the one before. What jitters is not: each write is an entry of the log,
 * and wakes whoever follows places.
 */
export function hasMoved(before: Coordinate | undefined, after: Coordinate): boolean {
  if (before === undefined || before.Vec.length !== after.Vec.length) return true;
  const by =
    Math.hypot(...after.Vec.map((x, i) => x - (before.Vec[i] ?? 0))) +
    Math.abs(after.Height - before.Height) +
    Math.abs(after.Adjustment - before.Adjustment);
  const away = Math.hypot(...after.Vec) + after.Height;
  return (
    by > Math.max(LEAST_MOVE_S, away * LEAST_PART) ||
    Math.abs(after.Error - before.Error) > LEAST_ERROR
  );
}

/** A tenth of a millisecond, or of how far it is from the middle of all. */
const LEAST_MOVE_S = 0.0001;
const LEAST_PART = 0.1;
const LEAST_ERROR = 0.25;

/** Consul's word, where `disable_coordinates` says so. */
export const COORDINATES_OFF = 'Coordinate support disabled';

/** Of a beat: where its agent stands. A header, which servers that know nothing of it pass over. */
export const PLACE_HEADER = 'x-proconsul-place';

export interface PlaceTold {
  readonly Coord: Coordinate;
  /** The server that is expected to answer, and the round trip to it as it was last; 0 where that is not known. */
  readonly Server: string;
  readonly Seconds: number;
}

/** Of the answer: where the server stands, and for how long it was about it. */
export interface PlaceAnswered {
  readonly Server: string;
  readonly Coord: Coordinate;
  readonly TookMs: number;
}

const MAX_TOLD_LENGTH = 1024;

/** Undefined for what is none: nobody is refused for it. */
export function placeToldIn(text: unknown): PlaceTold | undefined {
  if (typeof text !== 'string' || text.length > MAX_TOLD_LENGTH) return undefined;
  try {
    const { Coord: said, Server, Seconds } = (JSON.parse(text) ?? {}) as Partial<PlaceTold>;
    const Coord = coordinateIn(said);
    if (typeof Server !== 'string' || typeof Seconds !== 'number') return undefined;
    return Coord && { Coord, Server, Seconds };
  } catch {
    return undefined;
  }
}

/** With nothing else that was said; undefined for what is none. */
export function coordinateIn(said: unknown): Coordinate | undefined {
  const { Vec, Error: error, Adjustment, Height } = (said ?? {}) as Partial<Coordinate>;
  if (!Array.isArray(Vec)) return undefined;
  const numbers: unknown[] = [error, Adjustment, Height, ...Vec];
  if (!numbers.every((each) => typeof each === 'number')) return undefined;
  const place = { Vec, Error: error, Adjustment, Height } as Coordinate;
  return isPlace(place) ? place : undefined;
}

/** Undefined for what is none: of the answer all else counts. */
export function placeAnsweredIn(said: unknown): PlaceAnswered | undefined {
  const { Server, Coord: at, TookMs } = (said ?? {}) as Partial<PlaceAnswered>;
  const Coord = coordinateIn(at);
  if (typeof Server !== 'string' || typeof TookMs !== 'number') return undefined;
  return Coord && { Server, Coord, TookMs };
}
