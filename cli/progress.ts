import { type Clock, systemClock } from '../lib/clock.ts';

/** Shows how far it is; for people alone. An empty line takes away what was shown. */
export type Progress = (line: string) => void;

export interface Work {
  /** As in 'saving'. */
  readonly what: string;
  /** Bytes, where it is not said. */
  readonly unit?: 'keys';
  /** 0 where nobody knows. */
  readonly total?: number;
}

/** What is over before it can be read is not shown; and the line changes no faster than it can be. */
const FIRST_MS = 500;
const NEXT_MS = 200;

/** How far it is, how fast it goes, and how long that leaves. */
export class Pace {
  readonly #work: Work;
  readonly #progress: Progress;
  readonly #clock: Clock;
  readonly #began: number;
  #due: number;
  #isShown = false;

  constructor(work: Work, progress: Progress, clock: Clock = systemClock) {
    this.#work = work;
    this.#progress = progress;
    this.#clock = clock;
    this.#began = clock.monotonic();
    this.#due = this.#began + FIRST_MS;
  }

  /** So much is done by now. */
  at(count: number, total = this.#work.total ?? 0): void {
    const now = this.#clock.monotonic();
    if (now < this.#due) return;
    this.#due = now + NEXT_MS;
    this.#isShown = true;
    this.#progress(this.#line(count, total, (now - this.#began) / 1000));
  }

  end(): void {
    if (this.#isShown) this.#progress('');
  }

  #line(count: number, total: number, seconds: number): string {
    const { what, unit } = this.#work;
    const perSecond = count / seconds;
    const amount = (some: number) =>
      unit === undefined ? megabytes(some) : `${some.toFixed(0)} ${unit}`;
    const parts = [`${what} ${amount(count)}`];
    if (total > 0) parts[0] = `${parts[0]} of ${amount(total)}`;
    parts.push(`${amount(perSecond)}/s`);
    if (total > 0 && count > 0) parts.push(`${left((total - count) / perSecond)} left`);
    return parts.join(', ');
  }
}

/** The bytes as they come, with how many there were and how fast. */
export async function* shown(
  bytes: AsyncIterable<Buffer>,
  what: string,
  progress: Progress,
): AsyncGenerator<Buffer> {
  const pace = new Pace({ what }, progress);
  let count = 0;
  try {
    for await (const part of bytes) {
      count += part.length;
      pace.at(count);
      yield part;
    }
  } finally {
    pace.end();
  }
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function left(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)}s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes}min` : `${(minutes / 60).toFixed(1)}h`;
}
