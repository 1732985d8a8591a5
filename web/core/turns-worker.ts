/** What all windows of a browser share: it gives each its turns. */
import { PACE } from './retry.ts';
import { type Said, Turns } from './turns.ts';

const turns = new Turns({ ...PACE, now: () => performance.now() });

addEventListener('connect', (event) => {
  const [port] = (event as MessageEvent).ports;
  if (port === undefined) return;
  const says = turns.opened((told) => port.postMessage(told));
  // So that a window knows that somebody hears it.
  const isHere = () => port.postMessage(undefined);
  port.onmessage = ({ data }: MessageEvent<Said | undefined>) => {
    if (data === undefined) isHere();
    else says(data);
  };
  isHere();
});
