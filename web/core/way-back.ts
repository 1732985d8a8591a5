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
import { token } from './token.ts';

export interface WayBack {
  /**
   * Upon what stands there then, at the first of the places: its index is 0 where there is nothing. Several are done in
   * turn, and all of them need the first alone. Undefined where there is no way.
   */
  readonly action: (index: number) => Action | readonly Action[] | undefined;
  /** Where what was done can be seen; '' where nothing but the action's own condition is needed. */
  readonly at: string | readonly string[];
  /** What must stand at each of them: nothing any more, the row that was answered, what was sent, or what somebody says. */
  readonly left: 'nothing' | 'answer' | 'sent' | ((there: unknown) => boolean);
}

/** What somebody did, and what came of it. */
export interface Done {
  readonly action: Action;
  readonly answer: unknown;
}

/**
 * Goes it. Rejects with a Refusal, with the status of a conflict where somebody else was there; with a PartlyBack where some
 * of several were done.
 */
export type Return = () => Promise<void>;

/** The first of several was done, and not all of the others. */
export class PartlyBack extends Error {
  readonly all: number;
  /** Those that were not. */
  readonly left: readonly Action[];

  /** `cause`: why the first of them was not. */
  constructor(all: number, left: readonly Action[], cause: unknown) {
    super('', { cause });
    this.all = all;
    this.left = left;
  }
}

/** Right after it was done. Undefined where somebody else has been there already, nobody can say, or there is no way. */
export async function openedBy(
  done: Done,
  { action, at, left }: WayBack,
): Promise<Return | undefined> {
  const { datacenter = '' } = done.action;
  const places = [at].flat().filter((each) => each !== '');
  const look = () => Promise.all(places.map((each) => seenAt(each, datacenter)));
  try {
    const there = await look();
    if (!there.every((each) => isLeft(each, done, left))) return undefined;
    if (action(indexOf(there[0])) === undefined) return undefined;
    const mark = there.map(markOf).join('\n');
    return async () => {
      const now = await look();
      const back = action(indexOf(now[0]));
      if (now.map(markOf).join('\n') !== mark || back === undefined) throw notDone();
      await performAll([back].flat(), datacenter);
    };
  } catch {
    return undefined;
  }
}

function notDone(): Refusal {
  return new Refusal('refused', NOT_DONE, '');
}

/** Of several one that is refused keeps none of the others back. */
async function performAll(actions: readonly Action[], datacenter: string): Promise<void> {
  const [first, ...others] = actions;
  if (first === undefined) throw notDone();
  await perform({ ...first, datacenter });
  await performOthers(others, datacenter, actions.length);
}

async function performOthers(
  actions: readonly Action[],
  datacenter: string,
  all: number,
): Promise<void> {
  const by = token.peek();
  const left: Action[] = [];
  const failures: unknown[] = [];
  for (const each of actions) {
    const last = failures.at(-1);
    // Another token would go on with what this one has begun; and who does not answer is not waited for as often.
    const isOver = token.peek() !== by || isLost(last);
    const failure = isOver ? (last ?? OTHER_TOKEN) : await failureOf({ ...each, datacenter });
    if (failure === undefined) continue;
    failures.push(failure);
    left.push({ ...each, datacenter });
  }
  if (left.length > 0) throw new PartlyBack(all, left, failures[0]);
}

/** Once more, where nobody answered; undefined where somebody did, and refused. */
export function againAfter(error: unknown, back: Return): Return | undefined {
  if (!(error instanceof PartlyBack)) return isLost(error) ? back : undefined;
  const { left, all, cause } = error;
  return isLost(cause) ? () => performOthers(left, left[0]?.datacenter ?? '', all) : undefined;
}

const OTHER_TOKEN = new Refusal('refused', 0, '');

async function failureOf(action: Action): Promise<unknown> {
  try {
    await perform(action);
    return undefined;
  } catch (error) {
    return error;
  }
}

function isLost(failure: unknown): boolean {
  return failure instanceof Refusal && failure.why === 'lost';
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
