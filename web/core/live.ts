/**
 * Live answers for what is shown: who asks for the same path shares one query, which ends with the last of
 * them. A browser keeps six connections to a server for all of its tabs, so a page holds three queries at
 * most, a tab that nobody sees holds none, and all that are seen take turns (places.ts).
 */
import { effect } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ask, listen } from './api.ts';
import { inDatacenter, withQuery } from './asked-path.ts';
import { LiveQuery, type Manner, type Shown, type Surroundings } from './live-query.ts';
import { Reach } from './reach.ts';
import { PACE } from './retry.ts';
import { doubtRights, noteRightsNews } from './rights-news.ts';
import type { Rows } from './rows.ts';
import { startPlaces, takePlace } from './shared-places.ts';
import { token } from './token.ts';

interface Held {
  readonly query: LiveQuery<unknown>;
  /** Whether it holds a connection while it waits. */
  readonly isWaiting: boolean;
  readonly isAtRest: boolean;
  users: number;
}

/** So many may wait at once. */
const MAX_LIVE = 3;
/** So long what has gone may still be there beside what has come. */
const MOMENT_MS = 250;

/** So long after a turn that was over this window still takes turns with others. */
const IN_TURNS_MS = 20_000;
let turnEnded = Number.NEGATIVE_INFINITY;

const held = new Map<string, Held>();
const reach = new Reach(Date.now);

/** Since when the server cannot be reached, and what it says; undefined where it can. */
export const { loss } = reach;

const AROUND: Surroundings = {
  ...PACE,
  now: () => performance.now(),
  ask: async <T>(path: string, signal: AbortSignal, comes: () => void) => {
    const begun = performance.now();
    const answered = ask<T>(path, { signal, comes });
    const isInTurns = begun - turnEnded < IN_TURNS_MS;
    if (/[?&]index=\d+&wait=/.test(path)) doubtRights({ isInTurns });
    const answer = await answered;
    if (isEarly(path, answer.index, performance.now() - begun)) noteRightsNews();
    return answer;
  },
  listen: (path, signal, each) => listen(path, { signal }, each),
  place: async (signal) => {
    const place = await takePlace(signal);
    place.over.addEventListener('abort', () => {
      turnEnded = performance.now();
    });
    return place;
  },
  lost: (by, said) => reach.lost(by, said),
  answered: (by) => {
    noteSight(by);
    const waiting = used().map(({ query }) => query);
    reach.answered(
      by,
      waiting.filter(({ isDone }) => !isDone),
    );
  },
};

/**
 * Nothing has changed, and the wait is not over: so whoever waits is answered whose token has come to other
 * rights meanwhile.
 */
function isEarly(path: string, index: bigint, ms: number): boolean {
  const [, asked = '', waitS = ''] = /[?&]index=(\d+)&wait=(\d+)s/.exec(path) ?? [];
  return index > 0n && asked === `${index}` && ms < Number(waitS) * 1000;
}

/** What each was shown last: all, a part, or that it may not. */
const sights = new WeakMap<LiveQuery<unknown>, string>();

function noteSight(by: LiveQuery<unknown>): void {
  const { standing, isPartial } = by.shown.peek();
  const sight = `${standing === 'forbidden'} ${isPartial}`;
  const before = sights.get(by) ?? sight;
  sights.set(by, sight);
  if (sight !== before) noteRightsNews();
}

/** Of a component: what the path says by now, for as long as the component is shown. '' asks nothing. */
export function useLive<T>(path: string): Shown<T> {
  return useQuery<T>(path, LIVE);
}

/** The same of a list of which changes alone can be asked for. */
export function useRows<Row>(path: string, rows: Rows<Row>): Shown<readonly Row[]> {
  return useQuery<readonly Row[]>(path, rows);
}

/** The same of what never changes: it holds nothing once it is answered. */
export function useOnce<T>(path: string): Shown<T> {
  return useQuery<T>(path, ONCE);
}

