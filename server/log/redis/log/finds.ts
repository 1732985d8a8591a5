/** What became of the log when a Redis was found again: in words for whoever is woken by it, and kept for whoever asks. */
import type { Clock } from '../../../../lib/clock.ts';
import type { Find } from '../../../../lib/log-account.ts';
import type { Logger } from '../../../../lib/logger.ts';

/** Of a Redis that comes and goes the last are enough to see it. */
const MAX_FINDS = 50;

export class Finds {
  readonly #clock: Clock;
  readonly #logger: Logger;
  #kept: readonly Find[] = [];
  #goneAt: number | undefined;

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** The newest first. */
  get all(): readonly Find[] {
    return this.#kept;
  }

  /** The one that was of use is of none any more. */
  gone(): void {
    this.#goneAt ??= this.#clock.monotonic();
  }

  found(what: Said): void {
    sayFound(this.#logger, what);
    const goneAt = this.#goneAt ?? this.#clock.monotonic();
    const awayMs = Math.round(this.#clock.monotonic() - goneAt);
    this.#goneAt = undefined;
    this.#kept = [{ ...what, at: this.#clock.now(), awayMs }, ...this.#kept].slice(0, MAX_FINDS);
  }
}

type Said = Omit<Find, 'at' | 'awayMs'>;

function sayFound(logger: Logger, { epoch, before, putBack, lost, address }: Said): void {
  const fields = { epoch, address };
  if (before === undefined) logger.info('redis: the log is here', fields);
  else if (lost > 0) {
    logger.error(`redis: ${ANEW}, and ${entries(lost)} lost: each is named above`, fields);
  } else if (putBack > 0) {
    logger.warn(`redis: ${ANEW}; ${entries(putBack)} put back, and nothing was lost`, fields);
  } else if (epoch !== before) {
    logger.warn(`redis: ${ANEW}; nothing of what this server knows was lost`, fields);
  } else logger.info('redis: the connection is back, and nothing was lost', fields);
}

const ANEW = 'Redis was restarted, promoted or restored';

function entries(count: number): string {
  return count === 1 ? '1 entry was' : `${count} entries were`;
}
