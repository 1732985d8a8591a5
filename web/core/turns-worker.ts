/** What all windows of a browser share: it gives each its turns. */
import { PACE } from './retry.ts';
import { type Said, Turns } from './turns.ts';

const turns = new Turns({ ...PACE, now: () => performance.now() });

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port === undefined) return;
  const says = turns.opened((told) => port.postMessage(told));
  port.onmessage = ({ data }: MessageEvent<Said>) => says(data);
  // So that a window knows that somebody hears it.
  port.postMessage(undefined);
});
