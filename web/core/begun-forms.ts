/** What somebody has begun in a form, kept until it is sent or given up: neither another page nor a refusal loses it. */
import { signal } from '@preact/signals';
import { otherDatacenter } from './datacenter.ts';

export interface FormDraft<T> {
  readonly value: T;
  /** The index of what it was begun upon. */
  readonly upon: number;
}

const kept = signal<ReadonlyMap<string, FormDraft<unknown>>>(new Map());

/** `of` names what is written, and says the same wherever that is. */
export function formDraftOf<T>(of: string): FormDraft<T> | undefined {
  return kept.value.get(placeOf(of)) as FormDraft<T> | undefined;
}

export function keepFormDraft(of: string, draft: FormDraft<unknown> | undefined): void {
  const next = new Map(kept.peek());
  if (draft === undefined) next.delete(placeOf(of));
  else next.set(placeOf(of), draft);
  kept.value = next;
}

const sent = signal<ReadonlySet<string>>(new Set());

/** Whether it is being sent, by whichever form of it: somebody may have left that one and come back. */
export function isOnItsWay(of: string): boolean {
  return sent.value.has(placeOf(of));
}

/** What was begun is forgotten once it is done; what somebody has written since is not. */
export async function sending<T>(of: string, send: () => Promise<T>): Promise<T> {
  const place = placeOf(of);
  const begun = kept.peek().get(place);
  sent.value = new Set([...sent.peek(), place]);
  try {
    const answer = await send();
    if (kept.peek().get(place) === begun) forget(place);
    return answer;
  } finally {
    sent.value = new Set([...sent.peek()].filter((each) => each !== place));
  }
}

function forget(place: string): void {
  kept.value = new Map([...kept.peek()].filter(([each]) => each !== place));
}

export function hasFormDrafts(): boolean {
  return kept.peek().size > 0;
}

export function forgetFormDrafts(): void {
  kept.value = new Map();
}

function placeOf(of: string): string {
  return `${otherDatacenter.value}\0${of}`;
}
