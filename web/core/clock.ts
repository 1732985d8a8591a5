/** The time, for whatever is shown of it: a signal that goes on while somebody looks. */
import { signal } from '@preact/signals';
import { serverNow } from './api.ts';

const TICK_MS = 5000;

/** By the server's clock. */
export const now = signal(serverNow());

export function startClock(): void {
  setInterval(tick, TICK_MS);
  document.addEventListener('visibilitychange', tick);
}

function tick(): void {
  if (!document.hidden) now.value = serverNow();
}
