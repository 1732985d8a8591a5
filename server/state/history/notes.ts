/** What the entry that is being applied changes: from how it was before the entry to how it is after. */
import type { Check, Instance, Node } from '../../../lib/model.ts';
import { fold, rowKey } from '../topic-names.ts';

/** A node or an instance. */
export type Place = Pick<Node, 'Node'> & Partial<Pick<Instance, 'ID' | 'Service'>>;

export interface Noted<R> {
  readonly before: R | undefined;
  readonly after: R | undefined;
}

type InOrder<R> = readonly (readonly [key: string, noted: Noted<R>])[];

export class Notes {
  #places = new Map<string, Noted<Place>>();
  #checks = new Map<string, Noted<Check>>();

  get isEmpty(): boolean {
    return this.#places.size === 0 && this.#checks.size === 0;
  }

  place(before: Place | undefined, after: Place | undefined): void {
    if (before !== undefined && after !== undefined && sameService(before, after)) return;
    const { Node: node, ID = '' } = (after ?? before) as Place;
    note(this.#places, rowKey(node, ID), before, after);
  }

  check(before: Check | undefined, after: Check | undefined): void {
    if (before !== undefined && after !== undefined && sameCondition(before, after)) return;
    const { Node: node, CheckID } = (after ?? before) as Check;
    note(this.#checks, rowKey(node, CheckID), before, after);
  }

  /**
   * What was noted, which is forgotten with that. In the order of names: rows are gone through in an order
   * that a restore does not keep.
   */
  take(): { readonly places: InOrder<Place>; readonly checks: InOrder<Check> } {
    const [places, checks] = [inOrder(this.#places), inOrder(this.#checks)];
    this.clear();
    return { places, checks };
  }

  clear(): void {
    if (this.#places.size > 0) this.#places = new Map();
    if (this.#checks.size > 0) this.#checks = new Map();
  }
}

function note<R>(
  noted: Map<string, Noted<R>>,
  key: string,
  before: R | undefined,
  after: R | undefined,
): void {
  const earlier = noted.get(key);
  noted.set(key, { before: earlier === undefined ? before : earlier.before, after });
}

function inOrder<R>(noted: ReadonlyMap<string, Noted<R>>): InOrder<R> {
  const all = [...noted];
  return all.length < 2 ? all : all.sort(([a], [b]) => (a < b ? -1 : 1));
}

function sameService(a: Place, b: Place): boolean {
  return a.Service === b.Service || fold(a.Service ?? '') === fold(b.Service ?? '');
}

function sameCondition(a: Check, b: Check): boolean {
  const isSame = a.ServiceID === b.ServiceID || fold(a.ServiceID) === fold(b.ServiceID);
  return isSame && a.Status === b.Status;
}
