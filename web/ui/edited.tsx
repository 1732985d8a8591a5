/** A thing that is being edited: what somebody writes of it stays in sight, whatever becomes of it or of his rights. */
import type { ComponentChild } from 'preact';
import { useRef } from 'preact/hooks';
import type { Shown } from '../core/live-query.ts';
import { uiWords } from '../words/ui-words.ts';

/** As it is shown, and what is to be said of that. `seesAll`: whoever sees all is refused only what is not there. */
export function useEdited<T>(
  live: Shown<T>,
  isEditing: boolean,
  seesAll = false,
): readonly [Shown<T>, ComponentChild] {
  const last = useRef<T | undefined>(undefined);
  if (live.value !== undefined) last.current = live.value;
  const { current: value } = last;
  const isKept = isEditing && live.value === undefined && value !== undefined;
  if (!isKept) return [live, null];
  const isGone = live.standing === 'missing' || (live.standing === 'forbidden' && seesAll);
  const said = (
    <p class="problem" role="alert">
      {isGone ? uiWords.value.goneMeanwhile : uiWords.value.unseenMeanwhile}
    </p>
  );
  return [{ ...live, value, standing: 'here', problem: '' }, said];
}
