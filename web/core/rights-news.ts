/** What says that the token may do otherwise by now, or may do so: what it may is asked again. */
import { signal } from '@preact/signals';
import { PACE, spread } from './retry.ts';

/** So often at most where nothing says it; and where a window takes turns with others, each of which asks anew. */
const DOUBT_MS = 1000;
const DOUBT_IN_TURNS_MS = 30_000;

/** Another one each time that an answer says so. */
export const rightsNews = signal(0);
/** Another one each time that it may be so, and nobody would have said it. */
export const rightsDoubts = signal(0);
let isToDoubt = false;

export function noteRightsNews(): void {
  rightsNews.value = rightsNews.peek() + 1;
}

/**
 * A server tells of other rights those who wait, and they changed perhaps between two questions: so they are asked
 * for once somebody waits.
 */
export function doubtRights({ isInTurns = false } = {}): void {
  if (isToDoubt) return;
  isToDoubt = true;
  const ms = isInTurns ? DOUBT_IN_TURNS_MS : DOUBT_MS;
  PACE.after(spread(ms, PACE.random()), () => {
    isToDoubt = false;
    rightsDoubts.value = rightsDoubts.peek() + 1;
  });
}
