import type { Check, Instance, KeyValue, Node } from '../../lib/model.ts';

/** One answer of a transaction. */
export type TxnResult =
  | { readonly KV: KeyValue }
  | { readonly Node: Node }
  | { readonly Service: Instance }
  | { readonly Check: Check };

export interface TxnError {
  readonly OpIndex: number;
  readonly What: string;
}

/**
 * What applying a command came to, the same on every replica.
 * - `applied: false`: a lost race, such as a CAS with an old index; nothing changed.
 * - `refused`: the command cannot be right as the state stands; nothing changed.
 */
export interface Outcome {
  readonly applied: boolean;
  readonly refused?: string;
  /** What it was judged by has changed: nothing changed, and it is to be judged anew. */
  readonly outdated?: true;
  /** Of the entry, for whoever asks for a number that nobody else has. */
  readonly index?: number;
  readonly results?: readonly TxnResult[];
  readonly errors?: readonly TxnError[];
}

export const APPLIED: Outcome = { applied: true };
export const NOT_APPLIED: Outcome = { applied: false };

export const OUTDATED: Outcome = { applied: false, outdated: true };

/** Thrown inside apply, and caught there: the entry is taken back and the text is its outcome. */
export class Refusal extends Error {}
