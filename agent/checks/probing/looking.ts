/**
 * One look that is made of events: of sockets, streams, children. Whatever happens in a handler, the
 * look settles once and the process lives: a handler that throws fails the look, an error that comes
 * after the end is nobody's, and what was opened is closed. A kind attaches no handler but here.
 */

import type { EventEmitter } from 'node:events';
import { type Cancel, systemClock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/errors.ts';
import { critical, type Look } from './probe.ts';

export interface Looking {
  /** Ends the look; only the first end counts. */
  end(look: Look): void;
  on<A extends unknown[]>(source: EventEmitter, event: string, handler: (...args: A) => void): void;
  /** Makes a callback safe to hand to others. */
  guard<A extends unknown[]>(handler: (...args: A) => void): (...args: A) => void;
  after(ms: number, handler: () => void): void;
  /** Runs once at the end, however it comes. */
  finally(close: () => void): void;
}

export interface LookingOptions {
  readonly signal: AbortSignal;
  /** What it comes to when its time is over; called once. */
  readonly timedOut: () => Look;
  /** What it comes to when something throws; the bare message is critical unless a kind says more. */
  readonly failed?: (why: string) => Look;
}

export function looking(
  { signal, timedOut, failed = critical }: LookingOptions,
  begin: (look: Looking) => void,
): Promise<Look> {
  return new Promise((resolve) => {
    const closers: (() => void)[] = [];
    let ended = false;
    const end = (found: Look) => {
      if (ended) return;
      ended = true;
      signal.removeEventListener('abort', abort);
      for (const close of closers) quietly(close);
      resolve(found);
    };
    const guard =
      <A extends unknown[]>(handler: (...args: A) => void) =>
      (...args: A): void => {
        if (ended) return;
        try {
          handler(...args);
        } catch (error) {
          end(failed(messageOf(error)));
        }
      };
    const abort = guard(() => end(timedOut()));
    const look: Looking = {
      end,
      guard,
      on: (source, event, handler) => {
        // Never taken off again: an `error` that nobody listens to would end the process.
        source.on('error', ignore);
        source.on(event, guard(handler));
      },
      after: (ms, handler) => {
        const cancel: Cancel = systemClock.after(ms, guard(handler));
        closers.push(cancel);
      },
      finally: (close) => void (ended ? quietly(close) : closers.push(close)),
    };
    signal.addEventListener('abort', abort);
    guard(begin)(look);
    if (signal.aborted) abort();
  });
}

function ignore(): void {
  // A kind that wants to hear of errors listens to them by itself.
}

/** What cannot be closed is closed already. */
function quietly(close: () => void): void {
  try {
    close();
  } catch {
    // The look is over; nobody is left to be told.
  }
}
