/**
 * A node's place in the network, moved by each round trip to another whose place is known, so that the distance of
 * two places comes near to the round trip between them: F. Dabek, R. Cox, F. Kaashoek, R. Morris, "Vivaldi: A
 * Decentralized Network Coordinate System" (SIGCOMM 2004), with heights. What no place can have right (a triangle
 * that is none) goes into an adjustment: S. Lee, Z. Zhang, S. Sahu, D. Saha, "On Suitability of Euclidean Embedding
 * for Host-Based Network Coordinate Systems" (2010). That all places do not wander off together is from J. Ledlie,
 * P. Gardner, M. Seltzer, "Network Coordinates in the Wild" (NSDI 2007).
 */
import type { Coordinate } from './model.ts';
import { isPlace, ORIGIN, rawDistanceS } from './place.ts';
import type { Random } from './random.ts';

/** How far a sample may move a place, of what it is wrong by; and how fast its error follows. */
const MOVES = 0.25;
const LEARNS = 0.25;
/** Whatever a sample says, nobody is more wrong by it than that. */
const MAX_WRONG_BY = 1.5;
/** Of errors: who knows nothing of itself is moved, and moves nobody; and nobody is so sure that nothing moves it. */
const MAX_ERROR = 1.5;
const MIN_ERROR = 0.01;
const MIN_HEIGHT_S = 0.00001;
/** Below it two places are the same, and lie in no direction from each other. */
const SAME_S = 0.000001;
/** Samples that an adjustment comes of. */
const ADJUSTED_BY = 20;
/** Of one that is longer, or shorter, by more, no place and no triangle is the reason. */
const MAX_EXCESS_S = 0.1;
/** So far from the origin a place is drawn back by a millisecond with each sample; half as far, by a quarter. */
const GRAVITY_S = 0.256;
const DRAWN_S = 0.001;
/** What takes longer is no round trip of a network, nor what takes less. */
const MAX_ROUND_TRIP_S = 10;
const MIN_ROUND_TRIP_S = 0.000001;

export class Vivaldi {
  readonly #random: Pick<Random, 'next'>;
  #vec: readonly number[] = ORIGIN.Vec;
  #height = ORIGIN.Height;
  #error = ORIGIN.Error;
  /** By how much the last samples were longer than the places are apart. */
  readonly #excess: number[] = [];
  #samples = 0;
  #adjustment = 0;

  constructor(random: Pick<Random, 'next'>) {
    this.#random = random;
  }

  get coordinate(): Coordinate {
    return {
      Vec: this.#vec,
      Error: this.#error,
      Adjustment: this.#adjustment,
      Height: this.#height,
    };
  }

  /** By how much a sample wants to move it, away from the other or to it (less than nothing). */
  stepS(other: Coordinate, seconds: number): number {
    if (!isSample(other, seconds)) return 0;
    return MOVES * this.#weightOf(other) * (seconds - rawDistanceS(this.coordinate, other));
  }

  /**
   * A round trip to whoever stands there. What nobody can have measured moves nothing. `maxStepS`: it moves no farther, where
   * the sample comes from somebody who may want to spoil all.
   */
  observe(other: Coordinate, seconds: number, maxStepS = Number.POSITIVE_INFINITY): void {
    if (!isSample(other, seconds)) return;
    const here = this.coordinate;
    const apart = rawDistanceS(here, other);
    const wrongBy = Math.min(MAX_WRONG_BY, Math.abs(apart - seconds) / seconds);
    const step = this.stepS(other, seconds);
    const learns = LEARNS * this.#weightOf(other);
    const error = wrongBy * learns + this.#error * (1 - learns);
    this.#error = Math.max(MIN_ERROR, Math.min(MAX_ERROR, error));
    this.#push(here, other, Math.max(-maxStepS, Math.min(maxStepS, step)));
    this.#pull();
    this.#adjust(seconds - rawDistanceS(this.coordinate, other));
    if (!isPlace(this.coordinate)) this.#beginAnew();
  }

  #weightOf(other: Coordinate): number {
    return this.#error / (this.#error + Math.max(MIN_ERROR, other.Error));
  }

  /** By what stands in the middle of the last: of a mean, one in twenty could make whatever he wants. */
  #adjust(excess: number): void {
    if (!(Math.abs(excess) <= MAX_EXCESS_S)) return;
    this.#excess[this.#samples++ % ADJUSTED_BY] = excess;
    const sorted = [...this.#excess].sort((a, b) => a - b);
    const [low = 0, high = 0] = [
      sorted[Math.floor((sorted.length - 1) / 2)],
      sorted[Math.floor(sorted.length / 2)],
    ];
    // Half of it is the other's; and while there are few, nobody knows it well.
    this.#adjustment = ((low + high) / 4) * (sorted.length / ADJUSTED_BY);
  }

  /** Whatever it was told: what is no place would be passed over by all others for good. */
  #beginAnew(): void {
    this.#vec = ORIGIN.Vec;
    this.#height = ORIGIN.Height;
    this.#error = ORIGIN.Error;
    this.#excess.length = 0;
    this.#samples = 0;
    this.#adjustment = 0;
  }

  /** Away from the other, or to it where it is less than nothing. */
  #push(here: Coordinate, other: Coordinate, by: number): void {
    const between = here.Vec.map((x, i) => x - (other.Vec[i] ?? 0));
    const flat = Math.hypot(...between);
    if (flat < SAME_S) {
      const any = this.#direction(here.Vec.length);
      this.#vec = here.Vec.map((x, i) => x + (any[i] ?? 0) * by);
      return;
    }
    const heights = here.Height + other.Height;
    const whole = flat + heights;
    this.#vec = here.Vec.map((x, i) => x + ((between[i] ?? 0) / whole) * by);
    this.#height = Math.max(MIN_HEIGHT_S, here.Height + (heights / whole) * by);
  }

  /** To the origin. */
  #pull(): void {
    const away = Math.hypot(...this.#vec);
    const by = Math.min(away, (away / GRAVITY_S) ** 2 * DRAWN_S);
    if (by > 0) this.#vec = this.#vec.map((x) => x * (1 - by / away));
  }

  #direction(length: number): readonly number[] {
    const any = Array.from({ length }, () => this.#random.next() - 0.5);
    const size = Math.hypot(...any) || 1;
    return any.map((each) => each / size);
  }
}

function isSample(other: Coordinate, seconds: number): boolean {
  return seconds >= MIN_ROUND_TRIP_S && seconds <= MAX_ROUND_TRIP_S && isPlace(other);
}
