/** What becomes of a process where its standard output takes nothing, as on a disk that is full. */

let isServing = false;
let lost = 0;

/** Writes that failed. */
export function unwritten(): number {
  return lost;
}

/** Whether this process goes on without its output. */
export function outlivesOutput(): boolean {
  return isServing;
}

/**
 * From now on what cannot be written is lost, and no more than that: others stand on this process. Whoever closes
 * the other end of a pipe ends it, as he would have.
 */
export function outliveOutput(): void {
  if (isServing) return;
  isServing = true;
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    lost++;
    if (code === 'EPIPE') process.exit(1);
  });
}
