/** Policies and roles: what tokens refer to. */
import { MANAGEMENT_POLICY_ID } from '../../lib/acl/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type { DeleteAclPolicy, DeleteAclRole, SetAclPolicy, SetAclRole } from '../acl-commands.ts';
import { sameRow } from './catalog.ts';
import { APPLIED, type Outcome, Refusal } from './outcome.ts';
import type { State } from './state.ts';

export function setPolicy(state: State, { policy, update }: SetAclPolicy): Outcome {
  const { ID, Name: name, Rules } = policy;
  const before = state.acl.policies.get(ID);
  if (update && before === undefined) throw new Refusal(`cannot find policy ${ID}`);
  const named = state.acl.policyNamed(name);
  if (named !== undefined && named.ID !== ID) throw new Refusal(taken('Policy', name, update));
  if (ID === MANAGEMENT_POLICY_ID && Rules !== before?.Rules) {
    throw new Refusal(
      'Changing the Rules for the builtin global-management policy is not permitted',
    );
  }
  const CreateIndex = before?.CreateIndex ?? state.index;
  const row = withFields(policy, { CreateIndex, ModifyIndex: state.index });
  if (before === undefined || !sameRow(before, row)) state.acl.policies.set(ID, row);
  return APPLIED;
}

export function deletePolicy(state: State, { id }: DeleteAclPolicy): Outcome {
  if (id === MANAGEMENT_POLICY_ID) {
    throw new Refusal('Delete operation not permitted on the builtin global-management policy');
  }
  state.acl.policies.delete(id);
  return APPLIED;
}

export function setRole(state: State, { role, update }: SetAclRole): Outcome {
  const { ID, Name: name, Policies } = role;
  const before = state.acl.roles.get(ID);
  if (update && before === undefined) throw new Refusal(`cannot find role ${ID}`);
  const named = state.acl.roleNamed(name);
  if (named !== undefined && named.ID !== ID) throw new Refusal(taken('Role', name, update));
  const missing = Policies.find((id) => state.acl.policies.get(id) === undefined);
  if (missing !== undefined) throw new Refusal(`No such policy with ID: ${missing}`);
  const CreateIndex = before?.CreateIndex ?? state.index;
  const row = withFields(role, { CreateIndex, ModifyIndex: state.index });
  if (before === undefined || !sameRow(before, row)) state.acl.roles.set(ID, row);
  return APPLIED;
}

export function deleteRole(state: State, { id }: DeleteAclRole): Outcome {
  state.acl.roles.delete(id);
  return APPLIED;
}

/** Consul says it in two ways. */
function taken(what: 'Policy' | 'Role', name: string, update: boolean): string {
  const [a, named] = update ? [what.toLowerCase(), 'name'] : [what, 'Name'];
  return `Invalid ${what}: A ${a} with ${named} "${name}" already exists`;
}
