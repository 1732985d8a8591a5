import type { State } from '../state/state.ts';

/** What a query comes to: at most one of the two; neither is an empty body. */
export interface Result {
  /** 200 when it is not said. */
  readonly status?: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
  /** Of `bytes`. */
  readonly contentType?: string;
}

/** A pure function of the state, with what it reads. */
export interface Query {
  /** Two queries with one key have one answer: the parameters in one fixed form. */
  readonly key: string;
  /** Touched by every entry that could change the answer. */
  readonly topics: readonly string[];
  /** When the answer last changed; the newest of the topics when it is not said. */
  readonly index?: (state: State) => number;
  /** Throws a ProconsulError where the answer is an error. */
  readonly run: (state: State) => Result;
  /** Written for people. */
  readonly pretty?: boolean;
}

export function indexOf(query: Query, state: State): number {
  if (query.index !== undefined) return query.index(state);
  let index = 1;
  for (const topic of query.topics) index = Math.max(index, state.topics.indexOf(topic));
  return index;
}

/** A key that no other parts give: names may hold anything. */
export function keyOf(...parts: readonly (string | boolean)[]): string {
  return JSON.stringify(parts);
}
