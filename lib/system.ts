/** What everything takes from outside: specs put their own in its place. */
import { type Clock, systemClock } from './clock.ts';
import type { Logger } from './logger.ts';
import { type Random, systemRandom } from './random.ts';

export interface System {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** The machine's own clock and chance. */
export function systemOf(logger: Logger): System {
  return { clock: systemClock, random: systemRandom, logger };
}
