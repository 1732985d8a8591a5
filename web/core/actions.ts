/** What somebody may have done: one write. */
import type { Action } from './action.ts';
import { ask } from './api.ts';
import { otherDatacenter } from './datacenter.ts';
import { Refusal } from './refusal.ts';

/** As the status of a conflict. */
export const NOT_DONE = 409;

/** Rejects with a Refusal. */
export async function perform<T>({ method, path, body, datacenter }: Action): Promise<T> {
  const { value } = await ask<T>(path, { method, body, datacenter });
  // Of a write with a condition: it was not done.
  if (value === false) throw new Refusal('refused', NOT_DONE, '');
  return value;
}

/** Meant where somebody is now. */
export function here(action: Action): Action {
  return { ...action, datacenter: otherDatacenter.peek() };
}
