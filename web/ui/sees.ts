/** Whether somebody sees all that there is: a server says nothing of what it keeps back. */
import type { Right } from '../core/right.ts';
import { useAllowed } from '../core/rights.ts';

/** What it takes; several where each is of another part, as many each time. */
export type Sees = Right | readonly Right[];

/** True until it is known that something may not be seen. */
export function useSees(sees: Sees): boolean {
  const rights: readonly Right[] = 'Resource' in sees ? [sees] : sees;
  return rights.map((each) => useAllowed(each) !== false).every(Boolean);
}
