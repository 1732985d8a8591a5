import type { Rights } from '../../lib/acl/rights.ts';
import type { Reader } from './reader.ts';

/** What a query comes to: at most one of `json`, `bytes` and `texts`; none is an empty body. */
export interface Content {
  /** 200 when it is not said. */
  readonly status?: number;
  readonly json?: unknown;
  readonly bytes?: Buffer;
  /** One after another, each made when its turn comes: of what is long. */
  readonly texts?: Texts;
  /** Of `bytes` and `texts`. */
  readonly contentType?: string;
  /** What whoever has this answer asks by for what has changed since; only of one with nothing kept back. */
  readonly mark?: string;
}

export interface Texts {
  readonly made: () => Iterable<string>;
  /** What they keep alive until they are made. */
  readonly holds: number;
}

/** A pure function of what it reads of the state. */
export interface Query {
  /** Two queries with one key have one answer: the parameters in one fixed form. */
  readonly key: string;
  /** Throws a ProconsulError where the answer is an error. */
  readonly run: (reader: Reader) => Content;
  /** Written for people. */
  readonly pretty?: boolean;
}

/** A query by someone: who has the same rights gets the same answer, and nobody else does. */
export interface Question extends Query {
  readonly rights: Rights;
}

/** `rights.key` is '' where there is no access control. */
export function asked(query: Query, rights: Rights): Question {
  return { ...query, key: rights.key === '' ? query.key : `${rights.key} ${query.key}`, rights };
}

/** A key that no other parts give: names may hold anything. */
export function keyOf(...parts: readonly (string | boolean)[]): string {
  return JSON.stringify(parts);
}
