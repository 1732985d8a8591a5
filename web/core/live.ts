/**
 * Live answers for what is shown: who asks for the same path shares one query, which ends with the last of
 * them. A browser keeps six connections to a server for all of its tabs, so a page holds three queries at
 * most, and a tab that nobody sees holds none.
 */
import { effect, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ask } from './api.ts';
import { LiveQuery, type Shown, type Surroundings } from './live-query.ts';
import { type Answer, Refusal } from './refusal.ts';
import { token } from './token.ts';

interface Held {
  readonly query: LiveQuery<unknown>;
  users: number;
}

const held = new Map<string, Held>();

/** Since when the server cannot be reached, by the reader's clock; 0 where it can. */
export const lostSince = signal(0);

const AROUND: Surroundings = {
  ask: async <T>(path: string, abort: AbortSignal): Promise<Answer<T>> => {
    try {
      const answer = await ask<T>(path, { signal: abort });
      reached();
      return answer;
    } catch (error) {
      if (error instanceof Refusal && error.why === 'lost') lostSince.value ||= Date.now();
      else if (error instanceof Refusal) reached();
      throw error;
    }
  },
  after: (ms, call) => {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};

/** Of a component: what the path says by now, for as long as the component is shown. '' asks nothing. */
export function useLive<T>(path: string): Shown<T> {
  const query = useMemo(() => known<T>(path), [path]);
  useEffect(() => {
    if (path === '') return;
    take(path, query);
    return () => leave(path);
  }, [path, query]);
  return query.shown.value;
}

function known<T>(path: string): LiveQuery<T> {
  return (held.get(path)?.query as LiveQuery<T> | undefined) ?? new LiveQuery<T>(path, AROUND);
}

function take<T>(path: string, query: LiveQuery<T>): void {
  const there = held.get(path) ?? { query: query as LiveQuery<unknown>, users: 0 };
  held.set(path, there);
  there.users++;
  if (!there.query.isRunning && !document.hidden) there.query.start();
}

function leave(path: string): void {
  const there = held.get(path);
  if (there === undefined || --there.users > 0) return;
  there.query.stop();
  held.delete(path);
}

/** What was lost together comes back together. */
function reached(): void {
  if (lostSince.peek() === 0) return;
  lostSince.value = 0;
  for (const { query } of held.values()) {
    if (query.shown.peek().standing === 'lost') query.start();
  }
}

export function startLive(): void {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) for (const { query } of held.values()) query.stop();
    else askAnew();
  });
  addEventListener('online', askAnew);
  let last = token.peek();
  effect(() => {
    const now = token.value;
    if (now !== last) askAnew();
    last = now;
  });
}

/** Everything that is shown. */
export function askAnew(): void {
  if (document.hidden) return;
  for (const { query } of held.values()) query.start();
}
