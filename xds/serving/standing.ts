/** Says where what clients ask for stands in line: until its turn they are told nothing, and nobody would know why. */
import type { Logger } from '../../lib/logger.ts';

/** Of reviews in which something stood there. */
const FIRST = 10;
const EACH = 60;
const LINE =
  'xds: what clients ask for waits for its turn, since some of their addresses ask for very much: streams are told nothing of it until then';

export class Standing {
  readonly #logger: Logger;
  #reviews = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** To be called once in a second. */
  review(waiting: number): void {
    if (waiting === 0) this.#reviews = 0;
    else if (this.#reviews++ % EACH === FIRST) this.#logger.warn(LINE, { waiting });
  }
}
