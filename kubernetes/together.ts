/** Begins all of it, and ends all of it when the first one ends; rejects as that one did. */
export async function together(
  works: readonly ((signal: AbortSignal) => Promise<void>)[],
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const begun = works.map((work) => work(either));
  try {
    await Promise.race(begun);
  } finally {
    over.abort();
    await Promise.allSettled(begun);
  }
}
