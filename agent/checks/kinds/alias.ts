/** A check that stands for other checks: those of a service and of its node. */
import type { CheckDefinition } from '../../../lib/model.ts';
import { type Look, passing } from '../probing/probe.ts';
import { checkKind, text } from './kind.ts';

export const alias = checkKind({
  type: 'alias',
  fields: { AliasNode: text, AliasService: text },
});

/** The worst of the checks counts; `self` does not, which is among them when it is the node's. */
export function aliasLook(checks: Iterable<CheckDefinition>, self: string): Look {
  let look = passing('No checks found.');
  for (const { CheckID, Name, Status, Output } of checks) {
    if (CheckID === self) continue;
    if (Status === 'critical' || Status === 'warning') {
      look = { status: Status, output: `Aliased check "${Name}" failing: ${Output}` };
      if (Status === 'critical') return look;
    } else if (look.status === 'passing') look = passing('All checks passing.');
  }
  return look;
}
