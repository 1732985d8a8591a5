/** Times in words, with the exact one where the pointer rests, and for whoever copies it. */
import { now } from '../core/clock.ts';
import { ago, exact, lasting } from '../words/times.ts';
import { uiWords } from '../words/ui-words.ts';

export function Ago({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {ago(Math.min(at, now.value), now.value)}
    </time>
  );
}

/** Of what is to come. */
export function In({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {ago(at, now.value)}
    </time>
  );
}

/** How long something has been so. */
export function For({ at }: { readonly at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {uiWords.value.forTime(lasting(Math.max(0, now.value - at)))}
    </time>
  );
}
