/** What somebody writes of a key, while it may be written elsewhere: which of the two is shown, and what may be saved. */
import type { KeyValue } from '../../lib/model.ts';
import { asTyped } from './line-ends.ts';
import { textOf } from './values.ts';

/** What was begun, and upon what. */
export interface Begun {
  /** As a field has it. */
  readonly text: string;
  /** Undefined where there was none. */
  readonly upon: KeyValue | undefined;
  /** It was written, and may not have come back yet. */
  readonly saved?: string | undefined;
}

export interface Draft {
  /** Undefined of a key that holds no text. */
  readonly text: string | undefined;
  /** What a save would replace. */
  readonly upon: KeyValue | undefined;
  readonly isChanged: boolean;
  /** Somebody else has written it since. */
  readonly isOvertaken: boolean;
  readonly maySave: boolean;
}

export function draftOf(last: Begun | undefined, row: KeyValue | undefined): Draft {
  const there = typedIn(row);
  const begun = last !== undefined && isOver(last, row) ? undefined : last;
  if (begun === undefined || there === undefined) {
    const isNew = row === undefined;
    return { text: there, upon: row, isChanged: false, isOvertaken: false, maySave: isNew };
  }
  const { text, saved } = begun;
  const isOwn = saved !== undefined && saved === there;
  const upon = isOwn ? row : begun.upon;
  const isOvertaken = upon?.ModifyIndex !== row?.ModifyIndex;
  const isChanged = text !== saved;
  // Until what was saved has come back nobody knows upon what the next would be written.
  const isAwaited = saved !== undefined && !isOwn;
  return { text, upon, isChanged, isOvertaken, maySave: isChanged && !isOvertaken && !isAwaited };
}

/** What was saved is what stands there, or somebody has written something else; or it stands there though nobody has heard that it was done. */
export function isOver({ text, saved, upon }: Begun, row: KeyValue | undefined): boolean {
  if (upon?.ModifyIndex === row?.ModifyIndex) return false;
  return text === saved || (saved === undefined && text === typedIn(row));
}

/** As a field has it; undefined where it is no text. */
function typedIn(row: KeyValue | undefined): string | undefined {
  const said = textOf(row?.Value ?? null);
  return said === undefined ? undefined : asTyped(said);
}
