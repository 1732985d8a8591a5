import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

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
