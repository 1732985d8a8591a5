/**
 * The room that all large bodies share: those that are being made, and those on their way to whoever
 * reads them slowly. Where there is none left, who reads slowest is let go of, and else whoever asks for
 * more is told that it is too busy.
 */
import { type Clock, systemClock } from './clock.ts';
import { ProconsulError } from './errors.ts';
import { MAX_BODIES_BYTES } from './limits.ts';

/** What is smaller is not worth the counting: a connection has one at a time. */
export const LARGE_BYTES = 128 * 1024;
/** Nobody is slow before. */
const SLOW_AFTER_MS = 10_000;

/** What one takes, for as long as it is not ended. */
export interface Claim {
  /** To so many bytes in all. Throws where there is no room. */
  grow(bytes: number): void;
  end(): void;
}

/** A body on its way to one. */
export interface Delivery {
  /** So many more bytes of it were taken. */
  taken(bytes: number): void;
  end(): void;
}

interface Reader {
  readonly since: number;
  readonly cutOff: () => void;
  bytes: number;
}

export class BodyRoom {
  readonly #maxBytes: number;
  readonly #clock: Pick<Clock, 'monotonic'>;
  #bytes = 0;
  /** Many may be sent the same bytes, which are there once. */
  readonly #onTheWay = new Map<Buffer, Set<Reader>>();

  constructor(maxBytes: number, clock: Pick<Clock, 'monotonic'>) {
    this.#maxBytes = maxBytes;
    this.#clock = clock;
  }

  /** What is taken by now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Told often of a little more: it is counted when `step` more have come together. */
  claim(step = LARGE_BYTES): Claim {
    let held = 0;
    return {
      grow: (bytes) => {
        if (bytes < held + step) return;
        this.#take(bytes - held);
        held = bytes;
      },
      end: () => {
        this.#bytes -= held;
        held = 0;
      },
    };
  }

  /** Throws where there is no room. */
  deliver(body: Buffer, cutOff: () => void): Delivery {
    let readers = this.#onTheWay.get(body);
    if (readers === undefined) {
      this.#take(body.length);
      readers = new Set();
      this.#onTheWay.set(body, readers);
    }
    const reader: Reader = { since: this.#clock.monotonic(), cutOff, bytes: 0 };
    readers.add(reader);
    return {
      taken: (bytes) => {
        reader.bytes += bytes;
      },
      end: () => this.#leave(body, reader),
    };
  }

  #take(bytes: number): void {
    while (this.#bytes + bytes > this.#maxBytes) {
      const slowest = this.#slowest();
      if (slowest === undefined) {
        throw new ProconsulError('busy', 'Too many large answers are being made or sent');
      }
      const { body, reader } = slowest;
      this.#leave(body, reader);
      reader.cutOff();
    }
    this.#bytes += bytes;
  }

  #slowest(): { body: Buffer; reader: Reader } | undefined {
    const now = this.#clock.monotonic();
    let slowest: { body: Buffer; reader: Reader; rate: number } | undefined;
    for (const [body, readers] of this.#onTheWay) {
      for (const reader of readers) {
        const ms = now - reader.since;
        const rate = reader.bytes / ms;
        if (ms < SLOW_AFTER_MS || rate >= (slowest?.rate ?? Number.POSITIVE_INFINITY)) continue;
        slowest = { body, reader, rate };
      }
    }
    return slowest;
  }

  #leave(body: Buffer, reader: Reader): void {
    const readers = this.#onTheWay.get(body);
    if (readers?.delete(reader) !== true || readers.size > 0) return;
    this.#onTheWay.delete(body);
    this.#bytes -= body.length;
  }
}

/** Of this process. */
export const largeBodies = new BodyRoom(MAX_BODIES_BYTES, systemClock);
