/** Whether somebody sees all that there is: a server says nothing of what it keeps back. */
import type { Right } from '../core/right.ts';
import { useAllowed } from '../core/rights.ts';

/** What it takes; several where each is of another part, as many each time. */
export type Sees = Right | readonly Right[];

/** Undefined until it is known. */
export function useSees(sees: Sees): boolean | undefined {
  const rights: readonly Right[] = 'Resource' in sees ? [sees] : sees;
  const allowed = rights.map((each) => useAllowed(each));
  if (allowed.includes(false)) return false;
  return allowed.includes(undefined) ? undefined : true;
}

/** Of all things of a kind, or of those whose names begin so. */
export function everyOne(Resource: string, Segment = ''): Right {
  return { Resource, Access: 'read-prefix', Segment };
}
