/**
 * What comes on a connection of HTTP/2, frame by frame: so much in a turn of the event loop, and the rest when all others
 * have been heard. Node reads two megabytes of one socket in a turn, in which there may be a hundred thousand requests.
 */
import type { Socket } from 'node:net';
import { FrameReader, type Tell } from './frames.ts';

/** Some milliseconds. */
const PER_TURN = 512;
/** Of all connections of this process; those for which nothing is left have some all the same. */
const OF_ALL = 2048;
const LEAST = 16;
/** What a frame takes, and one that begins a request or an answer; and how many fields of its head take as much as one. */
const FRAME = 0.5;
const HEAD = 4;
const FIELDS = 16;

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Of this process. A turn of the loop has two parts, each with its own allowance: first whatever comes at a socket is heard,
 * then what was left over, the longest ago first. Those with something left are not read meanwhile, so they never use
 * up what is there for others.
 */
const turn = { part: 0, took: 0, isArmed: false };
const leftOver = new Set<Inlet>();

function spent(units: number): void {
  turn.took += units;
  arm();
}

function arm(): void {
  if (turn.isArmed) return;
  turn.isArmed = true;
  setImmediate(() => {
    turn.isArmed = false;
    nextPart();
    // Those that have something left once more stand behind the others, and wait for the next turn.
    for (const inlet of [...leftOver]) {
      if (turn.took >= OF_ALL) break;
      leftOver.delete(inlet);
      inlet.goOn();
    }
    nextPart();
    if (leftOver.size > 0) arm();
  });
}

function nextPart(): void {
  turn.part++;
  turn.took = 0;
}

export interface InletOptions {
  readonly socket: Socket;
  /** False where no more is wanted. */
  readonly frame: Tell;
  /** One is longer than anybody was allowed. */
  readonly tooLong: () => void;
  readonly isOver: () => boolean;
}

export class Inlet {
  readonly #options: InletOptions;
  readonly #frames = new FrameReader();
  #heard = 0;
  #part = 0;
  #took = 0;

  constructor(options: InletOptions) {
    this.#options = options;
    options.socket.on('data', (chunk: Buffer) => {
      this.#heard++;
      this.#read(chunk);
    });
  }

  /** Grows with whatever comes. */
  get heard(): number {
    return this.#heard;
  }

  /** A head of so many fields was read in this turn. */
  tookHead(fields: number): void {
    this.#spend(HEAD + fields / FIELDS);
  }

  /** Of what has come already. */
  goOn(): void {
    this.#read(NOTHING);
    if (!leftOver.has(this)) this.#options.socket.resume();
  }

  #read(chunk: Buffer): void {
    const { socket, isOver, tooLong } = this.#options;
    if (isOver()) return;
    if (!this.#frames.push(chunk, this.#tell)) tooLong();
    if (isOver() || !this.#isTired) return;
    socket.pause();
    leftOver.add(this);
    arm();
  }

  readonly #tell: Tell = (type, flags, stream, payload) => {
    this.#spend(FRAME);
    return this.#options.frame(type, flags, stream, payload) && !this.#isTired;
  };

  #spend(units: number): void {
    spent(units);
    if (this.#part !== turn.part) [this.#part, this.#took] = [turn.part, 0];
    this.#took += units;
  }

  get #isTired(): boolean {
    if (this.#part !== turn.part) return false;
    return this.#took >= (turn.took < OF_ALL ? PER_TURN : LEAST);
  }
}