/** The same of what has no index, as what servers measure: they tell it anew where it is another. */
export function useTold<T>(path: string): Shown<T> {
  const told = path.endsWith('/stream') ? path : withQuery(path, { stream: 'yes' });
  return useQuery<T>(told, TOLD);
}

/** The same of what only something else tells the change of: it is asked for once more by `askOnceMore`. */
export function useAtRest<T>(path: string): Shown<T> {
  return useQuery<T>(path, AT_REST);
}

const LIVE = {};
const ONCE = { isOnce: true };
const TOLD = { isTold: true };
const AT_REST = { isAtRest: true };

/** Of one path there is one manner, but for what is asked once or is at rest besides. */
function useQuery<T>(path: string, manner: Manner<T>): Shown<T> {
  const asked = path === '' ? '' : inDatacenter(path);
  const key = keyOf(asked, manner);
  const query = useMemo(() => known<T>(asked, manner), [key]);
  useEffect(() => {
    if (asked === '') return;
    take(key, query, manner);
    return () => leave(key);
  }, [key, query]);
  return query.shown.value;
}

/** Held from the first on who wants to show it: two that ask for the same in one moment show the same. */
function known<T>(path: string, manner: Manner<T>): LiveQuery<T> {
  const key = keyOf(path, manner);
  const there = held.get(key)?.query as LiveQuery<T> | undefined;
  if (there !== undefined) return there;
  const query = new LiveQuery<T>(path, AROUND, manner);
  if (path !== '') held.set(key, holding(query, manner));
  return query;
}

function holding<T>(query: LiveQuery<T>, { isOnce = false, isAtRest = false }: Manner<T>): Held {
  const isWaiting = !isOnce && !isAtRest;
  return { query: query as LiveQuery<unknown>, isWaiting, isAtRest, users: 0 };
}

function take<T>(key: string, query: LiveQuery<T>, manner: Manner<T>): void {
  const there = held.get(key) ?? holding(query, manner);
  held.set(key, there);
  there.users++;
  if (waiting().length > MAX_LIVE) setTimeout(tellTooMany, MOMENT_MS);
  if (!there.query.isRunning && !document.hidden) there.query.start();
}

function waiting(): readonly string[] {
  const live = [...held].filter(([, { isWaiting, users }]) => isWaiting && users > 0);
  return live.map(([path]) => path);
}

/** It works all the same, until another tab is opened: specs of the page fail by it. */
function tellTooMany(): void {
  const paths = waiting();
  if (paths.length <= MAX_LIVE) return;
  reportError(new Error(`${paths.length} live queries on one page: ${paths.join(', ')}`));
}

function leave(key: string): void {
  const there = held.get(key);
  if (there === undefined || --there.users > 0) return;
  there.query.stop();
  reach.left(there.query);
  held.delete(key);
}

function keyOf<T>(path: string, { isOnce, isAtRest }: Manner<T>): string {
  if (isOnce) return `once ${path}`;
  return isAtRest ? `at rest ${path}` : path;
}

function used(): readonly Held[] {
  return [...held.values()].filter(({ users }) => users > 0);
}

export function startLive(): void {
  startPlaces();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) for (const { query } of held.values()) query.stop();
    else {
      noteRightsNews();
      askAnew();
    }
  });
  addEventListener('online', askAnew);
  let last = token.peek();
  effect(() => {
    const now = token.value;
    if (now !== last) {
      // What one token saw is not for whoever comes after it.
      for (const { query } of held.values()) query.forget();
      askAnew();
    }
    last = now;
  });
}

/** What is at rest: something else says that it is another one. */
export function askOnceMore(): void {
  if (document.hidden) return;
  for (const { query, isAtRest } of used()) if (isAtRest) query.askOnceMore();
}

/** Everything that is shown. */
export function askAnew(): void {
  if (document.hidden) return;
  for (const { query } of used()) query.start();
}
