/** What whoever has the turn sees to beside its work: those that died, and that it is itself of use. */
import { type Clock, pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Presence } from './presence.ts';

export const LOST = 'cannot read the cluster';
const LOOK_MS = 50;
const ASK_MS = 1000;
/** So often in a row another must say that it is well: it may not have noticed yet what this one has. */
const SURE = 4;

interface AttendingDeps {
  readonly presence: Pick<Presence, 'removeDead' | 'isAnotherWell'>;
  readonly clock: Clock;
  /** It could not read the cluster for a while. */
  readonly isLost: () => boolean;
}

/**
 * Rejects once the cluster cannot be read, and another can: where nobody can, to change turns would only cost time
 * when it is back.
 */
export async function attend(
  { presence, clock, isLost }: AttendingDeps,
  signal: AbortSignal,
): Promise<void> {
  await presence.removeDead(signal);
  let wellFor = 0;
  while (!signal.aborted) {
    if (isLost()) {
      wellFor = (await presence.isAnotherWell(signal)) ? wellFor + 1 : 0;
      if (wellFor >= SURE) throw new ProconsulError('unavailable', `${LOST}: another has the turn`);
      await pause(clock, ASK_MS, signal);
    } else {
      wellFor = 0;
      await pause(clock, LOOK_MS, signal);
    }
  }
}
