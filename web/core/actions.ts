/** What somebody may have done: one write. */
import type { Action } from './action.ts';
import { ask } from './api.ts';
import { otherDatacenter } from './datacenter.ts';
import { writeJson } from './exact-json.ts';
import { Refusal } from './refusal.ts';
import { indexOf, seenAt } from './seen.ts';

/** As the status of a conflict. */
export const NOT_DONE = 409;

/** Rejects with a Refusal. */
export async function perform<T>({ method, path, body, datacenter, upon }: Action): Promise<T> {
  if (upon !== undefined && !upon.isStill(await seenAt(upon.at, datacenter)))
    throw new Refusal('refused', NOT_DONE, '');
  const text = typeof body === 'object' ? writeJson(body) : body;
  const { value } = await ask<T>(path, { method, body: text, datacenter });
  // Of a write with a condition: it was not done.
  if (value === false) throw new Refusal('refused', NOT_DONE, '');
  return value;
}

/** Meant where somebody is now. */
export function here(action: Action): Action {
  return { ...action, datacenter: otherDatacenter.peek() };
}

/**
 * Only while nobody has changed it since, if it is there at all, of what the API has no condition for: it is looked at right before, which
 * leaves a moment in which somebody else is not seen.
 */
export function upon(action: Action, row: Standing | undefined): Action {
  if (row === undefined) return action;
  const isStill = (there: unknown) => indexOf(there) === row.ModifyIndex;
  return { ...action, upon: { at: action.path, isStill } };
}

interface Standing {
  readonly ModifyIndex: number;
}
