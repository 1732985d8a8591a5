/** What became of the log when a Redis was found again, in words for whoever is woken by it. */
import type { Logger } from '../../../../lib/logger.ts';

export interface Found {
  readonly epoch: number;
  /** In which this server was before; undefined at its start. */
  readonly before: number | undefined;
  /** Entries that this server put back, and those that no server could keep. */
  readonly putBack: number;
  readonly lost: number;
  readonly address: string;
}

export function sayFound(logger: Logger, { epoch, before, putBack, lost, address }: Found): void {
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
