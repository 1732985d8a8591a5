import type { Logger } from '../../lib/logger.ts';
import type { LocalState } from '../state/local-state.ts';
import type { Change } from './changes.ts';

interface Sayer {
  readonly local: LocalState;
  readonly logger: Logger;
}

interface Told {
  /** '' for the node's own checks. */
  readonly serviceId: string;
  readonly change: Change;
  readonly refused: Change | undefined;
}

/** What the catalog took of a change, in Consul's words. How checks stand is said where it changes. */
export function sayTaken({ local, logger }: Sayer, { serviceId: service, change, refused }: Told) {
  const isThere = service === '' || local.services.has(service);
  const verb = isThere ? 'Synced' : 'Deregistered';
  if (change.service && refused?.service !== true) {
    logger.info(`agent: ${verb} service`, { service });
  }
  for (const check of change.checks) {
    if (refused?.checks.has(check)) continue;
    const word = local.checks.has(check) ? 'Synced' : 'Deregistered';
    logger.debug(`agent: ${word} check`, { check });
  }
}
