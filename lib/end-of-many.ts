/** Ends what goes on side by side. */
import { setMaxListeners } from 'node:events';

/**
 * For an end that as many wait for as there are watches in a configuration: at the eleventh that listens Node
 * would warn of a leak, on the standard error and in no form of the log.
 */
export function endOfMany(): AbortController {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  return end;
}
