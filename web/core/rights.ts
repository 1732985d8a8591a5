/**
 * What the token may do, asked before somebody is shown a way to do it. What is asked for in one moment goes
 * to the server as one question. The answers are kept until another token comes; where something says that they
 * are others by now, they stand until they were asked again.
 */
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Allowed } from '../../lib/answers.ts';
import { ask, RIGHTS } from './api.ts';
import { otherDatacenter } from './datacenter.ts';
import { writeJson } from './exact-json.ts';
import { Refusal } from './refusal.ts';
import { untilAnswered } from './retry.ts';
import type { Right } from './right.ts';
import { rightsDoubts, rightsNews } from './rights-news.ts';
import { token } from './token.ts';

/** Whether there is access control at all; without it everybody may do everything. */
export const isControlled = signal(false);

/** The server takes so many in one question, and so long a one: a stranger may have made a name of any length. */
const MAX_ASKED = 64;
const MAX_LETTERS = 8000;

const known = signal<ReadonlyMap<string, boolean>>(new Map());
/** Another one with each token and data centre, by which all is asked anew. */
const round = signal(0);
let wanted = new Map<string, Right>();
/** Those that something on the page goes by, each as often as it does. */
const used = new Map<string, { readonly right: Right; by: number }>();
/** Of the token by which all is asked. */
let asking = new AbortController();
/** Questions that are not answered yet. */
let open = 0;
/** What they are answered may be of before: all is asked again after them. Given up for that, they never would be. */
let isInDoubt = false;

/** Of a component: false until it is known. */
export function useMay(right: Right): boolean {
  return useAllowed(right) === true;
}

/** The same, undefined until it is known. */
export function useAllowed(right: Right): boolean | undefined {
  const key = writeJson([right.Resource, right.Access, right.Segment ?? '']);
  const may = known.value.get(key);
  // What was not answered before another token came is as unknown after: nothing else tells that it is to be asked.
  const asked = round.value;
  useEffect(() => use(key, right), [key]);
  useEffect(() => {
    if (may === undefined) want(key, right);
  }, [key, may, asked]);
  return may;
}

function use(key: string, right: Right): () => void {
  const there = used.get(key) ?? { right, by: 0 };
  used.set(key, there);
  there.by++;
  return () => {
    if (--there.by === 0) used.delete(key);
  };
}

function want(key: string, right: Right): void {
  if (wanted.size === 0) queueMicrotask(askAll);
  wanted.set(key, right);
}

function askAll(): void {
  let [asked, letters] = [new Map<string, Right>(), 0];
  for (const [key, right] of wanted) {
    letters += key.length;
    if (asked.size === MAX_ASKED || (asked.size > 0 && letters > MAX_LETTERS)) {
      void answer(asked, asking.signal);
      [asked, letters] = [new Map(), key.length];
    }
    asked.set(key, right);
  }
  wanted = new Map();
  if (asked.size > 0) void answer(asked, asking.signal);
}

async function answer(rights: ReadonlyMap<string, Right>, by: AbortSignal): Promise<void> {
  open++;
  const allowed = await allowedOf([...rights.values()], by);
  // Somebody else asks by now, anew.
  if (by.aborted) return;
  open--;
  if (open === 0 && isInDoubt) beginAnew();
  if (allowed === undefined) return;
  const found = [...rights.keys()].map((key, i) => [key, allowed[i] === true] as const);
  if (found.every(([key, may]) => known.peek().get(key) === may)) return;
  known.value = new Map([...known.peek(), ...found]);
}

async function allowedOf(
  body: readonly Right[],
  by: AbortSignal,
): Promise<readonly boolean[] | undefined> {
  try {
    const answered = await untilAnswered(
      (signal) => ask<readonly Allowed[]>(RIGHTS, { method: 'POST', body, signal }),
      by,
    );
    if (answered === undefined) return undefined;
    isControlled.value = true;
    return answered.value.map(({ Allow }) => Allow);
  } catch (error) {
    if (by.aborted) return undefined;
    // A server that is older refuses all of them for one that it does not know.
    if (body.length > 1 && isUnknown(error)) return await eachAlone(body, by);
    // 401: there is no access control. A token that nobody knows may do nothing.
    const why = error instanceof Refusal ? error.why : 'refused';
    if (why !== 'refused') isControlled.value = why !== 'off';
    return body.map(() => why === 'off');
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof Refusal && error.status === 400;
}

async function eachAlone(
  rights: readonly Right[],
  by: AbortSignal,
): Promise<readonly boolean[] | undefined> {
  const answers = await Promise.all(rights.map((right) => allowedOf([right], by)));
  return by.aborted ? undefined : answers.map((answer) => answer?.[0] === true);
}

export function startRights(): void {
  effect(() => {
    token.value;
    otherDatacenter.value;
    known.value = new Map();
    round.value = round.peek() + 1;
    begin();
  });
  effect(() => {
    if (rightsNews.value > 0) doubt();
  });
  effect(() => {
    if (rightsDoubts.value > 0 && isControlled.peek()) doubt();
  });
}

function doubt(): void {
  if (open > 0) isInDoubt = true;
  else beginAnew();
}

function beginAnew(): void {
  known.value = new Map([...known.peek()].filter(([key]) => used.has(key)));
  begin();
  for (const [key, { right }] of used) want(key, right);
}

/** Whatever was asked before it is not waited for. */
function begin(): void {
  asking.abort();
  asking = new AbortController();
  [open, isInDoubt] = [0, false];
  wanted = new Map();
  want('', { Resource: 'operator', Access: 'read' });
}
