/**
 * What somebody has begun to write, kept until it is saved or given up: neither a hiccup of the server nor a look at
 * another key or page loses it.
 */
import { signal } from '@preact/signals';
import { forgetFormDrafts, hasFormDrafts } from './begun-forms.ts';
import { otherDatacenter } from './datacenter.ts';
import type { Begun } from './draft.ts';

const drafts = signal<ReadonlyMap<string, Begun>>(new Map());

export function begunOf(key: string): Begun | undefined {
  return drafts.value.get(placeOf(key));
}

/** Whether there is something that is saved nowhere. */
export function isUnsaved(key: string): boolean {
  const begun = begunOf(key);
  return begun !== undefined && begun.text !== begun.saved;
}

export function keepDraft(key: string, begun: Begun | undefined): void {
  const next = new Map(drafts.peek());
  if (begun === undefined) next.delete(placeOf(key));
  else next.set(placeOf(key), begun);
  drafts.value = next;
}

function placeOf(key: string): string {
  return `${otherDatacenter.value}\0${key}`;
}

/** Whether anything is written that is saved nowhere. */
export function hasUnsaved(): boolean {
  return hasFormDrafts() || [...drafts.peek().values()].some(({ text, saved }) => text !== saved);
}

export function forgetDrafts(): void {
  drafts.value = new Map();
  forgetFormDrafts();
}

/** A browser asks before it leaves what is not saved. */
export function startDrafts(): void {
  addEventListener('beforeunload', (event) => {
    if (hasUnsaved()) event.preventDefault();
  });
}
