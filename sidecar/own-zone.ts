/** The zone of the agent's node, as its metadata says it: by which instances are near is known by nothing else here. */
import { pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { retryMs } from '../lib/retries.ts';
import { type Agent, lossOf } from './follow.ts';
import { objectIn, textIn } from './said.ts';

const SELF = { path: '/v1/agent/self', query: [] } as const;

/**
 * '' where it has none. Waits for an agent that is away: without one nothing is known anyway. Rejects with a
 * ProconsulError where the token may not know it.
 */
export async function ownZone(agent: Agent, logger: Logger, signal: AbortSignal): Promise<string> {
  for (let tries = 1; !signal.aborted; tries++) {
    try {
      const { json } = await agent.ask(SELF, signal);
      return textIn(objectIn(objectIn(json)['Meta'])['zone']);
    } catch (error) {
      const { isRefused, isToSay, what, why } = lossOf(error, tries);
      if (isRefused || !(error instanceof ProconsulError)) throw error;
      if (isToSay) logger.warn(`sidecar: ${what}, and the zone is not known`, { error: why });
      await pause(agent.clock, retryMs(tries, agent.random), signal);
    }
  }
  return '';
}
