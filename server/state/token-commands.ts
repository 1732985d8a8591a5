import { ANONYMOUS_ACCESSOR_ID, type Token, type TokenDefinition } from '../../lib/acl/model.ts';
import { withFields } from '../../lib/with-fields.ts';
import type {
  BeginAcl,
  BootstrapAcl,
  DeleteAclToken,
  Expiry,
  ReapAclTokens,
  SetAclToken,
  SetLegacyToken,
} from '../acl-commands.ts';
import { sameRow } from './catalog.ts';
import { APPLIED, NOT_APPLIED, type Outcome, Refusal } from './outcome.ts';
import type { State } from './state.ts';

const FOREVER: Expiry = { atMs: 0, ttlMs: 0 };

export function beginAcl(state: State, { policy, anonymous, token }: BeginAcl): Outcome {
  const { acl } = state;
  const before = acl.policies.get(policy.ID);
  // A later version may know of more that there is to manage.
  if (before === undefined || before.Rules !== policy.Rules) {
    const CreateIndex = before?.CreateIndex ?? state.index;
    acl.policies.set(policy.ID, withFields(policy, { CreateIndex, ModifyIndex: state.index }));
  }
  if (acl.tokenBy(ANONYMOUS_ACCESSOR_ID) === undefined) put(state, made(state, anonymous, FOREVER));
  if (token !== undefined && acl.tokens.get(token.SecretID) === undefined) {
    refuseTaken(state, token);
    put(state, made(state, token, FOREVER));
    if (acl.bootstrapIndex === 0) acl.setBootstrapIndex(state.index);
  }
  return APPLIED;
}

export function bootstrapAcl(state: State, { token, resetIndex }: BootstrapAcl): Outcome {
  if (state.acl.bootstrapIndex !== resetIndex) return NOT_APPLIED;
  refuseTaken(state, token);
  put(state, made(state, token, FOREVER));
  state.acl.setBootstrapIndex(state.index);
  return APPLIED;
}

export function setToken(state: State, { token, expiry, update }: SetAclToken): Outcome {
  refuseMissingLinks(state, token);
  if (update) return changeToken(state, token, expiry);
  refuseTaken(state, token);
  put(state, made(state, token, expiry));
  return APPLIED;
}

export function setLegacyToken(state: State, { token }: SetLegacyToken): Outcome {
  const before = state.acl.tokens.get(token.SecretID);
  if (before !== undefined && before.AccessorID !== '') {
    throw new Refusal('Cannot use legacy endpoint to modify a non-legacy token');
  }
  const row = withFields(made(state, token, FOREVER), { createdAt: 0 });
  replace(state, before, row);
  return APPLIED;
}

export function deleteToken(state: State, { secret, accessor }: DeleteAclToken): Outcome {
  if (state.acl.tokens.get(secret)?.AccessorID !== accessor) return APPLIED;
  state.acl.tokens.delete(secret);
  return APPLIED;
}

/** The log's own time decides, not the clock of whoever proposes it. */
export function reapTokens(state: State, { term, accessors }: ReapAclTokens): Outcome {
  if (term !== state.leadership.term) return NOT_APPLIED;
  for (const accessor of accessors) {
    const token = state.acl.tokenBy(accessor);
    if (token === undefined || token.expiresAt === 0 || token.expiresAt > state.t) continue;
    state.acl.tokens.delete(token.SecretID);
  }
  return APPLIED;
}

/** Its secret, its time and where it counts stay as they were; who asks for others is refused. */
function changeToken(state: State, token: TokenDefinition, expiry: Expiry): Outcome {
  const { AccessorID } = token;
  const before = state.acl.tokenBy(AccessorID);
  if (before === undefined) throw new Refusal(`Cannot find token "${AccessorID}"`);
  if (token.SecretID !== '' && token.SecretID !== before.SecretID) {
    throw new Refusal('Changing a tokens SecretID is not permitted');
  }
  if (token.Local !== before.Local) throw new Refusal(`cannot toggle local mode of ${AccessorID}`);
  if (token.AuthMethod !== '' && token.AuthMethod !== before.AuthMethod) {
    throw new Refusal(`Cannot change AuthMethod of ${AccessorID}`);
  }
  if (expiry.ttlMs !== 0 || (expiry.atMs !== 0 && expiry.atMs !== before.expiresAt)) {
    throw new Refusal(`Cannot change expiration time of ${AccessorID}`);
  }
  const { SecretID, AuthMethod, createdAt, expiresAt, CreateIndex } = before;
  const kept = { SecretID, AuthMethod, createdAt, expiresAt, CreateIndex };
  replace(state, before, withFields(token, withFields(kept, { ModifyIndex: state.index })));
  return APPLIED;
}

export function made(state: State, token: TokenDefinition, { atMs, ttlMs }: Expiry): Token {
  return withFields(token, {
    createdAt: state.t,
    expiresAt: ttlMs === 0 ? atMs : state.t + ttlMs,
    CreateIndex: state.index,
    ModifyIndex: state.index,
  });
}

export function put(state: State, row: Token): void {
  state.acl.tokens.set(row.SecretID, row);
}

function replace(state: State, before: Token | undefined, row: Token): void {
  const CreateIndex = before?.CreateIndex ?? row.CreateIndex;
  const next = withFields(row, { CreateIndex });
  if (before === undefined || !sameRow(before, next)) put(state, next);
}

/** Either id means one token only, whichever of the two it is of another. */
export function refuseTaken({ acl }: State, { AccessorID, SecretID }: TokenDefinition): void {
  const isTaken = (id: string) => acl.tokens.get(id) !== undefined || acl.tokenBy(id) !== undefined;
  if (isTaken(AccessorID)) throw new Refusal('Invalid Token: AccessorID is already in use');
  if (isTaken(SecretID)) throw new Refusal('Invalid Token: SecretID is already in use');
}

function refuseMissingLinks({ acl }: State, { Policies, Roles }: TokenDefinition): void {
  const policy = Policies.find((id) => acl.policies.get(id) === undefined);
  if (policy !== undefined) throw new Refusal(`No such ACL policy with ID "${policy}"`);
  const role = Roles.find((id) => acl.roles.get(id) === undefined);
  if (role !== undefined) throw new Refusal(`No such ACL role with ID "${role}"`);
}
