import type { Cancel, Clock } from '../../lib/clock.ts';

/** Calls `tell` once where `moved` says the same from one look to the next, of which there is one each `ms`. */
export function whenIdle(
  clock: Pick<Clock, 'after'>,
  ms: number,
  { moved, tell }: { readonly moved: () => number; readonly tell: () => void },
): Cancel {
  let before = moved();
  const look = () => {
    const now = moved();
    if (now === before) tell();
    else {
      before = now;
      cancel = clock.after(ms, look);
    }
  };
  let cancel = clock.after(ms, look);
  return () => cancel();
}
