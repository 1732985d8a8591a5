/** A time in words, with the exact one where the pointer rests, and for whoever copies it. */
import { now } from '../core/clock.ts';
import { ago, exact } from '../words/times.ts';

export function Ago({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {ago(Math.min(at, now.value), now.value)}
    </time>
  );
}
