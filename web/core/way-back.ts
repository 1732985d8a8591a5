/**
 * The way back from what was just done. It is open only while nobody else has changed it since, and it leads back in
 * the data centre in which it was done, wherever somebody is by then.
 */
import type { Action } from './action.ts';
import { NOT_DONE, perform } from './actions.ts';
import { readJson, writeJson } from './exact-json.ts';
import { holds } from './holds.ts';
import { Refusal } from './refusal.ts';
import { indexOf, seenAt } from './seen.ts';

export interface WayBack {
  /** Upon what stands there then: its index is 0 where there is nothing. Several are done in turn. Undefined where there is no way. */
  readonly action: (index: number) => Action | readonly Action[] | undefined;
  /** Where what was done can be seen; '' where nothing but the action's own condition is needed. */
  readonly at: string;
  /** What must stand there: nothing any more, the row that was answered, what was sent, or what somebody says. */
  readonly left: 'nothing' | 'answer' | 'sent' | ((there: unknown) => boolean);
}

/** What somebody did, and what came of it. */
export interface Done {
  readonly action: Action;
  readonly answer: unknown;
}

/** Goes it. Rejects with a Refusal, with the status of a conflict where somebody else was there. */
export type Return = () => Promise<void>;

/** Right after it was done. Undefined where somebody else has been there already, or nobody can say. */
export async function openedBy(
  done: Done,
  { action, at, left }: WayBack,
): Promise<Return | undefined> {
  const { datacenter = '' } = done.action;
  const look = () => (at === '' ? undefined : seenAt(at, datacenter));
  const go = async (there: unknown) => {
    for (const back of [action(indexOf(there)) ?? []].flat())
      await perform({ ...back, datacenter });
  };
  try {
    const there = await look();
    if (at !== '' && !isLeft(there, done, left)) return undefined;
    const mark = markOf(there);
    return async () => {
      const now = await look();
      if (markOf(now) !== mark) throw new Refusal('refused', NOT_DONE, '');
      await go(now);
    };
  } catch {
    return undefined;
  }
}

function isLeft(there: unknown, { action, answer }: Done, left: WayBack['left']): boolean {
  if (typeof left === 'function') return left(there);
  if (left === 'nothing') return there === undefined;
  if (left === 'answer') return there !== undefined && indexOf(there) === indexOf(answer);
  const sent: unknown = typeof action.body === 'string' ? readJson(action.body) : action.body;
  return holds(there, sent);
}

function markOf(there: unknown): string {
  const index = indexOf(there);
  if (index > 0) return String(index);
  return there === undefined ? '' : writeJson(there);
}
