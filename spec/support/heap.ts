import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as (how?: { readonly type: 'minor' }) => void;

/** What is alive in this process once all garbage was collected: objects, and beside them buffers. */
export async function liveBytes(): Promise<{ readonly heap: number; readonly buffers: number }> {
  // What a finished request left to be done, and then what finalisers leave.
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers };
}

/** What the heap holds when only what was made a moment ago is collected, as happens all the time. */
export function bytesAfterScavenge(): number {
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  return process.memoryUsage().heapUsed;
}
