/** What clients refuse of what they are told: counted, and logged as far as a log is to be read by anybody. */
import type { Logger } from '../../lib/logger.ts';

export interface Refused {
  readonly client: string;
  readonly type: string;
  readonly why: string;
}

/** Lines at once; then as many as reviews, whoever refuses, and however many clients do. */
const MOST_LINES = 20;
/** Of each thing in a line that a client says. */
const MAX_SAID = 500;

export class Refusals {
  readonly #counts: { refusals: number };
  readonly #logger: Logger;
  #left = MOST_LINES;
  #unsaid = 0;

  constructor(counts: { refusals: number }, logger: Logger) {
    this.#counts = counts;
    this.#logger = logger;
  }

  take({ client, type, why }: Refused): void {
    this.#counts.refusals++;
    if (this.#left === 0) {
      this.#unsaid++;
      return;
    }
    this.#left--;
    this.#logger.warn('xds: a client refused what it was told', {
      ...{ client: short(client), type: short(type), why: short(why) },
    });
  }

  /** To be called once in a second. */
  review(): void {
    if (this.#unsaid === 0) {
      this.#left = Math.min(MOST_LINES, this.#left + 1);
      return;
    }
    const line = 'xds: clients refused more than is logged one by one';
    this.#logger.warn(line, { refusals: this.#unsaid });
    this.#unsaid = 0;
  }
}

function short(said: string): string {
  return said.slice(0, MAX_SAID);
}
