/** What the entry that is being applied changes: from how it was before the entry to how it is after. */
import type { Check, Instance, Node } from '../../../lib/model.ts';
import { fold } from '../topic-names.ts';

/** A node or an instance. */
export type Place = Pick<Node, 'Node'> & Partial<Pick<Instance, 'ID' | 'Service'>>;

export interface Noted<R> {
  readonly before: R | undefined;
  readonly after: R | undefined;
}

export type InOrder<R> = readonly (readonly [key: string, noted: Noted<R>])[];

export class Notes {
  readonly #places: [string, Noted<Place>][] = [];
  readonly #checks: [string, Noted<Check>][] = [];

  get isEmpty(): boolean {
    return this.#places.length === 0 && this.#checks.length === 0;
  }

  /** `key` of its row, or of a node as if it had an id that is empty. */
  place(key: string, before: Place | undefined, after: Place | undefined): void {
    if (before !== undefined && after !== undefined && sameService(before, after)) return;
    this.#places.push([key, { before, after }]);
  }

  check(key: string, before: Check | undefined, after: Check | undefined): void {
    if (before !== undefined && after !== undefined && sameCondition(before, after)) return;
    this.#checks.push([key, { before, after }]);
  }

  /**
   * What was noted, each thing once, and is forgotten with that. In the order of names: rows are gone
   * through in an order that a restore does not keep.
   */
  take(): { readonly places: InOrder<Place>; readonly checks: InOrder<Check> } {
    const [places, checks] = [inOrder(this.#places), inOrder(this.#checks)];
    this.clear();
    return { places, checks };
  }

  clear(): void {
    this.#places.length = 0;
    this.#checks.length = 0;
  }
}

/** Nearly always there is one of them. */
function inOrder<R>(noted: readonly [string, Noted<R>][]): InOrder<R> {
  if (noted.length < 2) return noted.slice();
  const once = new Map<string, Noted<R>>();
  for (const [key, { before, after }] of noted) {
    const earlier = once.get(key);
    once.set(key, { before: earlier === undefined ? before : earlier.before, after });
  }
  return [...once].sort(([a], [b]) => (a < b ? -1 : 1));
}

function sameService(a: Place, b: Place): boolean {
  return a.Service === b.Service || fold(a.Service ?? '') === fold(b.Service ?? '');
}

function sameCondition(a: Check, b: Check): boolean {
  const isSame = a.ServiceID === b.ServiceID || fold(a.ServiceID) === fold(b.ServiceID);
  return isSame && a.Status === b.Status;
}
