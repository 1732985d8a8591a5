import type { Check } from '../../lib/model.ts';
import type { Catalog } from '../state/catalog.ts';
import { rowKey } from '../state/topic-names.ts';

/** By when it was made too: one that is registered anew under the same id owes nothing to the old. */
export function leaseOfCheck({ Node, CheckID, CreateIndex }: Check): string {
  return `${CreateIndex}/${rowKey(Node, CheckID)}`;
}

/** Undefined where it is gone. */
export function checkOfLease(catalog: Catalog, name: string): Check | undefined {
  const check = catalog.checks.get(name.slice(name.indexOf('/') + 1));
  return check !== undefined && leaseOfCheck(check) === name ? check : undefined;
}
