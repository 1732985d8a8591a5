/** What a route says of an answer that many requests share, for the fast path to make use of. */
import type { Cancel } from '../clock.ts';
import type { Reply } from './route.ts';

/**
 * Said of an answer to a request: the same bytes sent again would be answered the same. Whoever puts
 * a further condition on a row (a token's rights) must say so here too, or take it off the reply.
 */
export interface Shared {
  /** Resolves when the answer may be given; undefined when it may be at once. Asked each time. */
  ready(): Promise<void> | undefined;
  /** Whether it still is the answer. */
  stands(): boolean;
}

/** The answer comes when something changes, and all who sent the same bytes wait for the same. */
export interface Pending extends Shared {
  /** Calls once with the answer, never at once, unless cancelled before. It ends this wait only. */
  join(settle: (reply: Reply) => void): Cancel;
}
