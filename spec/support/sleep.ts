/** For experiments with real processes, where time is part of what is tried; never in a spec. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
