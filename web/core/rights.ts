/**
 * What the token may do, asked before somebody is shown a way to do it. What is asked for in one moment goes
 * to the server as one question, and the answers are kept for as long as the token is the same.
 */
import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { ask } from './api.ts';
import { Refusal } from './refusal.ts';
import { token } from './token.ts';

export interface Right {
  readonly Resource: string;
  readonly Access: 'read' | 'list' | 'write';
  /** The name of the thing; '' of what has none. */
  readonly Segment?: string;
}

/** Whether there is access control at all; without it everybody may do everything. */
export const isControlled = signal(false);

const known = signal<ReadonlyMap<string, boolean>>(new Map());
let wanted = new Map<string, Right>();

/** Of a component: false until it is known. */
export function useMay(right: Right): boolean {
  return useAllowed(right) === true;
}

/** The same, undefined until it is known. */
export function useAllowed(right: Right): boolean | undefined {
  const key = JSON.stringify([right.Resource, right.Access, right.Segment ?? '']);
  const may = known.value.get(key);
  useEffect(() => {
    if (may === undefined) want(key, right);
  }, [key, may]);
  return may;
}

function want(key: string, right: Right): void {
  if (wanted.size === 0) queueMicrotask(() => void askAll());
  wanted.set(key, right);
}

async function askAll(): Promise<void> {
  const keys = [...wanted.keys()];
  const body = [...wanted.values()];
  wanted = new Map();
  const by = token.peek();
  const allowed = await allowedOf(body);
  // Somebody else asks by now, anew.
  if (allowed === undefined || token.peek() !== by) return;
  known.value = new Map([
    ...known.peek(),
    ...keys.map((key, i) => [key, allowed[i] === true] as const),
  ]);
}

/** Undefined where it is not known now. */
async function allowedOf(body: readonly Right[]): Promise<readonly boolean[] | undefined> {
  try {
    const { value } = await ask<readonly { Allow: boolean }[]>('/v1/internal/acl/authorize', {
      method: 'POST',
      body,
    });
    isControlled.value = true;
    return value.map(({ Allow }) => Allow);
  } catch (error) {
    if (!(error instanceof Refusal) || error.why === 'lost') return undefined;
    // 401: there is no access control. A token that nobody knows may do nothing.
    isControlled.value = error.why !== 'off';
    return body.map(() => error.why === 'off');
  }
}

export function startRights(): void {
  effect(() => {
    token.value;
    known.value = new Map();
    want('', { Resource: 'operator', Access: 'read' });
  });
}
