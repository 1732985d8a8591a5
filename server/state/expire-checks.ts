import { withFields } from '../../lib/with-fields.ts';
import type { ExpireChecks } from '../commands.ts';
import { APPLIED, NOT_APPLIED, type Outcome } from './outcome.ts';
import { putCheck } from './registration.ts';
import type { State } from './state.ts';

/** A leader of an older term may have been asleep while others reported. */
export function expireChecks(state: State, { term, checks }: ExpireChecks): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const { node, id, at } of checks) {
    const check = state.catalog.check(node, id);
    if (check?.ModifyIndex !== at) continue;
    putCheck(state, check.Node, withFields(check, { Status: 'critical', Output: 'TTL expired' }));
  }
  return APPLIED;
}
