/** Auth methods, what they give, and whoever logs in by one. */
import { withFields } from '../../lib/with-fields.ts';
import type {
  DeleteAuthMethod,
  DeleteBindingRule,
  Login,
  SetAuthMethod,
  SetBindingRule,
} from '../acl-commands.ts';
import { sameRow } from './catalog.ts';
import { APPLIED, OUTDATED, type Outcome, Refusal } from './outcome.ts';
import type { State } from './state.ts';
import { made, put, refuseTaken } from './token-commands.ts';
import { fold } from './topic-names.ts';

export function setAuthMethod(state: State, { method }: SetAuthMethod): Outcome {
  const before = state.acl.authMethod(method.Name);
  if (before !== undefined && before.Type !== method.Type) throw new Refusal(TYPE_STAYS);
  const CreateIndex = before?.CreateIndex ?? state.index;
  const row = withFields(method, { CreateIndex, ModifyIndex: state.index });
  if (before === undefined || !sameRow(before, row)) {
    state.acl.authMethods.set(fold(method.Name), row);
  }
  return APPLIED;
}

export const TYPE_STAYS = 'the Type field of an Auth Method is immutable';

/** Whoever came by it has nothing more to show that anybody could ask after. */
export function deleteAuthMethod({ acl }: State, { name }: DeleteAuthMethod): Outcome {
  for (const { SecretID } of [...acl.loggedInBy(name)]) acl.tokens.delete(SecretID);
  for (const { ID } of [...acl.bindingRulesOf(name)]) acl.bindingRules.delete(ID);
  acl.authMethods.delete(fold(name));
  return APPLIED;
}

export function setBindingRule(state: State, { rule, update }: SetBindingRule): Outcome {
  const { acl } = state;
  const before = acl.bindingRules.get(rule.ID);
  if (update && before === undefined) throw new Refusal(`cannot find binding rule ${rule.ID}`);
  if (before !== undefined && fold(before.AuthMethod) !== fold(rule.AuthMethod)) {
    throw new Refusal(METHOD_STAYS);
  }
  if (acl.authMethod(rule.AuthMethod) === undefined) {
    throw new Refusal(`cannot find auth method with name ${JSON.stringify(rule.AuthMethod)}`);
  }
  const CreateIndex = before?.CreateIndex ?? state.index;
  const row = withFields(rule, { CreateIndex, ModifyIndex: state.index });
  if (before === undefined || !sameRow(before, row)) acl.bindingRules.set(rule.ID, row);
  return APPLIED;
}

export const METHOD_STAYS = 'the AuthMethod field of an Binding Rule is immutable';

export function deleteBindingRule(state: State, { id }: DeleteBindingRule): Outcome {
  state.acl.bindingRules.delete(id);
  return APPLIED;
}

/** A rule that somebody took away meanwhile gives nothing, nor does a method of other keys. */
export function login(state: State, command: Login): Outcome {
  const { token, expiry, method, rules, decidedAt } = command;
  const { acl } = state;
  const stands =
    // Restored rows keep their indexes: everything may be another's.
    state.topics.floor <= decidedAt &&
    acl.authMethod(method.id)?.ModifyIndex === method.at &&
    rules.every(({ id, at }) => acl.bindingRules.get(id)?.ModifyIndex === at) &&
    token.Policies.every((id) => acl.policies.get(id) !== undefined) &&
    token.Roles.every((id) => acl.roles.get(id) !== undefined);
  if (!stands) return OUTDATED;
  refuseTaken(state, token);
  put(state, made(state, token, expiry));
  return APPLIED;
}
