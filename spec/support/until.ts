const POLL_MS = 5;
const MAX_WAIT_MS = 8000;

/** Waits on a state, not on an event or a time; fails with the last value that was seen. */
export async function until(
  reached: () => boolean | Promise<boolean>,
  describe: () => unknown = () => 'not reached',
  maxWaitMs = MAX_WAIT_MS,
): Promise<void> {
  const deadline = performance.now() + maxWaitMs;
  while (!(await reached())) {
    if (performance.now() > deadline) throw new Error(`gave up waiting: ${String(describe())}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
